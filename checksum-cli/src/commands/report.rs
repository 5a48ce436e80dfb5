use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use checksum_api_ext::{API_KEY_ENV, PollPolicy, Url};

use crate::arguments::Report;
use crate::credentials;
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::Message;
use crate::output::Output;
use crate::redaction::redact;

/// What opens a page with the browser of the person's choice. None of them is a shell, which would
/// read an address in its own way.
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
) -> Result<ExitCode, Failure> {
    let checksum = credentials::client(&arguments.connection, PollPolicy::default())?;
    let report = checksum.test_run(arguments.test_run).report().await?;
    let url = report.url();
    let saved = match &arguments.download {
        None => None,
        Some(path) => {
            let display = Display::new(quiet, output.is_human());
            let download = report.download(path).on_progress(display.transfer());
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
        open(url).map_err(Failure::Browser)?;
    }
    Ok(ExitCode::Pass)
}

/// Starts the first browser that can be started, and does not wait for it.
fn open(url: &Url) -> io::Result<()> {
    if !["http", "https"].contains(&url.scheme()) {
        return Err(io::Error::other("the address is not one of the web"));
    }
    let mut last_error = io::Error::other("no program is known that opens a page");
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

/// The programs of `BROWSER`, then those of the system.
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

/// A program of `BROWSER`, with arguments or without; `%s` in them is the address.
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

/// The variables of this process that hold the API key, under whatever name.
fn secret_variables() -> impl Iterator<Item = std::ffi::OsString> {
    env::vars_os().filter_map(|(name, value)| {
        let value = value.to_string_lossy();
        (name == API_KEY_ENV || redact(&value) != value).then_some(name)
    })
}
