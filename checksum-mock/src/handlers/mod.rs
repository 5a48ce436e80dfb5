//! What each operation does, in the order of the document.

mod bugs;
mod execution;
mod generation;
mod healing;
mod project;
mod results;

pub(crate) use bugs::list_bugs;
pub(crate) use execution::{
    find_affected_tests, get_run_status, get_run_status_by_run_id, get_run_status_v2,
    run_collection, run_grep, run_grep_v2, run_suite, run_tests,
};
pub(crate) use generation::{get_generation_batch, trigger_auto_generate};
pub(crate) use healing::{get_heal_batch, trigger_auto_heal};
pub(crate) use project::get_project;
pub(crate) use results::{
    get_latest_test_run, get_test_attachments, get_test_run_report, get_test_run_results,
};

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::state::State;

/// Acts on one request.
pub(crate) type Handler = fn(&mut State, &Call) -> Result<Answer, Refusal>;
