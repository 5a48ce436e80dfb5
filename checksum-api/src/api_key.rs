use std::fmt;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::secrets::Redactor;

/// An API key, as created in the dashboard under Settings, Project Settings.
///
/// It zeroes its memory when it is dropped and prints as `***`.
///
/// ```
/// use checksum_api::ApiKey;
///
/// let key = ApiKey::new("my-key")?;
/// assert_eq!(format!("{key:?}"), "***");
/// # Ok::<(), checksum_api::InvalidApiKey>(())
/// ```
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// Why a text cannot be an API key. The text itself is never part of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidApiKey {
    /// Nothing, or nothing but white space.
    #[error("the API key is empty")]
    Empty,
    /// A line break, a space or any other character that a header cannot carry safely.
    #[error(
        "the API key contains white space or a character outside visible ASCII \
         (at offset {offset} of {length} bytes); was it pasted with a line break?"
    )]
    Character {
        /// Where the first such character stands, in bytes.
        offset: usize,
        /// The length of the text, in bytes.
        length: usize,
    },
}

impl ApiKey {
    /// Takes a key that consists of visible ASCII characters.
    ///
    /// # Errors
    ///
    /// The key is empty, or holds a character that does not belong into a header: a line break
    /// from a file, say. It is refused rather than trimmed, so that nobody is surprised by which
    /// key is in use.
    pub fn new(key: impl Into<String>) -> Result<Self, InvalidApiKey> {
        let key = SecretString::from(key.into());
        let text = key.expose_secret();
        if text.trim().is_empty() {
            return Err(InvalidApiKey::Empty);
        }
        match text.find(|character: char| !character.is_ascii_graphic()) {
            Some(offset) => Err(InvalidApiKey::Character {
                offset,
                length: text.len(),
            }),
            None => Ok(Self(key)),
        }
    }

    /// The `Authorization` header, marked sensitive so that no layer below prints it.
    pub(crate) fn header(&self) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
        let text = SecretString::from(format!("Bearer {}", self.0.expose_secret()));
        let mut header = HeaderValue::from_str(text.expose_secret())?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// What no text may repeat.
    pub(crate) fn secrets(&self) -> Redactor {
        Redactor::key(&self.0)
    }
}

impl std::str::FromStr for ApiKey {
    type Err = InvalidApiKey;

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
    fn refuses_what_a_header_cannot_carry_without_repeating_it() {
        for (text, expected) in [
            ("", InvalidApiKey::Empty),
            (" \n", InvalidApiKey::Empty),
            (
                "hunter2\n",
                InvalidApiKey::Character {
                    offset: 7,
                    length: 8,
                },
            ),
            (
                "hun ter2",
                InvalidApiKey::Character {
                    offset: 3,
                    length: 8,
                },
            ),
            (
                "h\u{fc}nter2",
                InvalidApiKey::Character {
                    offset: 1,
                    length: 8,
                },
            ),
        ] {
            let error = ApiKey::new(text).expect_err("refused");
            assert_eq!(error, expected);
            assert!(!error.to_string().contains("ter2"));
        }
    }

    #[test]
    fn prints_as_stars() {
        let key = ApiKey::new("hunter2").expect("a key");
        assert_eq!(format!("{key:?}"), "***");
        assert_eq!(
            format!("{:?}", key.header().expect("a header")),
            "Sensitive"
        );
    }
}
