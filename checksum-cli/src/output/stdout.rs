use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anstream::AutoStream;
use checksum_api_ext::Started;

use crate::args::Format;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::to_json;
use crate::json::{Line, Message};
use crate::output::stderr::eprint_line;
use crate::output::text::lines;

use crate::output::text::one_line;

/// Standard output: data, in the form that was asked for.
///
/// Whatever this command prints passes through this module, with the progress line of
/// [`Display`](crate::output::stderr::Reporter) and the log beside it. So nothing secret is printed, and
/// nothing that a terminal or a CI system would act on.
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
    pub(crate) fn result(&mut self, text: &impl Display, message: &Message<'_>) {
        match self.format {
            Format::Human => self.text(text),
            Format::Json | Format::Ndjson => self.message(message),
        }
    }

    /// Something that happens on the way to the result, where each is asked for.
    pub(crate) fn event(&mut self, message: &Message<'_>) {
        if self.format == Format::Ndjson {
            self.message(message);
        }
    }

    /// Text for people, whatever the form.
    pub(crate) fn text(&mut self, text: &impl Display) {
        self.page(&lines(&text.to_string()));
    }

    /// What this program is made of, as it is: a script, a manual page, a schema.
    pub(crate) fn page(&mut self, text: &impl Display) {
        if self.failure.is_none() {
            let written = writeln!(self.stdout, "{text}").and_then(|()| self.stdout.flush());
            self.failure = written.err();
        }
    }

    /// Why there is no result: an object for programs, a sentence and what to do for people.
    pub(crate) fn failure(&mut self, failure: &CliError) {
        let error = failure.to_string();
        if !self.is_human() {
            self.message(&Message::Error {
                error: &error,
                handle: failure.handle(),
                started: failure.started().map(|started| match started {
                    Started::No => "no",
                    Started::Maybe => "maybe",
                    Started::Yes => "yes",
                }),
                exit_code: failure.exit_code() as u8,
            });
        }
        eprint_line(&format!("error: {}", one_line(&error)));
        if let Some(hint) = failure.hint() {
            eprint_line(&one_line(&hint));
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
                eprint_line(&format!("error: cannot write to standard output: {error}"));
                match code {
                    ExitCode::Pass => ExitCode::PassedWithErrors,
                    code => code,
                }
            }
            _ => code,
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        match to_json(&Line::new(message)) {
            Ok(line) => self.page(&line),
            Err(error) => self.failure = Some(error.into()),
        }
    }
}
