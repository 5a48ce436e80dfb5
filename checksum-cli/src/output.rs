use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anstream::AutoStream;
use serde::Serialize;
use serde_json::json;

use crate::arguments::Format;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::way_back::WayBack;

/// Standard output: data, in the form that was asked for.
pub(crate) struct Output {
    format: Format,
    stdout: AutoStream<io::Stdout>,
    failure: Option<io::Error>,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            stdout: anstream::stdout(),
            failure: None,
        }
    }

    pub(crate) fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// The result of the command: text for people, an object for programs.
    pub(crate) fn result(&mut self, text: &impl Display, object: &impl Serialize) {
        match self.format {
            Format::Human => self.line(text),
            Format::Json | Format::Ndjson => self.object(object),
        }
    }

    /// Something that happens on the way to the result: an object of its own, with the name of
    /// what happened, where each is asked for.
    pub(crate) fn event(&mut self, name: &str, object: &impl Serialize) {
        if self.format == Format::Ndjson {
            self.named(name, object);
        }
    }

    /// The result of a wait: the last event, where each is asked for.
    pub(crate) fn ending(&mut self, name: &str, text: &impl Display, object: &impl Serialize) {
        match self.format {
            Format::Ndjson => self.named(name, object),
            _ => self.result(text, object),
        }
    }

    /// Text that is neither: a script, a manual page.
    pub(crate) fn page(&mut self, text: &impl Display) {
        self.line(text);
    }

    /// Why there is no result: an object for programs, a sentence and what to do for people.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        if !self.is_human() {
            let object = json!({
                "jobName": failure.way_back().and_then(WayBack::job_name),
                "batchId": failure.way_back().and_then(WayBack::batch_id),
                "error": failure.to_string(),
                "exitCode": failure.exit_code() as u8,
            });
            self.ending("error", &"", &object);
        }
        tell(&format!("error: {}", one_line(&failure.to_string())));
        if let Some(hint) = failure.hint() {
            tell(&hint);
        }
    }

    /// Flushes, and gives the exit code: a pass whose data could not be written is none.
    pub(crate) fn close(mut self, code: ExitCode) -> ExitCode {
        if self.failure.is_none() {
            self.failure = self.stdout.flush().err();
        }
        match self.failure {
            // A reader that has seen enough, such as `head`, is no failure.
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                tell(&format!("error: cannot write to standard output: {error}"));
                match code {
                    ExitCode::Pass => ExitCode::PassedButIncomplete,
                    code => code,
                }
            }
            _ => code,
        }
    }

    fn named(&mut self, event: &str, object: &impl Serialize) {
        self.object(&Named { event, object });
    }

    fn object(&mut self, object: &impl Serialize) {
        match serde_json::to_string(object) {
            Ok(text) => self.line(&text),
            Err(error) => self.failure = Some(error.into()),
        }
    }

    fn line(&mut self, text: &impl Display) {
        if self.failure.is_none() {
            let written = writeln!(self.stdout, "{text}").and_then(|()| self.stdout.flush());
            self.failure = written.err();
        }
    }
}

/// An object that says first what happened.
#[derive(Serialize)]
struct Named<'a, T> {
    event: &'a str,
    #[serde(flatten)]
    object: &'a T,
}

/// What the service sends may hold anything. A terminal must not act on it, nor a CI system take a
/// part of it for a line that this command has printed.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A line for people. Where nobody can read it there is nobody to tell.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
