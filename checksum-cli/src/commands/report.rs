//! `checksum report`: shows, downloads or opens the HTML report of a run.

use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use checksum_api_ext::{API_KEY_ENV, Url};

use crate::args::Report;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Message;
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::redaction::redact;

/// The programs that open a page in the default browser. None is a shell, which would interpret the
/// URL.
const LAUNCHERS: &[&[&str]] = if cfg!(target_os = "macos") {
    &[&["open"]]
} else if cfg!(windows) {
    &[&["rundll32", "url.dll,FileProtocolHandler"]]
} else {
    &[
        &["xdg-open"],
        &["gio", "open"],
        &["wslview"],
        &["x-www-browser"],
    ]
};

pub(super) async fn execute(
    arguments: Report,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let checksum = client::client(&arguments.connection)?;
    let report = checksum.test_run(arguments.test_run).report().await?;
    let url = report.url();
    let saved = match &arguments.download {
        None => None,
        Some(path) => {
            let reporter = Reporter::new(quiet, output.is_text());
            let download = report.download(path).on_progress(reporter.download());
            Some(download.await?)
        }
    };
    let text = match &saved {
        None => url.to_string(),
        Some(file) => format!("{} ({} bytes)", file.path.display(), file.bytes),
    };
    let message = Message::Report {
        report: &report,
        saved: saved.as_ref(),
    };
    output.result(&text, &message);
    if arguments.open {
        open(url).map_err(CliError::Browser)?;
    }
    Ok(ExitCode::Pass)
}

/// Starts the first browser that exists, and does not wait for it.
fn open(url: &Url) -> io::Result<()> {
    if !["http", "https"].contains(&url.scheme()) {
        return Err(io::Error::other("the URL is not http or https"));
    }
    let mut last_error = io::Error::other("no program that opens a page was found");
    for mut browser in browsers(url.as_str()) {
        browser.stdin(Stdio::null());
        browser.stdout(Stdio::null());
        browser.stderr(Stdio::null());
        for name in secret_variables() {
            browser.env_remove(name);
        }
        match browser.spawn() {
            Ok(_) => return Ok(()),
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

/// Returns the programs of `BROWSER`, then those of the system.
fn browsers(url: &str) -> Vec<Command> {
    let chosen = env::var_os("BROWSER").unwrap_or_default();
    let chosen = env::split_paths(&chosen).filter(|entry| !entry.as_os_str().is_empty());
    let mut browsers: Vec<Command> = chosen.map(|entry| browser(&entry, url)).collect();
    for launcher in LAUNCHERS {
        if let [program, arguments @ ..] = launcher {
            let mut command = Command::new(program);
            command.args(arguments.iter()).arg(url);
            browsers.push(command);
        }
    }
    browsers
}

/// Returns the command of one entry of `BROWSER`: a program with or without arguments, in which `%s`
/// is the URL.
fn browser(entry: &Path, url: &str) -> Command {
    let text = entry.to_string_lossy();
    let mut words = text.split_whitespace();
    let program = match words.next() {
        Some(program) if !entry.is_file() => program,
        _ => {
            let mut command = Command::new(entry);
            command.arg(url);
            return command;
        }
    };
    let mut command = Command::new(program);
    command.args(words.map(|word| word.replace("%s", url)));
    if !text.contains("%s") {
        command.arg(url);
    }
    command
}

/// Returns the names of the environment variables that contain the API key.
fn secret_variables() -> impl Iterator<Item = std::ffi::OsString> {
    env::vars_os().filter_map(|(name, value)| {
        let value = value.to_string_lossy();
        (name == API_KEY_ENV || redact(&value) != value).then_some(name)
    })
}
