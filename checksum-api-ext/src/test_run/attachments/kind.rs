//! The kinds of attachments.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The kind of an attachment. The API's description names three kinds and does not show how a
/// response names them, so the kind is derived from whatever the response has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttachmentKind {
    /// A record of every step, for a trace viewer.
    Trace,
    /// A picture of the page.
    Screenshot,
    /// A video of the page.
    Video,
    /// Any other kind, as the service names it; `file` if the service names none.
    Other(String),
}

impl AttachmentKind {
    /// Returns the kind, in one word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Trace => "trace",
            Self::Screenshot => "screenshot",
            Self::Video => "video",
            Self::Other(word) => word,
        }
    }

    /// Returns the kind that a word means, in singular or plural, or `None` for an unknown word.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        let singular = word.strip_suffix('s').unwrap_or(&word);
        match singular {
            "trace" => Some(Self::Trace),
            "screenshot" | "image" | "picture" | "snapshot" => Some(Self::Screenshot),
            "video" | "recording" => Some(Self::Video),
            _ => None,
        }
    }

    /// Returns the kind that a media type means.
    pub(super) fn of_content_type(content_type: &str) -> Option<Self> {
        match content_type.split_once('/')?.0 {
            "image" => Some(Self::Screenshot),
            "video" => Some(Self::Video),
            _ => None,
        }
    }

    /// Returns the kind that a file's extension means. An archive is a trace, as Playwright, which
    /// the tests are written for, writes them.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
        match &*extension {
            "zip" => Some(Self::Trace),
            "png" | "jpg" | "jpeg" | "webp" | "gif" => Some(Self::Screenshot),
            "webm" | "mp4" | "mov" => Some(Self::Video),
            _ => None,
        }
    }
}

impl fmt::Display for AttachmentKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl From<&str> for AttachmentKind {
    fn from(word: &str) -> Self {
        Self::from_word(word).unwrap_or_else(|| Self::Other(word.to_owned()))
    }
}

impl Serialize for AttachmentKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AttachmentKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(deserializer)?.as_str().into())
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for AttachmentKind {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AttachmentKind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What an attachment is.",
            "type": "string",
            "anyOf": [{ "type": "string", "enum": ["trace", "screenshot", "video"] }, { "type": "string" }],
        })
    }
}
