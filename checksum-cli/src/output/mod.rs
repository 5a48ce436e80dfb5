//! Everything that the command prints. All text passes through [`text`], which redacts secrets and
//! removes what a terminal or a CI system would act on.

pub(crate) mod colour;
pub(crate) mod live_line;
pub(crate) mod resume_hint;
pub(crate) mod shell_quote;
pub(crate) mod stderr;
pub(crate) mod stdout;
pub(crate) mod table;
pub(crate) mod text;
