use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

/// The key that every invocation uses, and that nothing may print.
pub(crate) const KEY: &str = "sk-test-5f2b9c-must-not-show";

/// What every line for programs keeps to, with no member beside those that are described.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let printed = checksum("", "schema").end();
    let mut schema: Value = serde_json::from_str(&printed.stdout).expect("a schema");
    schema["unevaluatedProperties"] = false.into();
    jsonschema::validator_for(&schema).expect("a schema")
});

/// One invocation of the command.
pub(crate) struct Invocation(Command);

/// What an invocation came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command with these arguments, against that server, with nothing of the caller's environment
/// that could change what it does.
pub(crate) fn checksum(base_url: &str, arguments: &str) -> Invocation {
    let mut command = Command::new(env!("CARGO_BIN_EXE_checksum"));
    command
        .args(arguments.split_whitespace())
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

    /// The command as a parent starts it that ignores these signals.
    #[cfg(unix)]
    pub(crate) fn ignoring(self, signals: &str) -> Self {
        self.by_shell(&format!("trap '' {signals}"))
    }

    /// The command as a shell starts it that has done something before.
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
    /// What it printed for programs, each line of which is as the schema says.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Value> {
        self.stdout.lines().map(for_programs)
    }
}

/// A line that programs read, which is as the schema says.
pub(crate) fn for_programs(line: &str) -> Value {
    let value = serde_json::from_str(line).expect(line);
    if let Err(error) = SCHEMA.validate(&value) {
        panic!("{line}: {error}");
    }
    value
}

/// The text with the same time in place of each that a handle or an intent keeps.
pub(crate) fn with_one_time(text: &str) -> String {
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

/// What a process came to. Whatever it was asked, the key is in none of its outputs.
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
