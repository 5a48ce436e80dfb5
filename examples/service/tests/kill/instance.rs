//! An instance of the service: a process that a test can kill, suspend and ask.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use checksum_mock::Mock;
use reqwest::StatusCode;
use serde_json::{Value, json};

/// How long a test waits for anything: for longer than the slowest machine needs.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) struct Instance {
    process: Child,
    client: reqwest::Client,
    url: String,
    /// As rows and the user agent of its requests have it.
    pub(crate) number: String,
}

impl Instance {
    pub(crate) fn command(database: &str, mock: &Mock) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
        command
            .env("DATABASE_URL", database)
            .env("LISTEN", "127.0.0.1:0")
            .env("POLL_SECONDS", "0")
            .env("CHECKSUM_API_KEY", "any")
            .env("CHECKSUM_API_BASE_URL", mock.url());
        command
    }

    pub(crate) fn start(database: &str, mock: &Mock) -> Self {
        let mut process = Self::command(database, mock)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let output = process.stdout.take().expect("its output");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("a line");
        let (url, number) = line.trim().split_once(" is instance ").expect("its number");
        Self {
            url: url.to_owned(),
            number: number.to_owned(),
            client: reqwest::Client::new(),
            process,
        }
    }

    /// Sends SIGKILL, and waits until the process is gone.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("SIGKILL");
        self.process.wait().expect("its end");
    }

    /// Sends a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args([format!("-{name}"), self.process.id().to_string()]);
        assert!(kill.status().expect("kill").success());
    }

    pub(crate) async fn exit(&mut self) -> ExitStatus {
        until("the exit", async || {
            self.process.try_wait().expect("its status")
        })
        .await
    }

    /// Asks for the run of a commit, whose grep is the commit too. `None` if the service is killed
    /// meanwhile.
    pub(crate) async fn put(&self, commit: &str) -> Option<StatusCode> {
        self.put_grep(commit, commit).await
    }

    pub(crate) async fn put_grep(&self, commit: &str, grep: &str) -> Option<StatusCode> {
        let request = self.client.put(self.path(commit));
        let response = request.json(&json!({"grep": grep})).send().await.ok()?;
        Some(response.status())
    }

    fn path(&self, commit: &str) -> String {
        format!("{}/commits/{commit}/run", self.url)
    }

    pub(crate) async fn row(&self, commit: &str) -> Value {
        let response = self.client.get(self.path(commit)).send().await;
        let response = response.expect("a response");
        assert_eq!(response.status(), 200, "{commit}");
        response.json().await.expect("a row")
    }

    /// Waits until a row is in one of the states.
    pub(crate) async fn until_state(&self, commit: &str, states: &[&str]) -> Value {
        until(&format!("{commit} is {states:?}"), async || {
            let row = self.row(commit).await;
            let state = row["state"].as_str().expect("a state");
            states.contains(&state).then_some(row)
        })
        .await
    }

    /// Reads the stream of a row until it ends, and returns its rows.
    pub(crate) async fn events(&self, commit: &str) -> Vec<Value> {
        let response = self.client.get(self.path(commit) + "/events").send().await;
        let text = response.expect("a response").text().await.expect("a body");
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|row| serde_json::from_str(row).expect("JSON"))
            .collect()
    }
}

/// A process that was suspended is killed too.
impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until `check` returns a value.
pub(crate) async fn until<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(value) = check().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let value = tokio::time::timeout(LIMIT, wait).await;
    value.unwrap_or_else(|_| panic!("waited too long until {what}"))
}
