//! Standard error: what people read while the command works.

use std::cell::Cell;
use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use checksum_api_ext::{DownloadProgress, Handle, PollFailure};

use crate::output::colour::Coloured;
use crate::output::live_line;
use crate::output::resume_hint::resume_hint;
use crate::output::text::{coloured_lines, one_line};

/// How often the live line is repainted, and how often [`Reporter::tick`] is to be called.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// The maximum time without a line in a log. Some CI systems end a job that prints nothing.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Writes text to standard error. Ignores write errors, which cannot be reported anywhere.
pub(crate) fn eprint_line(text: &str) {
    eprint(&Coloured::label(text));
}

/// Writes a command of the CI system to standard error. Its values must be escaped and must have no
/// secret.
pub(crate) fn eprint_command(command: &str) {
    let _ = writeln!(anstream::stderr(), "{command}");
}

/// Writes text that contains colours to standard error.
pub(crate) fn eprint_coloured(text: &str) {
    eprint(&coloured_lines(text));
}

fn eprint(safe: &impl Display) {
    live_line::above(|| {
        let _ = writeln!(anstream::stderr(), "{safe}");
    });
}

/// Reports the progress of a wait or a download. On a terminal each state stays as a line with the
/// time that it took, above a live line with the current one; elsewhere there is a line for each
/// change.
pub(crate) struct Reporter {
    mode: Mode,
    began: Instant,
    state: Option<State>,
    /// The work that states and notes are about, if the command waits for several.
    subject: Option<String>,
    /// When a line was printed last.
    printed: Cell<Instant>,
}

enum Mode {
    Quiet,
    Lines,
    Live,
}

struct State {
    /// Safe to print, like the detail.
    name: String,
    detail: String,
    since: Instant,
}

impl Reporter {
    /// Shows a live line only if the output is text: lines of data on the same terminal would break
    /// it.
    pub(crate) fn new(is_quiet: bool, is_text: bool) -> Self {
        let mode = if is_quiet {
            Mode::Quiet
        } else if is_text && io::stderr().is_terminal() && can_redraw(variable) {
            Mode::Live
        } else {
            Mode::Lines
        };
        let now = Instant::now();
        Self {
            mode,
            began: now,
            state: None,
            subject: None,
            printed: Cell::new(now),
        }
    }

    /// Sets which of several works the next states and notes are about.
    pub(crate) fn set_subject(&mut self, id: Option<&str>) {
        self.subject = id.map(one_line);
    }

    /// Printed even with `--quiet`, because the name is needed to resume.
    pub(crate) fn started(&self, handle: &Handle) {
        let id = handle.id();
        eprint_line(&one_line(&match self.mode {
            Mode::Quiet => format!("started {id}"),
            _ => format!("started {id}; {}", resume_hint(handle)),
        }));
    }

    /// Shows the current state of the work, and what else is known of it.
    pub(crate) fn state(&mut self, name: &str, detail: &str) {
        let (name, detail) = (one_line(name), one_line(detail));
        if let Mode::Lines = self.mode {
            self.print(&Coloured::word(&self.about(&text(&name, &detail)), &name));
        }
        if self.subject.is_some() {
            return;
        }
        let since = match &self.state {
            None => self.began,
            Some(state) if state.name == name => state.since,
            Some(state) => {
                self.leave(state, None);
                Instant::now()
            }
        };
        self.state = Some(State {
            name,
            detail,
            since,
        });
        self.tick();
    }

    /// Shows how far several works are, in place of a state.
    pub(crate) fn progress(&mut self, name: &str) {
        self.state = Some(State {
            name: one_line(name),
            detail: String::new(),
            since: self.began,
        });
        self.tick();
    }

    /// Shows that one of several works has ended, on a terminal. Elsewhere its last state is that.
    pub(crate) fn ended(&self, result: &str, detail: &str) {
        if let Mode::Live = self.mode {
            let result = one_line(result);
            let line = self.about(&text(&result, &one_line(detail)));
            let times = times(self.began.elapsed(), None, true);
            self.print(&Coloured::word(&format!("{line}{times}"), &result));
        }
    }

