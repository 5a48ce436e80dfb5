//! The operations, in one file for each tag of the API's description.

pub(crate) mod bugs;
pub(crate) mod execution;
pub(crate) mod generation;
pub(crate) mod healing;
pub(crate) mod json_object;
pub(crate) mod project;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod results;
