//! Builds the client from the arguments.

use std::fs::File;
use std::io::{self, Read};

use checksum_api_ext::{ApiKey, Checksum, ChecksumBuilder, PollPolicy, RetryPolicy, Transport};

use crate::args::Connection;
use crate::error::CliError;
use crate::redaction;

/// Longer than any key: a longer file was given by mistake.
const MAX_KEY_BYTES: u64 = 16 * 1024;

/// Returns a client for reading, without options for waiting.
pub(crate) fn client(connection: &Connection) -> Result<Checksum, CliError> {
    waiting_client(connection, PollPolicy::default(), false)
}

/// Returns a client that waits by this policy. The API key is read from the file or standard input
/// if an argument says so, otherwise from the environment.
pub(crate) fn waiting_client(
    connection: &Connection,
    poll: PollPolicy,
    allow_no_tests: bool,
) -> Result<Checksum, CliError> {
    let mut builder = builder(connection)?.poll_policy(poll);
    if allow_no_tests {
        builder = builder.allow_no_tests();
    }
    let builder = match key(connection)? {
        Some(key) => builder.api_key(key),
        None => builder.api_key_from_env()?,
    };
    Ok(builder.build()?)
}

/// Returns a client for `--dry-run`, which needs no API key and sends nothing.
pub(crate) fn dry_run_client(
    connection: &Connection,
    transport: impl Transport,
) -> Result<Checksum, CliError> {
    let key = ApiKey::new("none").map_err(|error| CliError::Key {
        source_name: "--dry-run".to_owned(),
        error,
    })?;
    let builder = builder(connection)?.api_key(key).transport(transport);
    Ok(builder.retry_policy(RetryPolicy::none()).build()?)
}

fn builder(connection: &Connection) -> Result<ChecksumBuilder, CliError> {
    let builder = Checksum::builder();
    Ok(match &connection.base_url {
        Some(base_url) => builder.base_url(base_url.parse()?),
        None => builder.base_url_from_env()?,
    })
}

fn key(connection: &Connection) -> Result<Option<ApiKey>, CliError> {
    let (source_name, text) = if let Some(path) = &connection.api_key_file {
        (
            format!("--api-key-file {}", path.display()),
            File::open(path).and_then(read),
        )
    } else if connection.api_key_stdin {
        ("--api-key-stdin".to_owned(), read(io::stdin().lock()))
    } else {
        return Ok(None);
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => return Err(CliError::ReadKey { source_name, error }),
    };
    redaction::add_key(text.trim());
    match ApiKey::new(text) {
        Ok(key) => Ok(Some(key)),
        Err(error) => Err(CliError::Key { source_name, error }),
    }
}

fn read(source: impl Read) -> io::Result<String> {
    let mut text = String::new();
    source.take(MAX_KEY_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_KEY_BYTES {
        return Err(io::Error::other("it is too large to be a key"));
    }
    Ok(text)
}
