use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The header in which the vendor's own clients send the key, in lower case.
pub(crate) const APP_CODE: &str = "checksumappcode";

/// The key that requests have to carry: a certain one, or any that is not empty.
#[derive(Clone, Default)]
pub(crate) struct ApiKey(Option<String>);

impl ApiKey {
    pub(crate) fn only(key: impl Into<String>) -> Self {
        Self(Some(key.into()))
    }

    /// Whether the request carries it as a bearer token.
    pub(crate) fn is_bearer_of(&self, headers: &HeaderMap) -> bool {
        let scheme_and_key = text(headers, AUTHORIZATION.as_str())
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        scheme_and_key.is_some_and(|(_, key)| self.accepts(key))
    }

    /// Whether the request carries it in the header that the vendor's clients send.
    pub(crate) fn is_app_code_of(&self, headers: &HeaderMap) -> bool {
        text(headers, APP_CODE).is_some_and(|key| self.accepts(key))
    }

    fn accepts(&self, given: &str) -> bool {
        let given = given.trim();
        !given.is_empty() && self.0.as_deref().is_none_or(|accepted| accepted == given)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Does not show the key.
impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "***" } else { "any" })
    }
}
