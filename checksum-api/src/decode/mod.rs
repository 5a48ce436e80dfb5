//! How responses are decoded: a difference from the document costs as little of a response as possible.

pub(crate) mod gate;
pub(crate) mod identifier;
pub(crate) mod lenient;
pub(crate) mod open_enum;
pub(crate) mod string_type;
