//! URLs in responses: resolving, redacting and serialising them.

use checksum_api::BaseUrl;
use serde::Serializer;
use url::Url;

/// More characters than any URL that a browser would follow.
const MAX_LENGTH: usize = 8 * 1024;

/// Returns the URL that a text in a response contains, or `None` if the text is not a URL, such as
/// a page of HTML. A relative URL is resolved against the base URL, since the API's description
/// names no other.
pub(crate) fn resolve(base: &BaseUrl, text: &str) -> Option<Url> {
    let text = text.trim();
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"{}\\".contains(c);
    if text.is_empty() || text.len() > MAX_LENGTH || text.contains(is_odd) {
        return None;
    }
    let is_path = text.contains(['/', '.']);
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) if is_path => {
            let base = Url::parse(&format!("{base}/")).ok()?;
            base.join(text).ok()?
        }
        Err(_) => return None,
    };
    let is_plain = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "https" | "http") && is_plain && url.has_host()).then_some(url)
}

/// Returns the URL for messages and `Debug`: without its query, which often contains an access
/// token.
pub(crate) fn redacted(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// Serialises the whole URL, including an access token.
pub(crate) fn serialize<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(url.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_resolved_and_other_texts_are_rejected() {
        let base: BaseUrl = "https://api.checksum.ai".parse().expect("a URL");
        let resolved = |text: &str| resolve(&base, text).map(|url| url.to_string());
        for (text, expected) in [
            ("https://a.example/x?y#z", "https://a.example/x?y#z"),
            ("/files/x", "https://api.checksum.ai/files/x"),
            ("files/x", "https://api.checksum.ai/public-api/files/x"),
            ("trace.zip", "https://api.checksum.ai/public-api/trace.zip"),
            ("//a.example/x", "https://a.example/x"),
        ] {
            assert_eq!(resolved(text).as_deref(), Some(expected));
        }
        let long = "/x".repeat(600_000);
        for text in [
            "",
            "none",
            "<html>",
            "not found",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/plain,x",
            "https://me:secret@a.example/x",
            "a\\b.c",
            &long,
        ] {
            assert_eq!(resolved(text), None, "{text:.40}");
        }
    }
}