    /// Shows that the wait goes on.
    pub(crate) fn tick(&self) {
        let Some(state) = &self.state else { return };
        match self.mode {
            Mode::Live => {
                let times = times(state.since.elapsed(), Some(self.began.elapsed()), false);
                live_line::show(&text(&state.name, &state.detail), &times);
            }
            Mode::Lines if self.printed.get().elapsed() >= HEARTBEAT => {
                let waited = seconds(self.began.elapsed());
                self.print(&format!("still {} after {waited}", state.name));
            }
            Mode::Lines | Mode::Quiet => {}
        }
    }

    /// Returns a callback that shows the progress of a download on a terminal.
    pub(crate) fn download(&self) -> impl Fn(DownloadProgress<'_>) + Send + Sync + 'static {
        let shown = match self.mode {
            Mode::Live => Some(Mutex::new(None::<Instant>)),
            Mode::Quiet | Mode::Lines => None,
        };
        move |progress| {
            let Some(shown) = &shown else { return };
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            // Whichever file it is: the parts of many files alternate.
            if shown.is_some_and(|at| at.elapsed() < TICK) {
                return;
            }
            *shown = Some(Instant::now());
            let megabytes = |bytes| format!("{:.1}", bytes as f64 / 1e6);
            let bytes = match progress.total {
                None => megabytes(progress.bytes),
                Some(total) => format!("{} of {}", megabytes(progress.bytes), megabytes(total)),
            };
            live_line::show(&one_line(progress.name), &format!(": {bytes} MB"));
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

    /// Removes the live line. The current state stays as a line, with the total time.
    pub(crate) fn finish(&mut self) {
        if let Mode::Live = self.mode {
            live_line::clear();
        }
        if let Some(state) = self.state.take() {
            self.leave(&state, Some(self.began.elapsed()));
        }
    }

    /// Prints a line even with `--quiet`.
    pub(crate) fn warning(&self, line: &str) {
        self.print(&Coloured::label(&self.about(line)));
    }

    /// Prints a line unless `--quiet` is given.
    pub(crate) fn note(&self, line: &str) {
        match self.mode {
            Mode::Quiet => {}
            Mode::Lines | Mode::Live => self.warning(line),
        }
    }

    /// Prints how long the work was in this state, on a terminal. Elsewhere the log has the times.
    fn leave(&self, state: &State, total: Option<Duration>) {
        if let Mode::Live = self.mode {
            let times = times(state.since.elapsed(), total, true);
            let text = text(&state.name, &state.detail);
            self.print(&Coloured::word(&format!("{text}{times}"), &state.name));
        }
    }

    fn print(&self, text: &impl Display) {
        eprint(text);
        self.printed.set(Instant::now());
    }

    fn about(&self, line: &str) -> String {
        match &self.subject {
            None => line.to_owned(),
            Some(subject) => format!("{subject}: {line}"),
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.finish();
    }
}

fn text(name: &str, detail: &str) -> String {
    match detail {
        "" => name.to_owned(),
        detail => format!("{name}: {detail}"),
    }
}

/// Returns the time in the current state and, if it differs or this is the end, the total.
fn times(in_state: Duration, total: Option<Duration>, is_end: bool) -> String {
    let in_state = seconds(in_state);
    match total.map(seconds) {
        None => format!(" ({in_state})"),
        Some(total) if is_end && in_state == total => format!(" (total {total})"),
        Some(total) if in_state == total => format!(" ({total})"),
        Some(total) if is_end && in_state == "0s" => format!(" (total {total})"),
        Some(total) => format!(" ({in_state}; total {total})"),
    }
}

fn seconds(duration: Duration) -> String {
    humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string()
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

    #[test]
    fn a_state_is_shown_with_its_time_and_the_end_with_the_total() {
        for (in_state, total, is_end, shown) in [
            (12, None, true, " (12s)"),
            (12, Some(12), false, " (12s)"),
            (125, Some(137), false, " (2m 5s; total 2m 17s)"),
            (0, Some(137), true, " (total 2m 17s)"),
            (12, Some(12), true, " (total 12s)"),
            (125, Some(137), true, " (2m 5s; total 2m 17s)"),
        ] {
            let total = total.map(Duration::from_secs);
            assert_eq!(times(Duration::from_secs(in_state), total, is_end), shown);
        }
    }
}
