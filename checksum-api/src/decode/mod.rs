//! Decodes responses. Where one differs from the document, as little of it as possible is lost.

pub(crate) mod gate;
pub(crate) mod identifier;
pub(crate) mod lenient;
pub(crate) mod open_enum;
pub(crate) mod string_type;
