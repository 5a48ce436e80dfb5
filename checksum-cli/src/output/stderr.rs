use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use checksum_api_ext::{DownloadProgress, Handle, PollFailure};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::output::resume_hint::resume_hint;
use crate::output::text::{coloured_lines, lines, one_line};

/// Writes text to standard error. Ignores write errors: there is no other place to report them.
pub(crate) fn eprint_line(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", lines(line));
}

/// Writes text that may have colours to standard error.
pub(crate) fn eprint_coloured(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", coloured_lines(text));
}

/// What people see of a wait, on standard error: on a terminal a line that is kept up to date,
/// elsewhere a line for each change.
pub(crate) struct Reporter {
    mode: Mode,
    since: Instant,
    state: String,
}

enum Mode {
    Quiet,
    Lines,
    Live(ProgressBar),
}

impl Reporter {
    /// Lines of data on the same terminal would tear a live line apart, so it is for people alone.
    pub(crate) fn new(is_quiet: bool, is_human: bool) -> Self {
        let mode = if is_quiet {
            Mode::Quiet
        } else if is_human && io::stderr().is_terminal() && can_be_redrawn(variable) {
            Mode::Live(ProgressBar::new_spinner().with_style(style()))
        } else {
            Mode::Lines
        };
        Self {
            mode,
            since: Instant::now(),
            state: "started".to_owned(),
        }
    }

    /// The name is said whatever was asked for: it is the only way back.
    pub(crate) fn started(&self, handle: &Handle) {
        let id = handle.id();
        match self.mode {
            Mode::Quiet => eprint_line(&one_line(&format!("started {id}"))),
            _ => eprint_line(&one_line(&format!("started {id}; {}", resume_hint(handle)))),
        }
    }

    /// Shows the state that the work is in now.
    pub(crate) fn state(&mut self, state: String) {
        self.state = one_line(&state);
        match &self.mode {
            Mode::Quiet => {}
            Mode::Lines => eprint_line(&self.state),
            Mode::Live(bar) => show(bar, self.state.clone()),
        }
    }

    /// Shows how far a file has come, where somebody is watching.
    pub(crate) fn transfer(&self) -> impl Fn(DownloadProgress<'_>) + Send + Sync + 'static {
        let bar = match &self.mode {
            Mode::Live(bar) => Some(bar.clone()),
            Mode::Quiet | Mode::Lines => None,
        };
        move |progress| {
            let Some(bar) = &bar else { return };
            let (name, bytes) = (progress.name, HumanBytes(progress.bytes));
            show(
                bar,
                match progress.total {
                    None => format!("{name}: {bytes}"),
                    Some(total) => format!("{name}: {bytes} of {}", HumanBytes(total)),
                },
            );
        }
    }

    pub(crate) fn trouble(&self, trouble: &PollFailure) {
        self.note(&one_line(&format!("trouble: {trouble}")));
    }

    pub(crate) fn recovered(&self, after: Duration) {
        self.note(&format!(
            "the service answers again after {} s",
            after.as_secs()
        ));
    }

    /// Says that the wait goes on, where nothing else would.
    pub(crate) fn heartbeat(&self) {
        if let Mode::Lines = self.mode {
            let waited = Duration::from_secs(self.since.elapsed().as_secs());
            let waited = humantime::format_duration(waited);
            eprint_line(&format!("still {} after {waited}", self.state));
        }
    }

    /// Makes room for the result.
    pub(crate) fn finish(&self) {
        if let Mode::Live(bar) = &self.mode {
            bar.finish_and_clear();
        }
    }

    /// Something that went wrong, which is said whatever was asked for.
    pub(crate) fn warning(&self, line: &str) {
        match self.mode {
            Mode::Quiet => eprint_line(line),
            _ => self.note(line),
        }
    }

    /// A sentence beside the state.
    pub(crate) fn note(&self, line: &str) {
        match &self.mode {
            Mode::Quiet => {}
            Mode::Lines => eprint_line(line),
            Mode::Live(bar) => bar.suspend(|| eprint_line(line)),
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

/// Whether somebody watches the terminal, and it can draw a line anew. A CI system keeps each state
/// of such a line, and a dumb terminal shows none.
fn can_be_redrawn(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_ci = variable("CI").is_some_and(|ci| !["", "0", "false"].contains(&ci.as_str()));
    let is_dumb = match variable("TERM") {
        Some(terminal) => terminal.is_empty() || terminal == "dumb",
        // Windows does not set it.
        None => cfg!(unix),
    };
    !is_ci && !is_dumb
}

fn show(bar: &ProgressBar, message: String) {
    bar.enable_steady_tick(Duration::from_millis(120));
    bar.set_message(one_line(&message));
}

fn style() -> ProgressStyle {
    // The template is a constant of this program; should it be wrong, the default will do.
    ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_redrawn_where_it_can_be_and_somebody_watches() {
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
            assert_eq!(
                can_be_redrawn(variable),
                is_redrawn,
                "CI={ci:?} TERM={term:?}"
            );
        }
    }
}
