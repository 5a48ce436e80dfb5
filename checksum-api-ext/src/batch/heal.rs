//! Starts healing on the caller's request, and represents its batch.

use std::pin::Pin;
use std::sync::Arc;

use checksum_api::types::{HealBatchStarted, SessionId, TestId, TestRunId};
use checksum_api::{OperationId, RawResponse};

use super::heal_options::HealOptions;
use super::{Batch, BatchHandle, Kind, batch_methods};
use crate::core::Core;
use crate::error::Error;
use crate::intent::Intent;
use crate::poll::Pollable;
use crate::telemetry;

/// Healing that is not started yet. Returned by [`Checksum::heal`](crate::Checksum::heal),
/// [`RunReport::heal`](crate::RunReport::heal) and [`TestRun::heal`](crate::TestRun::heal).
/// Awaiting it is the same as [`start`](Self::start).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `start`"]
pub struct StartHealing {
    core: Core,
    test_run_id: TestRunId,
    options: HealOptions,
}

impl StartHealing {
    pub(crate) fn new(core: &Core, test_run_id: TestRunId, options: HealOptions) -> Self {
        Self {
            core: core.clone(),
            test_run_id,
            options,
        }
    }

    /// Returns a record to store before [`start`](Self::start). After a crash in between, it shows
    /// that healing may have started.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest): the service would reject
    /// the request.
    pub fn intent(&self) -> Result<Intent, Error> {
        let body = self.options.heal_request(self.test_run_id.clone())?;
        let fields = self.options.extra_fields();
        Ok(Intent::new(OperationId::TriggerAutoHeal, &body, fields))
    }

    /// Starts healing, at most once, as [`StartRun::start`](crate::StartRun::start) does.
    ///
    /// # Errors
    ///
    /// As for [`StartRun::start`](crate::StartRun::start). [`Error::is_not_found`] if the service
    /// knows no such test run, for example because the id is a job name.
    pub async fn start(self) -> Result<HealBatch, Error> {
        let key = |started: &HealBatch| started.batch.key();
        telemetry::start(OperationId::TriggerAutoHeal, self.send(), key).await
    }

    async fn send(self) -> Result<HealBatch, Error> {
        let body = self.options.heal_request(self.test_run_id)?;
        let fields = self.options.extra_fields().clone();
        let started = self
            .core
            .dispatch(fields, |client| {
                let body = body.clone();
                async move {
                    client
                        .trigger_auto_heal()
                        .body(body)
                        .execute_with_response()
                        .await
                }
            })
            .await?;
        let handle = BatchHandle::started_now(started.0.batch_id.clone());
        Ok(HealBatch {
            started: Some(Arc::new(started)),
            ..HealBatch::resume(&self.core, handle)
        })
    }
}

impl IntoFuture for StartHealing {
    type Output = Result<HealBatch, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

/// Sessions that repair the failed tests of a run. Awaiting it waits until every session has ended.
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
/// # let options = checksum_api_ext::HealOptions::open_pull_request("acme-co/my-tests".parse()?);
/// # checksum.run_suite().auto_heal(options).start().await?.await?;
/// # let batch_id: checksum_api_ext::BatchId = mock.heal_batches()[0].parse()?;
/// let status = checksum.resume_heal_batch(batch_id).await?;
/// let session = &status.sessions()[0];
/// assert_eq!(session.status.as_str(), "completed");
/// assert_eq!(session.pr_url.as_deref(), Some("https://github.com/acme-co/my-tests/pull/43"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a batch goes on unobserved unless it is awaited or its handle is kept"]
pub struct HealBatch {
    pub(super) batch: Batch,
    started: Option<Arc<(HealBatchStarted, RawResponse)>>,
}

batch_methods!(HealBatch);

impl HealBatch {
    pub(crate) fn resume(core: &Core, handle: BatchHandle) -> Self {
        Self {
            batch: Batch::new(core, Kind::Heal, handle),
            started: None,
        }
    }

    fn started(&self) -> Option<&HealBatchStarted> {
        Some(&self.started.as_ref()?.0)
    }

    /// Returns the sessions that the service named when it accepted the healing. Empty if there is
    /// nothing to heal, and for a resumed batch.
    pub fn session_ids(&self) -> &[SessionId] {
        self.started().map_or(&[], |started| &started.session_ids)
    }

    /// Returns how many failures the service accepted; `None` if it did not say so, and for a
    /// resumed batch.
    pub fn failure_count(&self) -> Option<u64> {
        self.started()?.failure_count
    }

    /// Returns the tests that are to be healed. Empty for a resumed batch.
    pub fn test_ids(&self) -> &[TestId] {
        self.started().map_or(&[], |started| &started.test_ids)
    }
}
