//! The API key that requests must carry.

use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The header in which the vendor's own clients send the key, in lower case.
pub(crate) const APP_CODE: &str = "checksumappcode";

/// The keys that are accepted: a certain one, or any that is not empty.
#[derive(Clone, Default)]
pub(crate) struct ApiKey(Option<String>);

impl ApiKey {
    pub(crate) fn only(key: impl Into<String>) -> Self {
        Self(Some(key.into()))
    }

    /// Returns whether the request carries the key as a bearer token or, if `allows_app_code`, in
    /// the header of the vendor's clients.
    pub(crate) fn is_in(&self, headers: &HeaderMap, allows_app_code: bool) -> bool {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let bearer = text(AUTHORIZATION.as_str())
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key);
        let app_code = text(APP_CODE).filter(|_| allows_app_code);
        let mut given = [bearer, app_code].into_iter().flatten();
        given.any(|key| self.accepts(key.trim()))
    }

    fn accepts(&self, given: &str) -> bool {
        !given.is_empty() && self.0.as_deref().is_none_or(|accepted| accepted == given)
    }
}

/// Does not show the key.
impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "***" } else { "any" })
    }
}
