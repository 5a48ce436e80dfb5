//! How responses are decoded: what is not quite as the document says costs as little as possible.

pub(crate) mod gate;
pub(crate) mod identifier;
pub(crate) mod lenient;
pub(crate) mod open_enum;
