use std::fs::File;
use std::io::{self, Read};

use checksum_api_ext::{ApiKey, Checksum, ChecksumBuilder, PollPolicy, RetryPolicy, Transport};

use crate::arguments::Connection;
use crate::failure::Failure;
use crate::redaction;

/// No key is as long as this; a file that is was given by mistake.
const MAX_KEY_BYTES: u64 = 16 * 1024;

/// The client for these arguments: the key from a file or from standard input where one of them is
/// asked for, else from the environment.
pub(crate) fn client(connection: &Connection, poll: PollPolicy) -> Result<Checksum, Failure> {
    Ok(builder(connection, poll)?.build()?)
}

/// The same, to be given more settings.
pub(crate) fn builder(
    connection: &Connection,
    poll: PollPolicy,
) -> Result<ChecksumBuilder, Failure> {
    let builder = unkeyed(connection)?.poll_policy(poll);
    Ok(match key(connection)? {
        Some(key) => builder.api_key(key),
        None => builder.api_key_from_env()?,
    })
}

/// The same without a key of anybody's: for requests that are not sent.
pub(crate) fn keyless(
    connection: &Connection,
    transport: impl Transport,
) -> Result<Checksum, Failure> {
    let key = ApiKey::new("none").map_err(|error| Failure::Key {
        from: "a dry run".to_owned(),
        error,
    })?;
    let builder = unkeyed(connection)?.api_key(key).transport(transport);
    Ok(builder.retry_policy(RetryPolicy::none()).build()?)
}

fn unkeyed(connection: &Connection) -> Result<ChecksumBuilder, Failure> {
    let builder = Checksum::builder();
    Ok(match &connection.base_url {
        Some(base_url) => builder.base_url(base_url.parse().map_err(Failure::BaseUrl)?),
        None => builder.base_url_from_env()?,
    })
}

fn key(connection: &Connection) -> Result<Option<ApiKey>, Failure> {
    let (from, text) = if let Some(path) = &connection.api_key_file {
        let opened = File::open(path).and_then(read);
        let failed = |error| Failure::KeyFile {
            path: path.clone(),
            error,
        };
        (path.display().to_string(), opened.map_err(failed)?)
    } else if connection.api_key_stdin {
        let text = read(io::stdin().lock()).map_err(Failure::KeyInput)?;
        ("standard input".to_owned(), text)
    } else {
        return Ok(None);
    };
    redaction::add_key(text.trim());
    let key = ApiKey::new(text).map_err(|error| Failure::Key { from, error })?;
    Ok(Some(key))
}

fn read(source: impl Read) -> io::Result<String> {
    let mut text = String::new();
    source.take(MAX_KEY_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_KEY_BYTES {
        return Err(io::Error::other("it is too large to be a key"));
    }
    Ok(text)
}
