//! Standard error: what people read while the command works.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use checksum_api_ext::{DownloadProgress, Handle, PollFailure};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::output::resume_hint::resume_hint;
use crate::output::text::{coloured_lines, lines, one_line};

/// Writes text to standard error. Ignores write errors, which cannot be reported anywhere.
pub(crate) fn eprint_line(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", lines(text));
}

/// Writes a command of the CI system to standard error. Its values must be escaped and must have no
/// secret.
pub(crate) fn eprint_command(command: &str) {
    let _ = writeln!(anstream::stderr(), "{command}");
}

/// Writes text that contains colours to standard error.
pub(crate) fn eprint_coloured(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", coloured_lines(text));
}

/// Reports the progress of a wait or a download: on a terminal with a line that is redrawn,
/// elsewhere with a line for each change.
pub(crate) struct Reporter {
    mode: Mode,
    since: Instant,
    state: String,
}

enum Mode {
    Quiet,
    Lines,
    Redrawn(ProgressBar),
}

impl Reporter {
    /// Redraws a line only if the output is text: lines of data on the same terminal would break it.
    pub(crate) fn new(is_quiet: bool, is_text: bool) -> Self {
        let mode = if is_quiet {
            Mode::Quiet
        } else if is_text && io::stderr().is_terminal() && can_redraw(variable) {
            Mode::Redrawn(ProgressBar::new_spinner().with_style(style()))
        } else {
            Mode::Lines
        };
        Self {
            mode,
            since: Instant::now(),
            state: "started".to_owned(),
        }
    }

    /// Printed even with `--quiet`, because the name is needed to resume.
    pub(crate) fn started(&self, handle: &Handle) {
        let id = handle.id();
        eprint_line(&one_line(&match self.mode {
            Mode::Quiet => format!("started {id}"),
            _ => format!("started {id}; {}", resume_hint(handle)),
        }));
    }

    /// Shows the current state of the work.
    pub(crate) fn state(&mut self, state: &str) {
        self.state = one_line(state);
        match &self.mode {
            Mode::Quiet => {}
            Mode::Lines => eprint_line(&self.state),
            Mode::Redrawn(bar) => redraw(bar, &self.state),
        }
    }

    /// Returns a callback that shows the progress of a download on a terminal.
    pub(crate) fn download(&self) -> impl Fn(DownloadProgress<'_>) + Send + Sync + 'static {
        let bar = match &self.mode {
            Mode::Redrawn(bar) => Some(bar.clone()),
            Mode::Quiet | Mode::Lines => None,
        };
        move |progress| {
            let Some(bar) = &bar else { return };
            let (name, bytes) = (progress.name, HumanBytes(progress.bytes));
            let text = match progress.total {
                None => format!("{name}: {bytes}"),
                Some(total) => format!("{name}: {bytes} of {}", HumanBytes(total)),
            };
            redraw(bar, &text);
        }
    }

    pub(crate) fn poll_failed(&self, failure: &PollFailure) {
        let seconds = failure.next_poll_in.as_secs_f64().round();
        self.note(&one_line(&format!(
            "poll failed: {failure}; next poll in {seconds} s"
        )));
    }

    pub(crate) fn poll_recovered(&self, after: Duration) {
        self.note(&format!("polling recovered after {} s", after.as_secs()));
    }

    /// Shows that the wait goes on.
    pub(crate) fn heartbeat(&self) {
        if let Mode::Lines = self.mode {
            let waited = Duration::from_secs(self.since.elapsed().as_secs());
            let waited = humantime::format_duration(waited);
            eprint_line(&format!("still {} after {waited}", self.state));
        }
    }

    /// Removes the redrawn line.
    pub(crate) fn finish(&self) {
        if let Mode::Redrawn(bar) = &self.mode {
            bar.finish_and_clear();
        }
    }

    /// Prints a line even with `--quiet`.
    pub(crate) fn warning(&self, line: &str) {
        match self.mode {
            Mode::Quiet => eprint_line(line),
            _ => self.note(line),
        }
    }

    /// Prints a line unless `--quiet` is given.
    pub(crate) fn note(&self, line: &str) {
        match &self.mode {
            Mode::Quiet => {}
            Mode::Lines => eprint_line(line),
            Mode::Redrawn(bar) => bar.suspend(|| eprint_line(line)),
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.finish();
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Returns whether a line can be redrawn. The log of a CI system would keep each version of it, and a
/// dumb terminal shows none.
fn can_redraw(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_ci = variable("CI").is_some_and(|ci| !["", "0", "false"].contains(&ci.as_str()));
    let is_dumb = match variable("TERM") {
        Some(terminal) => terminal.is_empty() || terminal == "dumb",
        // Windows does not set it.
        None => cfg!(unix),
    };
    !is_ci && !is_dumb
}

fn redraw(bar: &ProgressBar, message: &str) {
    bar.enable_steady_tick(Duration::from_millis(120));
    bar.set_message(one_line(message));
}

fn style() -> ProgressStyle {
    // Without the template, the default style is used.
    ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_not_redrawn_in_ci_or_on_a_dumb_terminal() {
        for (ci, term, is_redrawn) in [
            (None, Some("xterm-256color"), true),
            (Some(""), Some("xterm"), true),
            (Some("false"), Some("xterm"), true),
            (Some("true"), Some("xterm"), false),
            (Some("1"), Some("xterm"), false),
            (None, Some("dumb"), false),
            (None, Some(""), false),
            (None, None, cfg!(windows)),
        ] {
            let variable = |name: &str| match name {
                "CI" => ci.map(str::to_owned),
                "TERM" => term.map(str::to_owned),
                _ => None,
            };
            assert_eq!(can_redraw(variable), is_redrawn, "CI={ci:?} TERM={term:?}");
        }
    }
}
