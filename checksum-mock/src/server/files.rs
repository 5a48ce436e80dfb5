//! Serves report pages and attachments, and ranges of them as file stores do.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE};
use http::{HeaderMap, StatusCode};
use http_range_header::parse_range_header;

use crate::operations::response::Rejection;
use crate::state::{State, files};

/// Responds with the file at a path below [`files::ROOT`], or with the range that is requested.
pub(crate) fn respond(state: &State, path: &str, headers: &HeaderMap) -> Response {
    let file = path.split_once('/').and_then(|(run, path)| {
        let run = state.finished_run(run)?;
        files::find(run, path)
    });
    let Some((content_type, bytes)) = file else {
        return Rejection::not_found("there is no such file").into_response();
    };
    let bytes = Bytes::from(bytes.into_owned());
    let length = bytes.len();
    let tag = entity_tag(&bytes);
    let common = [
        (CONTENT_TYPE, content_type),
        (ETAG, &tag),
        (ACCEPT_RANGES, "bytes"),
    ];
    let partial = |status, range: String, body| {
        (status, common.clone(), [(CONTENT_RANGE, range)], body).into_response()
    };
    match range(headers, &tag, length) {
        Range::Whole => (common.clone(), bytes).into_response(),
        Range::Part(start, end) => partial(
            StatusCode::PARTIAL_CONTENT,
            format!("bytes {start}-{end}/{length}"),
            Body::from(bytes.slice(start..=end)),
        ),
        Range::Unsatisfiable => partial(
            StatusCode::RANGE_NOT_SATISFIABLE,
            format!("bytes */{length}"),
            Body::empty(),
        ),
    }
}

fn entity_tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// The part of a file that a request selects.
enum Range {
    Whole,
    /// From the first byte to the last.
    Part(usize, usize),
    Unsatisfiable,
}

fn range(headers: &HeaderMap, tag: &str, length: usize) -> Range {
    let text = |name| headers.get(name)?.to_str().ok();
    let is_same = text(IF_RANGE).is_none_or(|known| known == tag);
    // An invalid range, or several, are ignored (RFC 9110, section 14.2).
    let ranges = text(RANGE).filter(|_| is_same).map(parse_range_header);
    let Some(Ok(ranges)) = ranges else {
        return Range::Whole;
    };
    match ranges.validate(length as u64).as_deref() {
        Ok([range]) => Range::Part(*range.start() as usize, *range.end() as usize),
        Ok(_) => Range::Whole,
        Err(_) => Range::Unsatisfiable,
    }
}
