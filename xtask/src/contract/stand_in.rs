//! The stand-in and the driver of the client, as programs of their own: this one has to compile
//! where the document does not.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::root;
use crate::tool::{Running, output};

/// The key that the stand-in knows.
pub(super) const KEY: &str = "contract-key";

const READY: Duration = Duration::from_secs(60);

/// A server that lives as long as this does.
pub(super) struct Server {
    _process: Running,
    /// Its address, with the path of the API.
    pub(super) url: String,
}

impl Server {
    pub(super) fn new(process: Running, url: String) -> Self {
        Self {
            _process: process,
            url,
        }
    }
}

/// Starts the stand-in on a free port.
pub(super) fn start() -> Result<Server> {
    build("checksum-mock", "serve")?;
    let mut command = Command::new(root().join("target/debug/examples/serve"));
    // It serves until its input ends, so that it goes even where this process is killed.
    command.arg(KEY).stdin(Stdio::piped());
    let (process, url) = until(&mut command, |line| {
        line.starts_with("http").then(|| line.to_owned())
    })?;
    Ok(Server::new(process, url))
}

/// Starts a server, and waits for the line of its output that says it is ready.
pub(super) fn until(
    command: &mut Command,
    ready: impl Fn(&str) -> Option<String> + Send + 'static,
) -> Result<(Running, String)> {
    let name = command.get_program().display().to_string();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut process = Running(child.with_context(|| format!("cannot run {name}"))?);
    let (found, waiting) = mpsc::channel();
    let lines = lines(&mut process.0)?;
    std::thread::spawn(move || {
        // Read to the end: a pipe that nobody reads would hold the server up.
        for line in lines.map_while(std::io::Result::ok) {
            if let Some(url) = ready(&line) {
                // Nobody waits for a second one.
                let _ = found.send(url);
            }
        }
    });
    match waiting.recv_timeout(READY) {
        Ok(url) => Ok((process, url)),
        Err(_) => bail!("{name} did not say that it is ready"),
    }
}

fn lines(child: &mut Child) -> Result<impl Iterator<Item = std::io::Result<String>> + use<>> {
    let stdout = child.stdout.take().context("it has no output")?;
    Ok(BufReader::new(stdout).lines())
}

/// Has the client call operations of the service at that address, and gives its last word.
pub(super) fn drive(arguments: &[&str]) -> Result<String> {
    build("checksum-tests", "drive")?;
    let mut drive = Command::new(root().join("target/debug/examples/drive"));
    let output = output(drive.args(arguments), Duration::from_secs(120))?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "the client (drive {}) failed: {}{text}",
        arguments[0],
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(text.lines().last().unwrap_or_default().to_owned())
}

fn build(package: &str, example: &str) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", package])
        .args(["--example", example])
        .current_dir(root())
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "{package} does not compile");
    Ok(())
}
