//! Decodes responses. Where one differs from the document, as little of it as possible is lost.

pub(crate) mod gate;
pub(crate) mod identifier;
pub(crate) mod lenient;
pub(crate) mod list;
pub(crate) mod open_enum;
pub(crate) mod string_type;

use serde::de::DeserializeOwned;

use self::lenient::{DecodeError, decode};

/// The byte order mark that some servers send before UTF-8 text.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Decodes the body of one response.
pub(crate) trait Decoder<T>: Send {
    /// Returns what takes the parts of a large body as they arrive, so that they need not be kept.
    fn arriving(&mut self) -> Option<&mut dyn Arriving> {
        None
    }

    /// Decodes the response. `body` is its beginning, if its parts have been taken.
    fn finish(self, body: &[u8]) -> Result<T, DecodeError>;
}

/// Takes the parts of a body as they arrive.
pub(crate) trait Arriving: Send {
    fn feed(&mut self, part: &[u8]);
}

/// Decodes a body that has arrived as a whole.
pub(crate) struct Whole;

impl<T: DeserializeOwned> Decoder<T> for Whole {
    fn finish(self, body: &[u8]) -> Result<T, DecodeError> {
        decode(body)
    }
}
