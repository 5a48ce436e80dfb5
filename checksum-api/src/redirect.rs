//! Redirects of operations. They are followed above the transport, so that whatever carries the
//! requests, one that starts work is sent a second time only where the first has certainly started
//! nothing.

use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use url::Url;

use crate::BaseUrl;

/// How many redirects of one request are followed.
pub(crate) const MAX_REDIRECTS: usize = 5;

/// The URL of a response that a transport has made of a response without one.
const NO_URL: &str = "no.url.provided.local";

/// What is to be known of a request to tell whether its redirect is followed.
pub(crate) struct Hop<'a> {
    pub(crate) base_url: &'a BaseUrl,
    pub(crate) url: &'a Url,
    /// Whether sending it twice does no more than sending it once.
    pub(crate) is_read: bool,
    /// How many redirects led to it.
    pub(crate) followed: usize,
}

/// A redirect that was not followed.
#[derive(Clone)]
pub(crate) struct Unfollowed {
    pub(crate) from: String,
    /// Where to, and why not there, as the rest of a sentence that begins with "since". Not every
    /// redirect names an address.
    pub(crate) to: Option<(String, &'static str)>,
}

impl Hop<'_> {
    /// Where the request is to be sent again, as it is: `None` where it has its response, and an
    /// error for people where it was redirected and must not be sent there.
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

/// The address that a response points to, where it is a redirect with one.
pub(crate) fn address(requested: &Url, response: &reqwest::Response) -> Option<Url> {
    // 301 and 308 say that the API itself has moved.
    matches!(response.status().as_u16(), 302 | 303 | 307).then_some(())?;
    target(requested, response.headers())
}

/// Whether the status says that the request was not acted on, and is to be sent elsewhere as it is.
pub(crate) fn keeps_the_request(status: StatusCode) -> bool {
    matches!(status.as_u16(), 307 | 308)
}

fn is_followed_by_reads(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Whether a transport has followed a redirect by itself: it is not known then how often, and by
/// which methods, the request was sent on.
pub(crate) fn is_elsewhere(requested: &Url, responded: &Url) -> bool {
    responded.host_str() != Some(NO_URL)
        && (requested.origin() != responded.origin()
            || requested.path() != responded.path()
            || requested.query() != responded.query())
}

fn target(url: &Url, headers: &HeaderMap) -> Option<Url> {
    let mut target = url.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    // Whoever redirects does not choose what the request is authorised by.
    let _ = target.set_username("");
    let _ = target.set_password(None);
    target.set_fragment(None);
    Some(target)
}

/// A URL as errors show it: without its query, which may grant access.
pub(crate) fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_gives_itself_away_by_the_url_that_responded() {
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
