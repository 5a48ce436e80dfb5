//! The JSON output, for programs. Its types copy values, and decide nothing.

mod attachment;
mod batch;
mod dry_run_request;
mod message;
mod named_result;
mod run;
mod schema;
mod test_run_url;
mod writer;

pub(crate) use attachment::{Artifacts, ListedAttachment, UnlistedTest};
pub(crate) use batch::{BatchResult, session};
pub(crate) use dry_run_request::DryRunRequest;
pub(crate) use message::{Line, Message};
pub(crate) use named_result::{NamedResult, WorkResult};
pub(crate) use run::RunResult;
pub(crate) use schema::{is_part_of_a_word, schema};
pub(crate) use test_run_url::{handle_url, test_run_url};
pub(crate) use writer::to_json;
