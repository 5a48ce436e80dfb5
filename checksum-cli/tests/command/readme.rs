//! The console sessions of the README show exactly what the command prints on both streams.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};

use snapbox::Data;

use crate::invocation::{wait_until, with_fixed_times};

/// How the README starts the command before it is installed.
const BUILT: &str = "cargo run -p checksum-cli -- ";

/// Runs the console sessions of the README.
struct Reader {
    directory: tempfile::TempDir,
    mock: Option<Child>,
    /// The address of the mock server. The README shows its default port.
    origin: String,
    last_code: Option<i32>,
}

impl Reader {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a directory"),
            mock: None,
            origin: String::new(),
            last_code: None,
        }
    }

    /// Returns the output of this command; `None` if it is not run here.
    fn enter(&mut self, line: &str) -> Option<String> {
        if line == "echo $?" {
            return Some(format!("{}\n", self.last_code.expect("a command before")));
        }
        let command = line.strip_prefix("checksum ");
        let command = command.or_else(|| line.strip_prefix(BUILT))?;
        Some(match command.strip_suffix(" &") {
            Some(command) => self.serve(command),
            None => self.run(command),
        })
    }

    fn serve(&mut self, command: &str) -> String {
        let path = self.directory.path().join("served");
        let child = self.command(&format!("{command} --port 0"), &path).spawn();
        let child = self.mock.insert(child.expect("the mock server starts"));
        let mut printed = String::new();
        wait_until("the mock server prints its address", || {
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none(), "the mock server ended: {ended:?}");
            printed = std::fs::read_to_string(&path).expect("what was printed");
            printed.lines().count() == 2 && printed.ends_with('\n')
        });
        let url = printed.lines().next().expect("an address");
        self.origin = url.replace("/public-api", "");
        printed.replace(&self.origin, "http://127.0.0.1:4010")
    }

    fn run(&mut self, command: &str) -> String {
        let path = self.directory.path().join("shown");
        let is_waiting = ["run ", "heal ", "generate ", "wait "];
        let is_waiting = is_waiting.iter().any(|name| command.starts_with(name));
        let command = match is_waiting && !command.contains("--detach") {
            true => format!("{command} --poll-interval 0s"),
            false => command.to_owned(),
        };
        let status = self.command(&command, &path).status();
        self.last_code = status.expect("the command ends").code();
        let shown = std::fs::read_to_string(&path).expect("what was printed");
        let shown = with_fixed_times(&shown);
        match self.origin.as_str() {
            "" => shown,
            origin => shown.replace(origin, "http://127.0.0.1:4010"),
        }
    }

    fn command(&self, command: &str, shown: &Path) -> Command {
        let file = File::create(shown).expect("a file");
        // One handle for both, so that they share a position.
        let stream = file.try_clone().expect("a stream");
        let mut process = Command::new(env!("CARGO_BIN_EXE_checksum"));
        process
            .args(command.split_whitespace())
            .current_dir(&self.directory)
            .env_clear()
            .env("CHECKSUM_API_KEY", "any")
            .env(
                "CHECKSUM_API_BASE_URL",
                format!("{}/public-api", self.origin),
            )
            .stdout(file)
            .stderr(stream);
        process
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(mock) = &mut self.mock {
            let _ = mock.kill();
            let _ = mock.wait();
        }
    }
}

/// Follows every console session of a README. `SNAPSHOTS=overwrite` writes what is printed into it.
fn assert_sessions_are_exact(path: &str, commands: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let readme = std::fs::read_to_string(&path).expect("the README");
    let mut reader = Reader::new();
    let mut actual = String::new();
    let mut is_session = false;
    let mut is_shown = false;
    let mut entered = 0;
    for line in readme.lines() {
        if line.starts_with("```") {
            is_session = line == "```console";
            is_shown = false;
        }
        let command = line.strip_prefix("$ ").filter(|_| is_session);
        if is_shown && command.is_none() {
            continue;
        }
        actual += line;
        actual.push('\n');
        if let Some(command) = command {
            let shown = reader.enter(command);
            is_shown = shown.is_some();
            entered += usize::from(is_shown);
            actual += shown.unwrap_or_default().as_str();
        }
    }
    assert!(entered >= commands, "{entered} commands were tried");
    snapbox::assert_data_eq!(actual, Data::read_from(&path, None).raw());
}

#[test]
fn sessions_of_the_readme_are_exact() {
    assert_sessions_are_exact("README.md", 20);
}

#[test]
fn the_demo_of_the_workspaces_readme_is_exact() {
    // The package of this crate does not have it.
    if Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../openapi")
        .exists()
    {
        assert_sessions_are_exact("../README.md", 1);
    }
}
