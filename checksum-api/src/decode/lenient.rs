//! Fields that may be missing are given up where they have another type than the document's: a poll
//! should not fail because a title has become a number. Of a list, only the wrong elements go.

use std::cell::Cell;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::Value;

use crate::spans::TARGET;

thread_local! {
    /// Whether fields are given up. Most responses are as the document says, and are decoded without
    /// the detour that this takes.
    static IS_LENIENT: Cell<bool> = const { Cell::new(false) };
}

/// Why a body cannot be decoded.
pub(crate) enum DecodeError {
    /// It is not JSON, or JSON that was cut off.
    NotJson(serde_json::Error),
    /// It is JSON, and something in it that the type needs is missing or of another type.
    Shape {
        /// Where, as in `tests[3].status`; `.` is the whole body.
        path: String,
        reason: String,
    },
}

/// Decodes a body that the plain decoder refused, without the fields that it refused.
pub(crate) fn decode_leniently<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let value: Value = serde_json::from_slice(body).map_err(DecodeError::NotJson)?;
    IS_LENIENT.set(true);
    let decoded = serde_path_to_error::deserialize::<_, T>(&value);
    IS_LENIENT.set(false);
    decoded.map_err(|error| DecodeError::Shape {
        path: error.path().to_string(),
        reason: error.inner().to_string(),
    })
}

/// The types of fields that may be missing.
pub(crate) trait Optional: Sized {
    /// Decodes the field as it is.
    fn strictly<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Decodes what can be decoded, and tells whether that is all.
    fn leniently(value: Value) -> (Self, bool);
}

impl<T: DeserializeOwned> Optional for Option<T> {
    fn strictly<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn leniently(value: Value) -> (Self, bool) {
        match Self::deserialize(value) {
            Ok(decoded) => (decoded, true),
            Err(_) => (None, false),
        }
    }
}

impl<T: DeserializeOwned> Optional for Vec<T> {
    fn strictly<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn leniently(value: Value) -> (Self, bool) {
        let Value::Array(elements) = value else {
            return (Self::new(), false);
        };
        let count = elements.len();
        let decoded: Self = elements
            .into_iter()
            .filter_map(|element| T::deserialize(element).ok())
            .collect();
        let is_whole = decoded.len() == count;
        (decoded, is_whole)
    }
}

/// Decodes a field of a response that may be missing.
pub(crate) fn optional<'de, D, T>(field: &'static str, deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Optional,
{
    if !IS_LENIENT.get() {
        return T::strictly(deserializer);
    }
    let value = Value::deserialize(deserializer).map_err(D::Error::custom)?;
    let (decoded, is_whole) = T::leniently(value);
    if !is_whole {
        tracing::warn!(target: TARGET, field, "ignored a field of unexpected type");
    }
    Ok(decoded)
}
