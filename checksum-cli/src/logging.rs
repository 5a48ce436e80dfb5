//! The log on standard error.

use std::env;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::CliError;
use crate::output::live_line;
use crate::output::text::{coloured_lines, lines};

/// Overrides `--verbose` by a list of levels, each of everything or of one target, such as
/// `info,checksum_api=debug`. Directives of spans and fields are left out: they would bring a tenth of
/// the command's size for regular expressions.
const VARIABLE: &str = "CHECKSUM_LOG";

/// Writes what the crates log to standard error: only errors, and more with each `-v`.
pub(crate) fn start(verbose: u8) -> Result<(), CliError> {
    let by_flag = match verbose {
        // The command itself reports errors of TLS.
        0 => "error,rustls=off,rustls_platform_verifier=off",
        1 => "info",
        2 => "checksum_api=debug,checksum_api_ext=debug,checksum=debug,info",
        _ => "trace",
    };
    let directives = env::var(VARIABLE).unwrap_or_else(|_| by_flag.to_owned());
    let filter: Targets = directives
        .parse()
        .map_err(|error: ParseError| CliError::Logging(error.to_string()))?;
    let is_coloured = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || Log { is_coloured })
        .with_ansi(is_coloured)
        .finish()
        .with(filter)
        .init();
    Ok(())
}

/// Standard error, with secrets redacted, and without what a terminal or a CI system would act on.
struct Log {
    is_coloured: bool,
}

impl Write for Log {
    /// Receives one whole event, since tracing-subscriber writes each with one call.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let cleaned = match self.is_coloured {
            true => coloured_lines(&text),
            false => lines(&text),
        };
        live_line::above(|| io::stderr().write_all(cleaned.as_bytes()))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
