/// Defines an enumeration that keeps values which the document does not list.
macro_rules! open_enum {
    (
        #[doc = $documentation:literal]
        $name:ident { $($(#[$variant_documentation:meta])* $variant:ident => $value:literal),* }
    ) => {
        #[doc = $documentation]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_documentation])* $variant,)*
            /// Any other value, unchanged.
            Unrecognised(String),
        }

        impl $name {
            /// Every value that the document lists, in its order.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),*];

            /// The known value that differs from this one in case only, where there is one.
            #[must_use]
            pub fn ignoring_case(self) -> Self {
                match &self {
                    Self::Unrecognised(value) => Self::KNOWN
                        .iter()
                        .find(|known| known.as_str().eq_ignore_ascii_case(value.trim()))
                        .cloned()
                        .unwrap_or(self),
                    _ => self,
                }
            }

            /// The value, as the API spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unrecognised(value) => value,
                }
            }
        }

        // What typify gives its own types, so that builders take a reference.
        impl From<&$name> for $name {
            fn from(value: &$name) -> Self {
                value.clone()
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    other => Self::Unrecognised(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                value.as_str().into()
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Ok(value.into())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
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
                Ok(String::deserialize(deserializer)?.into())
            }
        }

        impl crate::decode::gate::FromLenient for $name {
            fn from_lenient(value: &serde_json::Value) -> Option<Self> {
                value.as_str().map(Self::from)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": $documentation,
                    "type": "string",
                    "anyOf": [{ "type": "string", "enum": [$($value),*] }, { "type": "string" }],
                })
            }
        }
    };
}
pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    use crate::types::RunState;

    #[test]
    fn values_round_trip_whether_known_or_not() {
        for state in RunState::KNOWN {
            let value = serde_json::to_value(state).expect("JSON");
            assert_eq!(value, state.as_str());
            assert_eq!(
                serde_json::from_value::<RunState>(value).expect("a state"),
                *state
            );
        }
        for text in ["", "Passed", "brand-new", "\u{1f9ea}"] {
            let state: RunState = serde_json::from_value(text.into()).expect("a state");
            assert_eq!(state, RunState::Unrecognised(text.to_owned()));
            assert_eq!(serde_json::to_value(&state).expect("JSON"), text);
        }
    }

    #[test]
    fn a_known_value_in_another_case_is_recognised_where_that_is_wanted() {
        let read = |text: &str| RunState::from(text).ignoring_case();
        assert_eq!(read("PASSED"), RunState::Passed);
        assert_eq!(read("Process-Error "), RunState::ProcessError);
        let unknown = RunState::Unrecognised("canceled".to_owned());
        assert_eq!(read("canceled"), unknown);
    }
}
