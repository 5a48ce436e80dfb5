mod handle;
mod kind;
mod start_generation;
mod start_heal;
mod status;
mod wait;

use std::fmt;
use std::sync::Arc;

use checksum_api::types::{BatchId, GenerationStarted, HealBatchStarted, SessionId, TestId};

pub use handle::BatchHandle;
pub use kind::{BatchKind, Generation, Heal};
pub use start_generation::StartGeneration;
pub use start_heal::StartHealing;
pub use status::{BatchEvent, BatchStatus};

use crate::core::{Core, Retry};
use crate::error::Error;
use crate::poll::PollPolicy;

/// Agent work that consists of sessions: healing ([`HealBatch`]) or generation
/// ([`GenerationBatch`]). Awaiting it waits until every session has ended.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mock = checksum_mock::Mock::start().await?;
/// # let checksum = checksum_api_ext::Checksum::builder()
/// #     .api_key("my-key".parse()?)
/// #     .base_url(mock.url().parse()?)
/// #     .poll_policy(checksum_api_ext::PollPolicy::immediate())
/// #     .build()?;
/// # mock.next_run(checksum_mock::RunScript::new().fail_tests(["test-def-456"]));
/// # let heal = checksum_api_ext::AutoHeal::pull_request("acme-co/my-tests".parse()?);
/// # checksum.run_suite().auto_heal(heal).start().await?.await?;
/// # let batch_id = mock.heal_batches()[0].parse()?;
/// let report = checksum.heal_batch(batch_id).await?;
/// let session = &report.sessions()[0];
/// assert_eq!(session.status.as_str(), "completed");
/// assert_eq!(session.pr_url.as_deref(), Some("https://github.com/acme-co/my-tests/pull/43"));
/// # Ok(())
/// # }
/// ```
#[must_use = "a batch goes on unwatched unless it is awaited"]
pub struct Batch<K: BatchKind> {
    core: Core,
    handle: BatchHandle,
    policy: PollPolicy,
    /// The answer to the request that started it, where this process sent that.
    started: Option<Arc<K::Started>>,
}

/// Sessions that repair the failed tests of a run.
pub type HealBatch = Batch<Heal>;

/// Sessions that write tests for a pull request.
pub type GenerationBatch = Batch<Generation>;

impl<K: BatchKind> Batch<K> {
    pub(crate) fn new(core: &Core, handle: BatchHandle) -> Self {
        Self {
            core: core.clone(),
            handle,
            policy: core.poll_policy(),
            started: None,
        }
    }

    fn just_started(core: &Core, id: BatchId, answer: K::Started) -> Self {
        Self {
            started: Some(Arc::new(answer)),
            ..Self::new(core, BatchHandle::started_now(id))
        }
    }

    /// The batch's id, by which it can be taken up again from any process.
    pub fn id(&self) -> &BatchId {
        self.handle.batch_id()
    }

    /// What is needed to resume the batch, from any process: a small value to store.
    pub fn handle(&self) -> BatchHandle {
        self.handle.clone()
    }

    /// Polls once.
    ///
    /// # Errors
    ///
    /// The request failed, after the client's [`RetryPolicy`](crate::RetryPolicy).
    pub async fn status(&self) -> Result<BatchStatus, Error> {
        K::poll(&self.core, Retry::ByPolicy, self.id()).await
    }
}

impl Batch<Heal> {
    /// What the service said when it accepted the healing; `None` where the batch was taken up by
    /// its id.
    pub fn accepted(&self) -> Option<&HealBatchStarted> {
        self.started.as_deref()
    }

    /// The sessions, where this process started them. None where there is nothing to heal.
    pub fn session_ids(&self) -> &[SessionId] {
        self.accepted().map_or(&[], |answer| &answer.session_ids)
    }

    /// How many failures the service has taken on, where it said so.
    pub fn failure_count(&self) -> Option<u64> {
        self.accepted()?.failure_count
    }

    /// The tests that are to be healed, where this process started the healing.
    pub fn test_ids(&self) -> &[TestId] {
        self.accepted().map_or(&[], |answer| &answer.test_ids)
    }
}

impl Batch<Generation> {
    /// What the service said when it accepted the generation; `None` where the batch was taken up
    /// by its id.
    pub fn accepted(&self) -> Option<&GenerationStarted> {
        self.started.as_deref()
    }

    /// The agent's session, where the service named it.
    pub fn session_id(&self) -> Option<&SessionId> {
        self.accepted()?.session_id.as_ref()
    }

    /// The session's page in the web app, where the service gave it.
    pub fn session_url(&self) -> Option<&str> {
        self.accepted()?.links.as_ref()?.session.as_deref()
    }
}

impl<K: BatchKind> fmt::Debug for Batch<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Batch")
            .field("kind", &K::NAME)
            .field("handle", &self.handle)
            .field("policy", &self.policy)
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

// Derived, it would ask for `K: Clone`.
impl<K: BatchKind> Clone for Batch<K> {
    fn clone(&self) -> Self {
        Self {
            core: self.core.clone(),
            handle: self.handle.clone(),
            policy: self.policy,
            started: self.started.clone(),
        }
    }
}
