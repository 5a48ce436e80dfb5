//! Prepares response bodies for the JSON decoder: unpacks gzip, removes a byte order mark.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

use crate::decode::BYTE_ORDER_MARK;

/// Why a body could not be unpacked.
#[derive(Debug)]
pub(crate) enum NotPlain {
    /// The unpacked body is larger than the limit.
    TooLarge,
    /// The body is not valid gzip, or is truncated.
    Broken(io::Error),
}

/// Returns the body, unpacked if it is gzip, without a byte order mark, and of `limit` bytes at
/// most. No compression is requested, but some proxies compress anyway. The headers of the
/// compression are removed.
///
/// With `may_be_cut`, for an error response, a body that is too large or broken is truncated and
/// not an error.
pub(crate) fn plain(
    headers: &mut HeaderMap,
    body: Bytes,
    limit: usize,
    may_be_cut: bool,
) -> Result<Bytes, NotPlain> {
    let encoding = headers
        .get(CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok());
    let is_gzip = encoding.is_some_and(|encoding| {
        let encoding = encoding.trim();
        encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip")
    });
    let body = match is_gzip && !body.is_empty() {
        false => body,
        true => {
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
            unpacked(&body, limit, may_be_cut)?
        }
    };
    Ok(match body.strip_prefix(BYTE_ORDER_MARK) {
        Some(_) => body.slice(BYTE_ORDER_MARK.len()..),
        None => body,
    })
}

fn unpacked(body: &[u8], limit: usize, may_be_cut: bool) -> Result<Bytes, NotPlain> {
    let mut unpacked = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(body)
        .take(one_more)
        .read_to_end(&mut unpacked);
    if unpacked.len() > limit {
        if !may_be_cut {
            return Err(NotPlain::TooLarge);
        }
        unpacked.truncate(limit);
    }
    match read {
        Err(error) if !may_be_cut => Err(NotPlain::Broken(error)),
        _ => Ok(unpacked.into()),
    }
}
