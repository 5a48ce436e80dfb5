//! Which redirects of operations are followed. They are followed above the transport, so that with any
//! transport a request that starts work is sent again only if the first one has certainly started
//! nothing.

use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use url::Url;

use crate::config::base_url::BaseUrl;

/// How many redirects of one request are followed.
pub(crate) const MAX_REDIRECTS: usize = 5;

/// The host of the URL that reqwest assigns to a response which a transport created without one.
const NO_URL: &str = "no.url.provided.local";

/// A request that may have been redirected.
pub(crate) struct Hop<'a> {
    pub(crate) base_url: &'a BaseUrl,
    pub(crate) url: &'a Url,
    /// Whether the request only reads, so that it is safe to send it again.
    pub(crate) is_read: bool,
    /// How many redirects led to it.
    pub(crate) followed: usize,
}

/// A redirect that was not followed.
#[derive(Clone)]
pub(crate) struct Unfollowed {
    pub(crate) from: String,
    /// The target and the reason, as the rest of a sentence that begins with "since". `None` if the
    /// redirect names no address.
    pub(crate) to: Option<(String, &'static str)>,
}

impl Hop<'_> {
    /// Returns where to send the request again, unchanged; `None` if it was not redirected.
    ///
    /// # Errors
    ///
    /// The request was redirected and must not be sent there.
    pub(crate) fn next(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Option<Url>, Unfollowed> {
        if !status.is_redirection() {
            return Ok(None);
        }
        let from = place(self.url);
        let Some(to) = target(self.url, headers) else {
            return Err(Unfollowed { from, to: None });
        };
        let reason = if self.is_read && !is_followed_by_reads(status) {
            "this kind of redirect is for a person to follow"
        } else if !self.is_read && !keeps_the_request(status) {
            "the service may have acted on it before"
        } else if !self.base_url.is_same_origin(&to) {
            "the API key is for the origin of the base URL alone"
        } else if self.followed >= MAX_REDIRECTS {
            "the request had been redirected too often"
        } else {
            return Ok(Some(to));
        };
        Err(Unfollowed {
            from,
            to: Some((place(&to), reason)),
        })
    }
}

/// Returns the address that a redirect points to.
pub(crate) fn address(requested: &Url, response: &reqwest::Response) -> Option<Url> {
    // 301 and 308 say that the API itself has moved.
    matches!(response.status().as_u16(), 302 | 303 | 307).then_some(())?;
    target(requested, response.headers())
}

/// Returns whether the status code says that the service did not act on the request, which is to be sent
/// elsewhere unchanged.
pub(crate) fn keeps_the_request(status: StatusCode) -> bool {
    matches!(status.as_u16(), 307 | 308)
}

fn is_followed_by_reads(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Returns whether a transport has followed a redirect by itself, so that it is not known how often and
/// with which methods the request was sent.
pub(crate) fn is_elsewhere(requested: &Url, responded: &Url) -> bool {
    requested != responded
        && responded.host_str() != Some(NO_URL)
        && (requested.origin() != responded.origin()
            || requested.path() != responded.path()
            || requested.query() != responded.query())
}

fn target(url: &Url, headers: &HeaderMap) -> Option<Url> {
    let mut target = url.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    // A redirect must not set credentials.
    let _ = target.set_username("");
    let _ = target.set_password(None);
    target.set_fragment(None);
    Some(target)
}

/// Returns a URL as errors show it: without its query, which may contain an access token.
pub(crate) fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_response_shows_that_a_transport_followed_a_redirect() {
        let requested = Url::parse("https://api.example/a/b").expect("a URL");
        for (responded, elsewhere) in [
            ("https://api.example/a/b", false),
            ("https://api.example/a/b#c", false),
            ("http://no.url.provided.local", false),
            ("http://api.example/a/b", true),
            ("https://api.example:444/a/b", true),
            ("https://api.example/a/b?c", true),
            ("https://api.example/login", true),
        ] {
            let responded = Url::parse(responded).expect("a URL");
            assert_eq!(
                is_elsewhere(&requested, &responded),
                elsewhere,
                "{responded}"
            );
        }
    }
}
