//! The base URL, which also decides where the API key may be sent.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The address of the API: an origin and the path `/public-api`.
///
/// Three forms are equal, each with or without a slash at its end: the origin alone, the origin
/// with the path, and the URL of either API version. The default is the service,
/// `https://api.checksum.ai/public-api`.
///
/// ```
/// use checksum_api::BaseUrl;
///
/// for text in [
///     "https://api.checksum.ai",
///     "https://api.checksum.ai/public-api/",
///     "https://api.checksum.ai/public-api/v1",
///     "https://api.checksum.ai/public-api/v2/",
/// ] {
///     assert_eq!(text.parse::<BaseUrl>()?, BaseUrl::default());
/// }
/// # Ok::<(), checksum_api::ParseBaseUrlError>(())
/// ```
///
/// A path before `/public-api` is kept, for a gateway that serves the API under a path of its own:
/// `https://gateway.example/checksum/public-api`.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// The error of parsing a [`BaseUrl`]: why a text is not a base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseBaseUrlError {
    /// The text has no scheme. It may be a URL without one.
    #[error("the base URL has no scheme{}", did_you_mean(_0.as_ref()))]
    NoScheme(Option<BaseUrl>),
    /// The text is not a URL.
    #[error("the base URL is not a URL: {0}")]
    Syntax(url::ParseError),
    /// The scheme is neither https nor http.
    #[error("the base URL has the scheme `{0}`; it must be https")]
    Scheme(String),
    /// The URL contains a user name or a password. The API key is a setting of its own.
    #[error("the base URL carries credentials; remove them, the API key is given separately")]
    Credentials,
    /// The URL has a query.
    #[error("the base URL has a query; remove everything from the `?` on")]
    Query,
    /// The URL has a fragment.
    #[error("the base URL has a fragment; remove everything from the `#` on")]
    Fragment,
    /// The path is not that of the API.
    #[error(
        "the base URL's path `{0}` is not the API's; \
         give the origin alone, or a path that ends in `/public-api`"
    )]
    Path(String),
}

fn did_you_mean(url: Option<&BaseUrl>) -> String {
    let example = "; give an address such as `https://api.checksum.ai`".to_owned();
    url.map_or(example, |url| format!("; did you mean `{url}`?"))
}

const ROOT: &str = "/public-api";

impl BaseUrl {
    /// Returns the URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the path that is put before the paths of the document.
    pub(crate) fn path(&self) -> &str {
        self.0.path()
    }

    /// Returns the URL of a percent-encoded path that begins with that of the base URL; `None` if the
    /// URL would have another path, or a segment of it is empty.
    pub(crate) fn with_path(&self, path: &str) -> Option<Url> {
        let below = path.strip_prefix(self.path())?;
        let mut url = self.0.clone();
        url.set_path(path);
        (url.path() == path && !below.contains("//") && !below.ends_with('/')).then_some(url)
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// Returns whether the host is this machine: `localhost`, `127.0.0.0/8` or `::1`.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// Returns whether the key would cross a network unencrypted.
    pub(crate) fn sends_key_in_clear(&self) -> bool {
        self.0.scheme() == "http" && !self.is_loopback()
    }

    /// Returns whether a file may be downloaded from `url`: over https, from this machine, or from the
    /// base URL's own origin, whose plain http was allowed when the client was built.
    pub(crate) fn allows_download_from(&self, url: &Url) -> bool {
        match url.scheme() {
            "https" => true,
            "http" => is_loopback(url) || self.is_same_origin(url),
            _ => false,
        }
    }

    /// Returns whether `other` has the same scheme, host and port.
    pub fn is_same_origin(&self, other: &Url) -> bool {
        self.0.origin() == other.origin()
    }
}

/// Returns whether the host of a URL is this machine: `localhost`, `127.0.0.0/8` or `::1`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Default for BaseUrl {
    /// Returns the address of the service, `https://api.checksum.ai/public-api`.
    fn default() -> Self {
        Self(Url::parse("https://api.checksum.ai/public-api").expect("a URL"))
    }
}

impl FromStr for BaseUrl {
    type Err = ParseBaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let mut url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "https" | "http") => url,
            // In `localhost:4010`, the parser takes the host for a scheme.
            _ if !text.contains("://") => {
                return Err(ParseBaseUrlError::NoScheme(with_scheme(text)));
            }
            Ok(url) => return Err(ParseBaseUrlError::Scheme(url.scheme().to_owned())),
            Err(error) => return Err(ParseBaseUrlError::Syntax(error)),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ParseBaseUrlError::Credentials);
        }
        if url.query().is_some() {
            return Err(ParseBaseUrlError::Query);
        }
        if url.fragment().is_some() {
            return Err(ParseBaseUrlError::Fragment);
        }
        let given = url.path().trim_end_matches('/');
        let unversioned = given
            .strip_suffix("/v1")
            .or_else(|| given.strip_suffix("/v2"))
            .unwrap_or(given);
        let path = match unversioned {
            "" if given.is_empty() => ROOT.to_owned(),
            path if path.ends_with(ROOT) => path.to_owned(),
            _ => return Err(ParseBaseUrlError::Path(given.to_owned())),
        };
        url.set_path(&path);
        Ok(Self(url))
    }
}

