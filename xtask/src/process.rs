//! Runs other programs, each with a time limit.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use wait_timeout::ChildExt;

use crate::root;

/// How much of a failed program's output is shown.
const SHOWN_BYTES: usize = 8 * 1024;

/// A program in the background. Dropping it kills the program.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: Child,
    /// The path of its output files, without their extensions.
    log: PathBuf,
}

/// The exit status and the output of a program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Running {
    /// Starts a program that writes to files in `folder`, since a full pipe would block it.
    pub(crate) fn start(command: &mut Command, folder: &Path) -> Result<Self> {
        let program = Path::new(command.get_program()).file_name();
        let name = program.unwrap_or_default().to_string_lossy().into_owned();
        let log = folder.join(&name);
        let file = |extension| File::create(log.with_extension(extension)).context(name.clone());
        command.stdin(Stdio::null());
        let child = command.stdout(file("out")?).stderr(file("err")?).spawn();
        let child = child.with_context(|| format!("cannot run {name}"))?;
        Ok(Self { name, child, log })
    }

    /// Waits until the program accepts connections on that port of this machine.
    pub(crate) fn wait_for_port(&mut self, port: u16, limit: Duration) -> Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let started = Instant::now();
        while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} has ended: {}", self.name, self.ended(status).tail());
            }
            ensure!(
                started.elapsed() < limit,
                "{} accepts no connection after {limit:?}",
                self.name
            );
            thread::sleep(Duration::from_millis(25));
        }
        Ok(())
    }

    fn ended(&self, status: ExitStatus) -> Ended {
        let read = |extension| {
            let bytes = fs::read(self.log.with_extension(extension)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Ended {
            status,
            stdout: read("out"),
            stderr: read("err"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Fails with the end of the output if the program failed.
    pub(crate) fn success(self) -> Result<Self> {
        ensure!(self.status.success(), "{}", self.tail());
        Ok(self)
    }

    /// Negative control: fails if the program accepted an invalid input.
    pub(crate) fn rejected(self, wrong: &str) -> Result<Self> {
        ensure!(
            !self.status.success(),
            "negative control: {wrong} was accepted: {}",
            self.tail()
        );
        Ok(self)
    }

    /// Returns the end of both outputs, where tools write their errors.
    pub(crate) fn tail(&self) -> String {
        let text = format!("{}{}", self.stdout, self.stderr);
        let from = text.ceil_char_boundary(text.len().saturating_sub(SHOWN_BYTES));
        format!("{}\n{}", self.status, text[from..].trim())
    }
}

/// Runs a program to its end, or kills it at the limit. Its output is kept in `folder`.
pub(crate) fn run(command: &mut Command, folder: &Path, limit: Duration) -> Result<Ended> {
    let mut running = Running::start(command, folder)?;
    let status = running.child.wait_timeout(limit)?;
    let name = &running.name;
    let status = status.with_context(|| format!("{name} has not ended after {limit:?}"))?;
    Ok(running.ended(status))
}

/// Runs a program without a time limit, and returns what it prints.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{name} failed ({}): {errors}",
        output.status
    );
    String::from_utf8(output.stdout).context(name)
}

/// Returns a port that no program uses at the moment.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// Returns an empty folder in `target/xtask`: files of an earlier run must not affect this one.
pub(crate) fn empty_folder(name: &str) -> Result<PathBuf> {
    let folder = root().join("target/xtask").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_sh(script: &str, limit: Duration) -> Result<Ended> {
        let folder = tempfile::tempdir()?;
        run(
            Command::new("sh").args(["-c", script]),
            folder.path(),
            limit,
        )
    }

    #[test]
    fn a_program_is_killed_at_its_limit() {
        let error = run_sh("exec sleep 60", Duration::from_millis(50)).expect_err("too long");
        assert_eq!(error.to_string(), "sh has not ended after 50ms");
    }

    #[test]
    fn the_error_of_a_failed_program_quotes_it() {
        let failed = |script| run_sh(script, Duration::from_secs(60)).and_then(Ended::success);
        let error = failed("echo no port >&2; exit 7").expect_err("a failure");
        assert!(error.to_string().ends_with("7\nno port"), "{error}");
        assert!(failed("exit 0").is_ok_and(|ended| ended.rejected("0").is_err()));
    }
}
