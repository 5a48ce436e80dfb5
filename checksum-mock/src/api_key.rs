use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The key that requests have to carry: a certain one, or any that is not empty.
#[derive(Clone, Default)]
pub(crate) struct ApiKey(Option<String>);

impl ApiKey {
    pub(crate) fn only(key: impl Into<String>) -> Self {
        Self(Some(key.into()))
    }

    /// Whether the request carries it as a bearer token.
    pub(crate) fn is_carried_by(&self, headers: &HeaderMap) -> bool {
        let header = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some((scheme, given)) = header.and_then(|text| text.split_once(' ')) else {
            return false;
        };
        let given = given.trim();
        scheme.eq_ignore_ascii_case("bearer")
            && !given.is_empty()
            && self.0.as_deref().is_none_or(|accepted| accepted == given)
    }
}

/// Does not show the key.
impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "***" } else { "any" })
    }
}
