//! Resuming a download with `Range` and `If-Range`.

use http::HeaderMap;
use http::header::{CONTENT_RANGE, ETAG, HeaderValue};

/// Returns the strong `ETag`, by which the rest of this version of a file can be requested. A weak
/// `ETag` is not enough: files with the same weak `ETag` may differ in their bytes (RFC 9110,
/// section 13.1.5).
pub(super) fn validator(headers: &HeaderMap) -> Option<HeaderValue> {
    let etag = headers.get(ETAG)?;
    etag.as_bytes().starts_with(b"\"").then(|| etag.clone())
}

/// A `Content-Range` of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u64,
    /// The size of the whole file, if the server knows it.
    pub(super) total: Option<u64>,
}

impl Range {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
        let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (start, end) = range.trim().split_once('-')?;
        let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
        let total = match total.trim() {
            "*" => None,
            total => Some(total.parse().ok()?),
        };
        let is_sane = start <= end && total.is_none_or(|total| end < total);
        is_sane.then_some(Self { start, total })
    }

    /// Returns whether it continues a file of this length at this offset.
    pub(super) fn continues(self, at: u64, length: Option<u64>) -> bool {
        let is_same_length = match (self.total, length) {
            (Some(total), Some(length)) => total == length,
            _ => true,
        };
        self.start == at && is_same_length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Option<Range> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_RANGE, text.parse().expect("a header"));
        Range::of(&headers)
    }

    #[test]
    fn only_a_matching_range_continues_a_download() {
        let known = range("bytes 5-9/10").expect("a range");
        assert!(known.continues(5, Some(10)) && known.continues(5, None));
        assert!(!known.continues(5, Some(11)) && !known.continues(4, Some(10)));
        assert!(range("bytes 5-9/*").is_some_and(|range| range.continues(5, Some(10))));
        for odd in [
            "bytes */10",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "items 5-9/10",
            "bytes 5-9",
            "bytes -5-9/10",
        ] {
            assert_eq!(range(odd), None, "{odd}");
        }
    }

    #[test]
    fn only_a_strong_etag_allows_resuming() {
        for (tag, is_strong) in [("\"a\"", true), ("W/\"a\"", false), ("a", false)] {
            let mut headers = HeaderMap::new();
            headers.insert(ETAG, tag.parse().expect("a header"));
            assert_eq!(validator(&headers).is_some(), is_strong, "{tag}");
        }
    }
}
