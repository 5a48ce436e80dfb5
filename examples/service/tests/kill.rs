//! The service is killed while a run goes on, and follows it to its end after a restart.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use checksum_mock::{Clock, Fault, Mock, RunScript};
use serde_json::{Value, json};

struct Service {
    process: Child,
    url: String,
}

impl Service {
    fn start(database: &Path, mock: &Mock) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_service"))
            .env(
                "DATABASE_URL",
                format!("sqlite:{}?mode=rwc", database.display()),
            )
            .env("LISTEN", "127.0.0.1:0")
            .env("POLL_IMMEDIATELY", "1")
            .env("CHECKSUM_API_KEY", "any")
            .env("CHECKSUM_API_BASE_URL", mock.url())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut url = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut url).expect("a line");
        let url = url.trim().to_owned();
        Self { process, url }
    }

    async fn put(&self, name: &str) -> reqwest::Response {
        let request = reqwest::Client::new().put(format!("{}/runs/{name}", self.url));
        request
            .json(&json!({"grep": "checkout"}))
            .send()
            .await
            .expect("a response")
    }

    async fn get(&self, path: &str) -> String {
        let response = reqwest::get(format!("{}/runs/{path}", self.url)).await;
        response.expect("a response").text().await.expect("a body")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill().expect("SIGKILL");
        self.process.wait().expect("its end");
    }
}

fn last_event(stream: &str) -> Value {
    let line = stream
        .lines()
        .rfind(|line| line.starts_with("data: "))
        .expect("an event");
    serde_json::from_str(&line[6..]).expect("JSON")
}

#[tokio::test]
async fn a_killed_process_resumes_its_run_and_starts_it_once() {
    let builder = Mock::builder().clock(Clock::manual());
    let mock = builder.start().await.expect("a mock");
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("runs.db");
    mock.next_run(RunScript::new().queued(0).running(Duration::from_secs(600)));

    let service = Service::start(&database, &mock);
    let row: Value = service.put("release-1").await.json().await.expect("a row");
    assert_eq!(row["key"], "run:job-name-12345");
    assert_eq!(row["isFinished"], false);
    drop(service);
    mock.clock().advance(Duration::from_secs(600));

    let service = Service::start(&database, &mock);
    assert_eq!(service.put("release-1").await.status(), 200);
    let end = last_event(&service.get("release-1/events").await);
    assert_eq!(end["isFinished"], true);
    assert_eq!(end["event"]["run"]["outcome"], "passed");
    let starts = mock
        .requests()
        .into_iter()
        .filter(|request| request.method == "POST");
    assert_eq!(starts.count(), 1);
}

#[tokio::test]
async fn a_start_that_may_have_happened_is_kept_and_not_repeated() {
    let mock = Mock::start().await.expect("a mock");
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("runs.db");
    let service = Service::start(&database, &mock);

    mock.fault(Fault::reset_after_handling().on_operation("run_grep_v2"));
    assert_eq!(service.put("unclear").await.status(), 502);
    let row: Value = service.put("unclear").await.json().await.expect("a row");
    assert_eq!(row["mayHaveStarted"], true);
    assert_eq!(row["intent"]["operation"], "run_grep_v2");

    mock.fault(Fault::status(400).on_operation("run_grep_v2"));
    assert_eq!(service.put("rejected").await.status(), 502);
    assert!(service.get("rejected").await.contains("no run rejected"));
    let starts = mock
        .requests()
        .into_iter()
        .filter(|request| request.method == "POST");
    assert_eq!(starts.count(), 2);
}
