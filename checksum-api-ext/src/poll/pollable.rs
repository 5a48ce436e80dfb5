use tokio::time::Instant;

use crate::Error;

/// Work that goes on elsewhere and is looked at until it has ended.
pub(crate) trait Pollable: Send {
    /// What a look sees.
    type Status: Clone + Send;
    /// What is different from the last look.
    type Change: Send;
    /// What is known at the end.
    type End: Send;

    /// The work, as in `run job-name-12345`.
    fn name(&self) -> String;

    /// Looks once.
    fn look(&mut self) -> impl Future<Output = Result<Self::Status, Error>> + Send;

    /// Whether the work has ended.
    fn has_ended(status: &Self::Status) -> bool;

    /// The state, for a person.
    fn state(status: &Self::Status) -> String;

    /// What is different, in order.
    fn changes(previous: Option<&Self::Status>, current: &Self::Status) -> Vec<Self::Change>;

    /// Learns what only the end makes known, no longer than to the deadline.
    fn end(
        &mut self,
        status: Self::Status,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Self::End> + Send;

    /// Whether this process has just started the work, so that the service may not know it yet.
    fn is_fresh(&self) -> bool;
}
