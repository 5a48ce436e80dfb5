//! What each operation does, in the order of the document.

pub(crate) mod bugs;
pub(crate) mod execution;
pub(crate) mod generation;
pub(crate) mod healing;
pub(crate) mod project;
pub(crate) mod results;

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::state::State;

/// Acts on one request.
pub(crate) type Handler = fn(&mut State, &Call) -> Result<Answer, Refusal>;
