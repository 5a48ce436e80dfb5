//! Checks the proxy that the environment names for a URL. reqwest reads the same variables and ignores
//! a value that it cannot use: it then connects without a proxy, or sends http to it.

use std::env;
use std::ffi::OsString;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// An environment variable whose value cannot be used as a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnusableProxy {
    pub(crate) variable: &'static str,
    pub(crate) reason: String,
}

/// Returns whether the connection to the proxy for `url` uses TLS.
pub(crate) fn has_tls(url: &Url) -> bool {
    let proxy = uri(url).and_then(|uri| Matcher::from_system().intercept(&uri));
    proxy.is_some_and(|proxy| proxy.uri().scheme_str() == Some("https"))
}

/// Fails if the environment names a proxy that cannot be used. The error does not hold its value, which
/// may contain a password.
pub(crate) fn check(url: &Url) -> Result<(), UnusableProxy> {
    check_in(url, |name| env::var_os(name))
}

/// Returns the environment variable that names the proxy for `url`, if one does.
pub(crate) fn variable(url: &Url) -> Option<&'static str> {
    Some(find(url, |name| env::var_os(name))?.0)
}

/// Returns the environment variable that names the proxy for `url`, and its value.
fn find(
    url: &Url,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<(&'static str, OsString)> {
    // In a CGI program, `HTTP_PROXY` may come from a request header, so reqwest ignores it.
    let uri = uri(url).filter(|_| variable("REQUEST_METHOD").is_none())?;
    let first = |names: [&'static str; 2]| {
        let mut set = names
            .into_iter()
            .filter_map(|name| Some((name, variable(name)?)));
        set.next().filter(|(_, value)| !value.is_empty())
    };
    let of_scheme = match url.scheme() {
        "https" => ["HTTPS_PROXY", "https_proxy"],
        _ => ["HTTP_PROXY", "http_proxy"],
    };
    let found = first(of_scheme).or_else(|| first(["ALL_PROXY", "all_proxy"]))?;
    let exempt = first(["NO_PROXY", "no_proxy"]).and_then(|(_, value)| value.into_string().ok());
    let any = Matcher::builder().all("http://proxy.invalid");
    let others = any.no(exempt.unwrap_or_default()).build();
    others.intercept(&uri).map(|_| found)
}

fn check_in(url: &Url, variable: impl Fn(&str) -> Option<OsString>) -> Result<(), UnusableProxy> {
    let (Some(uri), Some((name, value))) = (uri(url), find(url, variable)) else {
        return Ok(());
    };
    let unusable = |reason: String| {
        Err(UnusableProxy {
            variable: name,
            reason,
        })
    };
    let Some(value) = value.to_str() else {
        return unusable("it is not valid Unicode".to_owned());
    };
    if let Some((scheme, _)) = value.split_once("://")
        && !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https")
    {
        let is_scheme = scheme.len() <= 16 && scheme.chars().all(|c| c.is_ascii_alphanumeric());
        return unusable(match is_scheme {
            true => format!("{scheme} proxies are not supported; http and https proxies are"),
            false => "it is not the URL of a proxy".to_owned(),
        });
    }
    match Matcher::builder().all(value).build().intercept(&uri) {
        Some(_) => Ok(()),
        None => unusable("it is not the URL of a proxy".to_owned()),
    }
}

fn uri(url: &Url) -> Option<http::Uri> {
    url.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, variables: &[(&str, &str)]) -> Result<(), UnusableProxy> {
        check_in(&Url::parse(url).expect("a URL"), |name| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.into())
        })
    }

    #[test]
    fn an_unusable_proxy_is_an_error_that_names_its_variable() {
        let https = "https://api.example/";
        for (url, name, value, reason) in [
            (
                https,
                "ALL_PROXY",
                "socks5h://me:hunter2@127.0.0.1:1080",
                "socks5h proxies",
            ),
            (
                https,
                "all_proxy",
                "socks4://127.0.0.1:1080",
                "socks4 proxies",
            ),
            (https, "HTTPS_PROXY", "SOCKS5://127.0.0.1", "SOCKS5 proxies"),
            (https, "https_proxy", "ftp://127.0.0.1", "ftp proxies"),
            (https, "HTTPS_PROXY", "http://", "not the URL of a proxy"),
            (
                https,
                "HTTPS_PROXY",
                "http://me:hunter2@a b",
                "not the URL of a proxy",
            ),
            (
                https,
                "HTTPS_PROXY",
                "me:hunter2 ://a",
                "not the URL of a proxy",
            ),
            (
                "http://api.example/",
                "http_proxy",
                "socks5://127.0.0.1",
                "socks5 proxies",
            ),
        ] {
            let error = check(url, &[(name, value)]).expect_err(value);
            assert_eq!(error.variable, name);
            assert!(error.reason.contains(reason), "{value}: {error:?}");
            assert!(!error.reason.contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn a_proxy_that_is_not_used_is_not_checked() {
        let socks = "socks5://127.0.0.1:1080";
        for (url, variables) in [
            ("https://api.example/", &[][..]),
            (
                "https://api.example/",
                &[("HTTPS_PROXY", "http://me:pw@proxy:8080")],
            ),
            ("https://api.example/", &[("HTTPS_PROXY", "proxy:8080")]),
            ("https://api.example/", &[("HTTPS_PROXY", "https://proxy")]),
            (
                "https://api.example/",
                &[("HTTPS_PROXY", "proxy:8080"), ("ALL_PROXY", socks)],
            ),
            (
                "https://api.example/",
                &[("HTTPS_PROXY", ""), ("https_proxy", socks)],
            ),
            ("https://api.example/", &[("HTTP_PROXY", socks)]),
            (
                "https://api.example/",
                &[("ALL_PROXY", socks), ("NO_PROXY", ".example")],
            ),
            (
                "https://api.example/",
                &[("ALL_PROXY", socks), ("no_proxy", "a, api.example")],
            ),
            (
                "https://api.example/",
                &[("ALL_PROXY", socks), ("REQUEST_METHOD", "GET")],
            ),
        ] {
            assert_eq!(check(url, variables), Ok(()), "{variables:?}");
        }
    }
}
