//! Runs the command as a process, and checks what every invocation must keep: JSON that matches the
//! schema, and no API key in any output.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use checksum_mock::{Fault, Mock};
use jsonschema::Validator;
use serde_json::Value;

/// The API key of every invocation, which nothing may print.
pub(crate) const KEY: &str = "sk-test-5f2b9c-must-not-show";

/// The schema of every line for programs, which allows only the fields that it describes.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let printed = checksum("", "schema").end();
    let mut schema: Value = serde_json::from_str(&printed.stdout).expect("a schema");
    schema["unevaluatedProperties"] = false.into();
    jsonschema::validator_for(&schema).expect("a schema")
});

/// One invocation of the command.
pub(crate) struct Invocation(Command);

/// What a finished command printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Starts a mock server.
pub(crate) async fn start_mock() -> Mock {
    Mock::start().await.expect("a mock server")
}

/// Starts a mock server that responds to every poll of a run that it passed.
pub(crate) async fn mock_with_passed_run() -> Mock {
    let mock = start_mock().await;
    let passed = r#"{"status":"passed","passed":1,"failed":0}"#;
    for operation in ["get_run_status", "get_run_status_v2"] {
        respond(&mock, operation, &passed);
    }
    mock
}

/// Lets the mock server respond to every request of an operation with this JSON.
pub(crate) fn respond(mock: &Mock, operation: &str, body: &impl ToString) {
    let response = Fault::respond_with(body.to_string());
    mock.fault(response.on_operation(operation).always());
}

/// Starts a mock server that also serves what is known only from the vendor's clients.
pub(crate) async fn observed_mock() -> Mock {
    Mock::builder()
        .observed()
        .start()
        .await
        .expect("a mock server")
}

/// Waits until another process makes the condition true. Fails after a minute.
#[track_caller]
pub(crate) fn wait_until(condition: &str, mut is_true: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_true() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "never: {condition}"
        );
        std::thread::yield_now();
    }
}

/// Returns the body of the last request of an operation.
pub(crate) fn last_body(mock: &Mock, operation: &str) -> Value {
    let mut requests = mock.requests().into_iter().rev();
    let request = requests.find(|request| request.operation_id == Some(operation));
    request.expect("a request").body
}

/// Runs the command with these arguments, separated by spaces, against the mock server.
#[track_caller]
pub(crate) fn exec(mock: &Mock, arguments: impl AsRef<str>) -> Ended {
    checksum(&mock.url(), arguments).end()
}

/// Returns the command with these arguments, separated by spaces, and with an environment that has
/// only the API key and the base URL.
pub(crate) fn checksum(base_url: &str, arguments: impl AsRef<str>) -> Invocation {
    let mut command = Command::new(env!("CARGO_BIN_EXE_checksum"));
    command
        .args(arguments.as_ref().split_whitespace())
        .env_clear()
        .env("CHECKSUM_API_KEY", KEY)
        .env("CHECKSUM_API_BASE_URL", base_url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Invocation(command)
}

impl Invocation {
    pub(crate) fn argument(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    /// Lets the command inherit these signals as ignored.
    #[cfg(unix)]
    pub(crate) fn ignoring(self, signals: &str) -> Self {
        self.by_shell(&format!("trap '' {signals}"))
    }

    /// Lets a shell do something before it starts the command.
    #[cfg(unix)]
    pub(crate) fn by_shell(self, before: &str) -> Self {
        let mut shell = Command::new("/bin/sh");
        let script = format!("{before}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script]).arg(self.0.get_program());
        shell.args(self.0.get_args()).env_clear();
        let set = self.0.get_envs();
        shell.envs(set.filter_map(|(name, value)| Some((name, value?))));
        shell
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(shell)
    }

    pub(crate) fn stdin(mut self, path: &Path) -> Self {
        self.0.stdin(std::fs::File::open(path).expect("a file"));
        self
    }

    pub(crate) fn directory(mut self, path: &Path) -> Self {
        self.0.current_dir(path);
        self
    }

    pub(crate) fn spawn(mut self) -> Child {
        self.0.spawn().expect("the command starts")
    }

    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        let is_for_programs = self.0.get_args().any(|argument| {
            let argument = argument.to_str();
            argument.is_some_and(|text| ["json", "ndjson"].contains(&text))
        });
        let child = self.spawn();
        let ended = ended(child.wait_with_output().expect("the command ends"));
        if is_for_programs {
            ended.lines().for_each(drop);
        }
        ended
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn stdout_has(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "no {text:?} in {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn stdout_lacks(&self, text: &str) -> &Self {
        assert!(!self.stdout.contains(text), "{text:?} in {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn stderr_has(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "no {text:?} in {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn stderr_lacks(&self, text: &str) -> &Self {
        assert!(!self.stderr.contains(text), "{text:?} in {self:#?}");
        self
    }

    /// Returns the last line that it printed for programs.
    #[track_caller]
    pub(crate) fn last_line(&self) -> Value {
        self.lines().last().expect("a line")
    }

    /// Returns what it printed for programs. Each line matches the schema.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Value> {
        self.stdout.lines().map(for_programs)
    }
}

/// Parses a line for programs, which must match the schema.
pub(crate) fn for_programs(line: &str) -> Value {
    let value = serde_json::from_str(line).expect(line);
    if let Err(error) = SCHEMA.validate(&value) {
        panic!("{line}: {error}");
    }
    value
}

/// Returns the text with a fixed time in place of each time of a handle or an intent.
pub(crate) fn with_fixed_times(text: &str) -> String {
    const TIME: &str = "2026-11-25T09:30:00.000Z";
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(found) = [r#""startedAt":""#, r#""at":""#]
        .iter()
        .filter_map(|name| Some(rest.find(name)? + name.len()))
        .min()
    {
        fixed += &rest[..found];
        fixed += TIME;
        rest = &rest[found..][TIME.len()..];
    }
    fixed + rest
}

/// Returns what a process printed. Its outputs must not contain the API key.
pub(crate) fn ended(output: Output) -> Ended {
    let ended = Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    };
    assert!(
        !ended.stdout.contains(KEY) && !ended.stderr.contains(KEY),
        "{ended:?}"
    );
    ended
}
