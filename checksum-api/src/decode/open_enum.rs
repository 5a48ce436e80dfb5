//! Open enumerations: the values that the document lists, and any other.

/// Defines an enumeration that keeps a value that the document does not list.
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

            /// Returns the known value that differs from this one only in case, or else this one.
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

            /// Returns the value, as the API spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unrecognised(value) => value,
                }
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

        crate::decode::string_type::string_type!(
            $name,
            $documentation,
            { "anyOf": [{ "type": "string", "enum": [$($value),*] }, { "type": "string" }] }
        );

        impl crate::decode::gate::FromLenient for $name {
            fn from_lenient(value: &serde_json::Value) -> Option<Self> {
                value.as_str().map(Self::from)
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
    fn ignoring_case_finds_a_known_value_in_another_case() {
        let read = |text: &str| RunState::from(text).ignoring_case();
        assert_eq!(read("PASSED"), RunState::Passed);
        assert_eq!(read("Process-Error "), RunState::ProcessError);
        let unknown = RunState::Unrecognised("canceled".to_owned());
        assert_eq!(read("canceled"), unknown);
    }
}
