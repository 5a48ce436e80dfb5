//! The traits that identifiers and open enumerations share: both are strings in JSON, in paths and
//! in schemas.

use std::fmt;

use serde::de::{Error, Visitor};

/// Decodes a string without a copy of it: the known values of an open enumeration need none.
pub(crate) struct Text<F>(pub(crate) F);

impl<F, T, E> Visitor<'_> for Text<F>
where
    F: FnOnce(&str) -> Result<T, E>,
    E: fmt::Display,
{
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<D: Error>(self, text: &str) -> Result<T, D> {
        self.0(text).map_err(D::custom)
    }
}

/// Implements the traits of a type that has `as_str` and `TryFrom<String>`.
macro_rules! string_type {
    ($name:ident, $documentation:literal, { $($schema:tt)* }) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = <Self as TryFrom<String>>::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.to_owned().try_into()
            }
        }

        // Progenitor's own types implement it, so that builders accept a reference.
        impl From<&$name> for $name {
            fn from(value: &$name) -> Self {
                value.clone()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                deserializer.deserialize_str(crate::decode::string_type::Text(|text: &str| {
                    Self::try_from(text)
                }))
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": $documentation,
                    "type": "string",
                    $($schema)*
                })
            }
        }
    };
}
pub(crate) use string_type;
