//! Standard output: data, in the requested form.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anstream::AutoStream;
use checksum_api_ext::Started;

use crate::args::Format;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{Line, Message, handle_url, to_json};
use crate::output::colour::Coloured;
use crate::output::stderr::eprint_line;
use crate::output::text::{lines, one_line};

/// Writes the data of the command.
pub(crate) struct Output {
    format: Format,
    stdout: AutoStream<io::Stdout>,
    key: Option<String>,
    failure: Option<io::Error>,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            stdout: anstream::stdout(),
            key: None,
            failure: None,
        }
    }

    pub(crate) fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// Writes the result of the command: text for people, an object for programs.
    pub(crate) fn result(&mut self, text: &impl Display, message: &Message<'_>) {
        match self.format {
            Format::Text => self.text(text),
            Format::Json | Format::Ndjson => self.message(message),
        }
    }

    /// Writes the result of the command: coloured text for people, an object for programs.
    pub(crate) fn coloured_result(&mut self, text: &Coloured, message: &Message<'_>) {
        match self.format {
            Format::Text => self.page(text),
            Format::Json | Format::Ndjson => self.message(message),
        }
    }

    /// Sets which of several works the next events are about.
    pub(crate) fn set_key(&mut self, key: Option<String>) {
        self.key = key;
    }

    /// Writes the result of the command for programs. People have read it already.
    pub(crate) fn data(&mut self, message: &Message<'_>) {
        if !self.is_text() {
            self.message(message);
        }
    }

    /// Writes an event before the result, with `--output ndjson`.
    pub(crate) fn event(&mut self, message: &Message<'_>) {
        if self.format == Format::Ndjson {
            self.message(message);
        }
    }

    /// Writes text for people, whatever the form.
    pub(crate) fn text(&mut self, text: &impl Display) {
        self.page(&lines(&text.to_string()));
    }

    /// Writes text of this program unchanged: a script, a manual page, a schema.
    pub(crate) fn page(&mut self, text: &impl Display) {
        if self.failure.is_none() {
            let written = writeln!(self.stdout, "{text}").and_then(|()| self.stdout.flush());
            self.failure = written.err();
        }
    }

    /// Reports why there is no result: as an object for programs, or as a sentence and a hint for
    /// people. `id` is the one that the arguments name.
    pub(crate) fn error(&mut self, error: &CliError, id: Option<&str>, exit_code: ExitCode) {
        let text = error.to_string();
        if !self.is_text() {
            self.message(&error_message(error, &text, exit_code));
        }
        eprint_line(&format!("error: {}", one_line(&text)));
        if let Some(hint) = error.hint(id) {
            eprint_line(&one_line(&hint));
        }
    }

    /// Writes that one of several works has no result, with `--output ndjson`.
    pub(crate) fn error_event(&mut self, error: &CliError) {
        self.event(&error_message(error, &error.to_string(), error.into()));
    }

    /// Flushes, and returns the exit code: it is not a pass if the data could not be written.
    pub(crate) fn close(mut self, code: ExitCode) -> ExitCode {
        if self.failure.is_none() {
            self.failure = self.stdout.flush().err();
        }
        match self.failure {
            // A reader that stops early, such as `head`, is not an error.
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                eprint_line(&format!("error: cannot write to standard output: {error}"));
                code.with_errors()
            }
            _ => code,
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        match to_json(&Line::new(self.key.as_deref(), message)) {
            Ok(line) => self.page(&line),
            Err(error) => self.failure = Some(error.into()),
        }
    }
}

fn error_message<'a>(error: &'a CliError, text: &'a str, exit_code: ExitCode) -> Message<'a> {
    Message::Error {
        error: text,
        handle: error.handle(),
        test_run_url: error.handle().and_then(handle_url),
        started: error.started().map(|started| match started {
            Started::No => "no",
            Started::Maybe => "maybe",
            Started::Yes => "yes",
        }),
        exit_code: exit_code as u8,
    }
}
