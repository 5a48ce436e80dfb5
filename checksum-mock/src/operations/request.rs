//! A request to an operation, as its handler reads it.

use std::time::Duration;

use super::json_object::JsonObject;
use super::response::Rejection;

pub(crate) struct ApiRequest<'a> {
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: JsonObject,
    /// Scheme, host and port of the mock server, for URLs in responses.
    pub(crate) origin: &'a str,
    pub(crate) now: Duration,
}

impl ApiRequest<'_> {
    /// Returns a path parameter.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(own, _)| *own == name);
        found.map_or("", |(_, value)| value)
    }

    /// Returns a query parameter that may be given once. An empty one filters nothing.
    pub(crate) fn query(&self, name: &str) -> Result<Option<&str>, Rejection> {
        Ok(self.query_once(name)?.filter(|value| !value.is_empty()))
    }

    /// Returns a query parameter that is an integer of 0 or more and of 64 bits.
    pub(crate) fn query_number(&self, name: &str) -> Result<Option<usize>, Rejection> {
        let Some(text) = self.query_once(name)? else {
            return Ok(None);
        };
        // Rust's parser accepts a sign.
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<u64>() {
            Ok(number) if is_digits => Ok(Some(usize::try_from(number).unwrap_or(usize::MAX))),
            _ => Err(Rejection::invalid_field(
                name,
                "must be an integer of 0 or more and of 64 bits",
            )),
        }
    }

    fn query_once(&self, name: &str) -> Result<Option<&str>, Rejection> {
        let mut values = self.query.iter().filter(|(key, _)| key == name);
        let value = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Rejection::invalid_field(name, "must be given at most once")),
        }
    }

    /// Returns the values of a query parameter that may be repeated, without empty ones.
    pub(crate) fn query_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}