/// Returns the base URL that a text without a scheme may mean. It is shown, so that it must not be an
/// API key that was set in the place of the URL.
fn with_scheme(text: &str) -> Option<BaseUrl> {
    let with = |scheme| format!("{scheme}://{text}").parse::<BaseUrl>().ok();
    let host = text.split(['/', ':']).next().unwrap_or_default();
    let is_host = (host.contains('.') || host == "localhost" || text.starts_with('['))
        && !host.contains(|c: char| c.is_ascii_uppercase());
    with("https")
        .filter(|_| is_host)
        .and_then(|url| match url.is_loopback() {
            true => with("http"),
            false => Some(url),
        })
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_a_url_keeps_are_accepted() {
        let base = BaseUrl::default();
        let text: String = (' '..='~').filter(|c| *c != '\\').collect();
        let text = format!("{text}\u{1f9ea}");
        let encoded = crate::client::request::path_segment(&text);
        for path in [format!("/v1/a/{encoded}"), "/v1/a%2Fb/c%20d".to_owned()] {
            let path = format!("/public-api{path}");
            let url = base.with_path(&path).expect("a URL");
            assert_eq!(url.as_str(), format!("https://api.checksum.ai{path}"));
        }
        for path in [
            "/v1/a",
            "/public-api/v1//b",
            "/public-api/v1/",
            "/public-api/v1/../b",
            r"/public-api/v1/a\b",
        ] {
            assert_eq!(base.with_path(path), None, "{path}");
        }
    }

    #[test]
    fn every_accepted_form_means_the_same() {
        for path in ["", "/public-api", "/public-api/v1", "/public-api/v2"] {
            for slash in ["", "/"] {
                let text = format!("https://api.checksum.ai{path}{slash}");
                let url: BaseUrl = text.parse().expect(&text);
                assert_eq!(url.as_str(), "https://api.checksum.ai/public-api");
            }
        }
        let url: BaseUrl = "http://localhost:4010/a/public-api/v2/"
            .parse()
            .expect("a URL");
        assert_eq!(url.as_str(), "http://localhost:4010/a/public-api");
    }

    #[test]
    fn errors_have_a_reason_and_no_credentials() {
        for (text, reason) in [
            (
                "api.checksum.ai",
                "did you mean `https://api.checksum.ai/public-api`?",
            ),
            (
                "localhost:4010/public-api",
                "did you mean `http://localhost:4010/public-api`?",
            ),
            ("", "such as `https://api.checksum.ai`"),
            ("/public-api", "such as `https://api.checksum.ai`"),
            ("me:hunter2@api.checksum.ai", "has no scheme"),
            ("[::1]:4010", "did you mean `http://[::1]:4010/public-api`?"),
            // Keys.
            ("hunter2", "such as `https://api.checksum.ai`"),
            ("eyJh.hunter2.x", "such as `https://api.checksum.ai`"),
            ("https://", "not a URL"),
            ("ftp://api.checksum.ai", "scheme `ftp`"),
            ("https://me:hunter2@api.checksum.ai", "credentials"),
            ("https://api.checksum.ai/?key=hunter2", "query"),
            ("https://api.checksum.ai/#hunter2", "fragment"),
            ("https://api.checksum.ai/v1", "path `/v1`"),
            (
                "https://api.checksum.ai/public-api/v3",
                "path `/public-api/v3`",
            ),
        ] {
            let error = text.parse::<BaseUrl>().expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn plain_http_to_another_machine_sends_the_key_in_clear() {
        for (text, exposed) in [
            ("https://api.checksum.ai", false),
            ("http://127.0.0.1:1", false),
            ("http://127.9.9.9", false),
            ("http://[::1]:1", false),
            ("http://localhost", false),
            ("http://localhost.example", true),
            ("http://10.0.0.1", true),
        ] {
            assert_eq!(
                text.parse::<BaseUrl>().expect(text).sends_key_in_clear(),
                exposed,
                "{text}"
            );
        }
    }

    #[test]
    fn files_are_downloaded_over_https_or_from_the_own_origin() {
        let base: BaseUrl = "http://10.0.0.1:8080".parse().expect("a URL");
        for (text, may) in [
            ("https://files.example/x", true),
            ("http://127.0.0.1/x", true),
            ("http://10.0.0.1:8080/x", true),
            ("http://10.0.0.1/x", false),
            ("http://files.example/x", false),
            ("ftp://10.0.0.1:8080/x", false),
            ("file:///x", false),
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!(base.allows_download_from(&url), may, "{text}");
        }
    }
}
