//! Identifiers, which cannot change the path of a request that carries them.

use std::fmt;

/// The error of parsing an identifier: why a text is not an identifier of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIdError {
    type_name: &'static str,
    reason: &'static str,
}

impl ParseIdError {
    pub(crate) fn new(type_name: &'static str, reason: &'static str) -> Self {
        Self { type_name, reason }
    }
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not a {}: {}", self.type_name, self.reason)
    }
}

impl std::error::Error for ParseIdError {}

/// Fails for texts that would change the path of a request: URL parsing removes `.` and `..`, and an
/// empty segment leads to another endpoint.
pub(crate) fn validate(type_name: &'static str, text: &str) -> Result<(), ParseIdError> {
    let reason = match text {
        "" => "it is empty",
        "." | ".." => "`.` and `..` would change the request's path",
        _ if text.contains('\\') => "a backslash would change the request's path",
        _ if text.contains(char::is_control) => "it contains a control character",
        _ => return Ok(()),
    };
    Err(ParseIdError { type_name, reason })
}

/// Defines a newtype over a string for an identifier of the document.
macro_rules! identifier {
    (#[doc = $documentation:literal] $name:ident) => {
        #[doc = $documentation]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Creates an identifier from any text that can be a segment of a request's path.
            ///
            /// # Errors
            ///
            /// The text is empty, `.` or `..`, or contains a control character or a backslash.
            pub fn new(
                text: impl Into<String>,
            ) -> Result<Self, crate::decode::identifier::ParseIdError> {
                let text = text.into();
                crate::decode::identifier::validate(stringify!($name), &text)?;
                Ok(Self(text))
            }

            /// Returns the text, as the API spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        crate::decode::string_type::string_type!(
            $name,
            $documentation,
            { "minLength": 1 }
        );

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = crate::decode::identifier::ParseIdError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::decode::identifier::ParseIdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(identifier: $name) -> Self {
                identifier.0
            }
        }
    };
}
pub(crate) use identifier;

#[cfg(test)]
mod tests {
    use crate::types::JobName;

    #[test]
    fn texts_that_would_change_a_path_are_invalid() {
        for text in ["", ".", "..", "a\\b", "a\nb", "\u{7f}"] {
            let error = JobName::new(text).expect_err(text).to_string();
            assert!(error.starts_with("not a JobName: "), "{error}");
            assert!(serde_json::from_value::<JobName>(text.into()).is_err());
        }
    }

    #[test]
    fn other_texts_are_kept_unchanged() {
        for text in ["job-name-12345", "...", "a/b c%2e?#", "\u{1f9ea}", "run-id"] {
            let name = JobName::new(text).expect(text);
            assert_eq!(name.as_str(), text);
            assert_eq!(serde_json::to_value(&name).expect("JSON"), text);
        }
    }
}
