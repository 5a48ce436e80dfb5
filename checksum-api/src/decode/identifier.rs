use std::fmt;

/// Why a text cannot be an identifier of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIdError {
    what: &'static str,
    reason: &'static str,
}

impl ParseIdError {
    pub(crate) fn new(what: &'static str, reason: &'static str) -> Self {
        Self { what, reason }
    }
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not a {}: {}", self.what, self.reason)
    }
}

impl std::error::Error for ParseIdError {}

/// Refuses the texts that would change the path of a request that carries them: URL parsing folds
/// `.` and `..` away, and an empty segment leads to another endpoint.
pub(crate) fn check(what: &'static str, text: &str) -> Result<(), ParseIdError> {
    let reason = match text {
        "" => "it is empty",
        "." | ".." => "`.` and `..` would change the request's path",
        _ if text.contains('\\') => "a backslash would change the request's path",
        _ if text.contains(char::is_control) => "it contains a control character",
        _ => return Ok(()),
    };
    Err(ParseIdError { what, reason })
}

/// Defines a newtype over a string for each identifier of the document.
macro_rules! identifier {
    (#[doc = $documentation:literal] $name:ident) => {
        #[doc = $documentation]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes any text that can stand in a request's path: not empty, not `.` or `..`,
            /// without control characters and backslashes.
            ///
            /// # Errors
            ///
            /// The text is one of those.
            pub fn new(text: impl Into<String>) -> Result<Self, crate::ParseIdError> {
                let text = text.into();
                crate::decode::identifier::check(stringify!($name), &text)?;
                Ok(Self(text))
            }

            /// The text, as the API spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = crate::ParseIdError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::ParseIdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        // What typify gives its own types, so that builders take a reference.
        impl From<&$name> for $name {
            fn from(value: &$name) -> Self {
                value.clone()
            }
        }

        impl From<$name> for String {
            fn from(identifier: $name) -> Self {
                identifier.0
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
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
                    "minLength": 1,
                })
            }
        }
    };
}
pub(crate) use identifier;

#[cfg(test)]
mod tests {
    use crate::types::JobName;

    #[test]
    fn refuses_what_would_change_the_path() {
        for text in ["", ".", "..", "a\\b", "a\nb", "\u{7f}"] {
            let error = JobName::new(text).expect_err(text).to_string();
            assert!(error.starts_with("not a JobName: "), "{error}");
            assert!(serde_json::from_value::<JobName>(text.into()).is_err());
        }
    }

    #[test]
    fn takes_and_keeps_everything_else() {
        for text in ["job-name-12345", "...", "a/b c%2e?#", "\u{1f9ea}", "run-id"] {
            let name = JobName::new(text).expect(text);
            assert_eq!(name.as_str(), text);
            assert_eq!(serde_json::to_value(&name).expect("JSON"), text);
        }
    }
}
