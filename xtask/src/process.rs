//! Programs that end: by themselves, when their time is up, or when nobody wants them any more.

use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use wait_timeout::ChildExt;

/// How much of what a program said is shown when it failed.
const SHOWN_BYTES: usize = 8 * 1024;

/// A program in the background. It ends when this is dropped, on whatever way that comes about.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    /// The file of its standard error; that of its standard output ends in `.out`.
    log: PathBuf,
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Running {
    /// Starts a program that writes to files, since a full pipe would block it.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        let output = log.with_extension("out");
        let output = File::create(&output).with_context(|| output.display().to_string())?;
        command.stdin(Stdio::piped()).stdout(output).stderr(file);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            input: child.stdin.take(),
            child,
            log: log.to_owned(),
        })
    }

    /// Waits for its end, and ends it when the time is up.
    pub(crate) fn wait(mut self, limit: Duration) -> Result<Ended> {
        self.input = None;
        match self.child.wait_timeout(limit)? {
            Some(status) => Ok(Ended {
                status,
                stdout: self.stdout(),
                stderr: read(&self.log),
            }),
            None => bail!(
                "{} has not ended in {} s\n{}",
                self.name,
                limit.as_secs(),
                tail(&self.output())
            ),
        }
    }

    /// Sends a line to its input.
    pub(crate) fn write_line(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("its input is closed")?;
        writeln!(input, "{line}").with_context(|| format!("{} does not listen", self.name))
    }

    /// Waits until `is_ready` gives something, for as long as the program runs and the time lasts.
    pub(crate) fn wait_until<T>(
        &mut self,
        limit: Duration,
        mut is_ready: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T> {
        let started = Instant::now();
        loop {
            if let Some(ready) = is_ready(self) {
                return Ok(ready);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{} has ended ({status})\n{}",
                    self.name,
                    tail(&self.output())
                );
            }
            if started.elapsed() > limit {
                let output = tail(&self.output()).to_owned();
                bail!("{} is not ready in {limit:?}\n{output}", self.name);
            }
            thread::sleep(Duration::from_millis(25));
        }
    }

    /// Returns what it has written to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        read(&self.log.with_extension("out"))
    }

    /// Returns what it has written to both outputs so far.
    pub(crate) fn output(&self) -> String {
        self.stdout() + &read(&self.log)
    }
}

fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Returns the end of both outputs, which is where tools put what went wrong.
    pub(crate) fn tail(&self) -> String {
        tail(&format!("{}{}", self.stdout, self.stderr)).to_owned()
    }
}

/// The end of a text that may be long.
pub(crate) fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(SHOWN_BYTES);
    let from = text.ceil_char_boundary(from);
    text[from..].trim()
}

/// Runs a program to its end.
pub(crate) fn run(name: &str, command: &mut Command, log: &Path, limit: Duration) -> Result<Ended> {
    Running::start(name, command, log)?.wait(limit)
}

/// A port that nobody has at the moment.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// Whether somebody accepts connections there.
pub(crate) fn is_open(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let folder = folder();
        let started = Instant::now();
        let mut sleep = Command::new("sleep");
        let error = run(
            "sleep",
            sleep.arg("60"),
            &folder.path().join("log.txt"),
            Duration::from_millis(50),
        );
        let message = error.expect_err("too long").to_string();
        assert!(message.starts_with("sleep has not ended"), "{message}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn one_that_ends_before_it_is_ready_is_quoted() {
        let folder = folder();
        let mut early = Command::new("sh");
        early.args(["-c", "echo no port >&2; exit 7"]);
        let mut running =
            Running::start("early", &mut early, &folder.path().join("log.txt")).expect("started");
        let error = running.wait_until(Duration::from_secs(30), |_| None::<()>);
        let message = error.expect_err("an end").to_string();
        assert!(message.contains("no port"), "{message}");
    }
}
