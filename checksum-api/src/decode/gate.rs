//! Fields that decide whether a run passed: they are never dropped.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A field of a response that decides whether a run passed: its value, or the JSON that came in its
/// place.
///
/// Other fields are dropped if they have another type than the document's. Dropping this one could
/// hide a failure. A value of another type is converted if it can mean only one thing: `"3"` and
/// `3.0` are 3, `"true"` is true. Anything else is [`Unreadable`](Self::Unreadable).
///
/// ```
/// use checksum_api::types::Count;
///
/// let count = |text: &str| serde_json::from_str::<Count>(text).map(|count| count.read().copied());
/// assert_eq!(count("3")?, Some(3));
/// assert_eq!(count(r#""3""#)?, Some(3));
/// assert_eq!(count(r#""many""#)?, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Lenient<T> {
    /// The value.
    Read(T),
    /// The JSON that came in place of a value, unchanged.
    Unreadable(Value),
}

impl<T> Lenient<T> {
    /// Returns the value; `None` if it could not be read.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Unreadable(_) => None,
        }
    }
}

impl<T> From<T> for Lenient<T> {
    fn from(value: T) -> Self {
        Self::Read(value)
    }
}

/// A type that can be decoded from JSON of another type.
pub(crate) trait FromLenient: Sized {
    fn from_lenient(value: &Value) -> Option<Self>;
}

impl FromLenient for u64 {
    fn from_lenient(value: &Value) -> Option<Self> {
        /// 2^53: a larger integer may not be exact as a JSON float.
        const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
        let whole = |float: f64| {
            let is_count = float.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&float);
            is_count.then_some(float as u64)
        };
        match value {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            }
            _ => None,
        }
    }
}

impl FromLenient for bool {
    fn from_lenient(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(*value),
            Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        }
    }
}

impl<'de, T: FromLenient> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(match T::from_lenient(&value) {
            Some(read) => Self::Read(read),
            None => Self::Unreadable(value),
        })
    }
}

impl<T: Serialize> Serialize for Lenient<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(value) => value.serialize(serializer),
            Self::Unreadable(value) => value.serialize(serializer),
        }
    }
}

/// The schema of the value, as the service documents it.
#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Lenient<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::{RunStatus, Verdict};

    #[test]
    fn values_of_another_type_are_read_or_kept() {
        for (value, expected) in [
            (json!(0), Some(0)),
            (json!(3.0), Some(3)),
            (json!("3"), Some(3)),
            (json!(" 3 "), Some(3)),
            (json!("3.0"), Some(3)),
            (json!("inf"), None),
            (json!(u64::MAX), Some(u64::MAX)),
            (json!(-1), None),
            (json!(2.5), None),
            (json!(1e300), None),
            (json!("three"), None),
            (json!(""), None),
            (json!(true), None),
            (json!([3]), None),
        ] {
            let count: Lenient<u64> = serde_json::from_value(value.clone()).expect("no error");
            assert_eq!(count.read().copied(), expected, "{value}");
            if expected.is_none() {
                assert_eq!(serde_json::to_value(&count).expect("JSON"), value);
            }
        }
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!("TRUE"), Some(true)),
            (json!("false"), Some(false)),
            (json!("yes"), None),
            (json!(1), None),
        ] {
            let flag: Lenient<bool> = serde_json::from_value(value.clone()).expect("no error");
            assert_eq!(flag.read().copied(), expected, "{value}");
        }
    }

    #[test]
    fn fields_of_a_status_are_read_absent_or_unreadable() {
        let status: RunStatus = serde_json::from_value(json!({
            "status": "passed", "passed": 1, "failed": {}, "recovered": null, "verdict": ["fail"],
        }))
        .expect("a status");
        assert_eq!(status.passed, Some(Lenient::Read(1)));
        assert_eq!(status.failed, Some(Lenient::Unreadable(json!({}))));
        assert_eq!((status.recovered, status.bug), (None, None));
        let verdict = status.verdict.expect("it is there");
        assert_eq!(verdict, Lenient::<Verdict>::Unreadable(json!(["fail"])));
    }
}
