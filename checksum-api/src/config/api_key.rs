//! The API key.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::redaction::Redactor;

/// An API key, as created in the dashboard under Settings, Project Settings.
///
/// Its memory is zeroed when it is dropped, and it prints as `***`.
///
/// ```
/// use checksum_api::ApiKey;
///
/// let key = ApiKey::new("my-key")?;
/// assert_eq!(format!("{key:?}"), "***");
/// # Ok::<(), checksum_api::ParseApiKeyError>(())
/// ```
#[derive(Clone)]
pub struct ApiKey(HeaderValue);

/// What stands before the key in the `Authorization` header.
const SCHEME: &str = "Bearer ";

/// The memory of the header that all clones of a key share.
struct Header(SecretString);

impl AsRef<[u8]> for Header {
    fn as_ref(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

/// The error of [`ApiKey::new`]: why a text is not an API key. The message never contains the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseApiKeyError {
    /// The text is empty or only white space.
    #[error("the API key is empty")]
    Empty,
    /// The key is in quotes, which a file or a CI system did not remove.
    #[error("the API key is in quotes; give it without them")]
    Quoted,
    /// The text is `NAME=key`, a whole line of a file of variables.
    #[error("the API key looks like NAME=VALUE; give only the part after the `=`")]
    Assignment,
    /// The text is `Bearer key`, with or without the name of the header.
    #[error("the API key looks like a header; give only the part after `Bearer`")]
    Header,
    /// The text stands for a key: `$NAME`, `${{ secrets.NAME }}`, `<your key>`, `***`.
    #[error("the API key looks like a placeholder or a variable that was not expanded")]
    Placeholder,
    /// The text contains a line break, a space or another character that a header cannot carry.
    #[error(
        "the API key contains white space or a character outside visible ASCII \
         (at offset {offset} of {length} bytes); was it pasted with a line break?"
    )]
    Character {
        /// The position of the first such character, in bytes.
        offset: usize,
        /// The length of the text, in bytes.
        length: usize,
    },
}

impl ApiKey {
    /// Creates a key from visible ASCII characters. White space around them is removed, such as the line
    /// break at the end of a file.
    ///
    /// # Errors
    ///
    /// The text is empty, contains a character that a header cannot carry, or is a common mistake:
    /// a key in quotes, `NAME=key`, `Bearer key`, or a variable that was not expanded.
    pub fn new(key: impl Into<String>) -> Result<Self, ParseApiKeyError> {
        let key = SecretString::from(key.into());
        let text = key.expose_secret();
        // A file may begin with a byte order mark.
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(ParseApiKeyError::Empty);
        }
        if let Some(mistake) = mistake(text) {
            return Err(mistake);
        }
        match text.find(|character: char| !character.is_ascii_graphic()) {
            Some(offset) => Err(ParseApiKeyError::Character {
                offset,
                length: text.len(),
            }),
            None => {
                let header = Header([SCHEME, text].concat().into());
                let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(header))
                    .expect("visible ASCII is valid in a header");
                header.set_sensitive(true);
                Ok(Self(header))
            }
        }
    }

    /// Returns the `Authorization` header, marked sensitive so that no layer below prints it.
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    fn expose(&self) -> &str {
        let header = self.0.to_str().unwrap_or_default();
        header.strip_prefix(SCHEME).unwrap_or_default()
    }

    /// Makes `redactor` replace the key.
    pub(crate) fn add_to(&self, redactor: &mut Redactor) {
        redactor.add(self.expose());
    }

    /// Returns whether both are the same key.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// Returns the error for a text that people and CI systems often give in place of a key. Only the
/// form of the whole text counts, since a key may contain any of these characters.
fn mistake(text: &str) -> Option<ParseApiKeyError> {
    let is_within = |start: &str, end: &str| {
        text.len() > start.len() && text.starts_with(start) && text.ends_with(end)
    };
    let is_name = |text: &str| {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !text.is_empty()
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(is_of_name)
    };
    let first_words = text.to_ascii_lowercase();
    let (name, value) = text.split_once('=').unwrap_or_default();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    // A key in base64 may end with `=`.
    let is_assignment = is_name(name) && !value.trim_start_matches('=').is_empty();
    if ["\"", "'", "`"].iter().any(|quote| is_within(quote, quote)) {
        Some(ParseApiKeyError::Quoted)
    } else if first_words.starts_with("bearer ")
        || first_words.starts_with("authorization:")
        || first_words.starts_with("checksumappcode:")
    {
        Some(ParseApiKeyError::Header)
    } else if is_assignment {
        Some(ParseApiKeyError::Assignment)
    } else if text.strip_prefix('$').is_some_and(is_name)
        || is_within("${", "}")
        || is_within("$(", ")")
        || is_within("<", ">")
        || is_within("%", "%")
        || text.chars().all(|c| c == '*')
    {
        Some(ParseApiKeyError::Placeholder)
    } else {
        None
    }
}

impl std::str::FromStr for ApiKey {
    type Err = ParseApiKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_keys_are_rejected_and_not_repeated() {
        for (text, expected) in [
            ("", ParseApiKeyError::Empty),
            (" \n", ParseApiKeyError::Empty),
            ("\"hunter2\"", ParseApiKeyError::Quoted),
            ("'hunter2'\n", ParseApiKeyError::Quoted),
            ("'hun ter2'", ParseApiKeyError::Quoted),
            ("CHECKSUM_API_KEY=hunter2", ParseApiKeyError::Assignment),
            (
                "export CHECKSUM_API_KEY=hunter2",
                ParseApiKeyError::Assignment,
            ),
            ("api_key='hunter2'", ParseApiKeyError::Assignment),
            ("Bearer hunter2", ParseApiKeyError::Header),
            ("Authorization: Bearer hunter2", ParseApiKeyError::Header),
            ("$hunter2", ParseApiKeyError::Placeholder),
            ("${{ secrets.hunter2 }}", ParseApiKeyError::Placeholder),
            ("$(hunter2)", ParseApiKeyError::Placeholder),
            ("<hunter2>", ParseApiKeyError::Placeholder),
            ("%hunter2%", ParseApiKeyError::Placeholder),
            ("***", ParseApiKeyError::Placeholder),
            (
                "hunt\ner2",
                ParseApiKeyError::Character {
                    offset: 4,
                    length: 8,
                },
            ),
            (
                "hun ter2",
                ParseApiKeyError::Character {
                    offset: 3,
                    length: 8,
                },
            ),
            (
                "h\u{fc}nter2",
                ParseApiKeyError::Character {
                    offset: 1,
                    length: 8,
                },
            ),
        ] {
            let error = ApiKey::new(text).expect_err("rejected");
            assert_eq!(error, expected);
            assert!(!error.to_string().contains("ter2"));
        }
    }

    #[test]
    fn white_space_around_a_key_is_removed() {
        for text in [
            "hunter2",
            "hunter2\n",
            "\r\n\t hunter2 \r\n",
            "\u{feff}hunter2\n",
        ] {
            let key = ApiKey::new(text).expect(text);
            assert_eq!(key.expose(), "hunter2");
        }
        for text in [
            "a=", "YWJj==", "a-b=c", "a\"b\\c", "\"a", "a$b", "$a-b", "<a", "1=2", "x",
        ] {
            let key = ApiKey::new(text).expect(text);
            assert_eq!(key.expose(), text);
        }
    }

    #[test]
    fn debug_prints_stars() {
        let key = ApiKey::new("hunter2").expect("a key");
        assert_eq!(format!("{key:?}"), "***");
        assert_eq!(format!("{:?}", key.header()), "Sensitive");
    }
}
