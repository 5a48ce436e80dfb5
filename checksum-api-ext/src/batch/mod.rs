//! Agent work that consists of sessions: healing and generation.

mod generation;
mod handle;
mod heal;
mod heal_options;
mod status;

use std::time::SystemTime;

use checksum_api::types::BatchId;
use futures_core::Stream;
use tokio::time::Instant;

pub use generation::{GenerationBatch, StartGeneration};
pub use handle::BatchHandle;
pub use heal::{HealBatch, StartHealing};
pub use heal_options::HealOptions;
pub(crate) use heal_options::non_blank_branch;
pub use status::{BatchChange, BatchEvent, BatchStatus};

use crate::core::{Core, Retry};
use crate::error::Error;
use crate::poll::{Ended, PollPolicy, Pollable, Watch};

/// What healing and generation have in common: both are polled by a batch's id.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    core: Core,
    kind: Kind,
    handle: BatchHandle,
    policy: PollPolicy,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Heal,
    Generation,
}

impl Batch {
    pub(crate) fn new(core: &Core, kind: Kind, handle: BatchHandle) -> Self {
        Self {
            core: core.clone(),
            kind,
            handle,
            policy: core.poll_policy(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn handle(&self) -> &BatchHandle {
        &self.handle
    }

    fn id(&self) -> &BatchId {
        self.handle.batch_id()
    }

    async fn status(&self, retry: Retry) -> Result<BatchStatus, Error> {
        let (api, id) = (self.core.api(), self.id());
        let heal = || api.get_heal_batch().batch_id(id).execute();
        let generation = || api.get_generation_batch().batch_id(id).execute();
        let batch = match self.kind {
            Kind::Heal => self.core.read(retry, heal).await,
            Kind::Generation => self.core.read(retry, generation).await,
        };
        batch.map(BatchStatus::read).map_err(Error::of_started_work)
    }

    async fn wait(self) -> Result<BatchStatus, Error> {
        let pacer = self.core.pacer(self.policy);
        Watch::new(self, pacer).end().await
    }

    fn events(&self) -> impl Stream<Item = Result<BatchEvent, Error>> + Send + use<> {
        Watch::new(self.clone(), self.core.pacer(self.policy)).stream()
    }
}

/// Gives a public kind of batch the methods that all have.
macro_rules! batch_methods {
    ($batch:ident) => {
        impl $batch {
            /// Returns the batch's id.
            pub fn id(&self) -> &checksum_api::types::BatchId {
                self.batch.id()
            }

            /// Returns what is needed to resume the batch from any process: a small value to store.
            pub fn handle(&self) -> crate::batch::BatchHandle {
                self.batch.handle.clone()
            }

            /// Sets how this batch is waited for, in place of the client's policy.
            pub fn poll_policy(mut self, policy: crate::poll::PollPolicy) -> Self {
                self.batch.policy = policy;
                self
            }

            /// Polls once.
            ///
            /// # Errors
            ///
            /// The request failed, after the client's [`RetryPolicy`](crate::RetryPolicy).
            pub async fn status(&self) -> Result<crate::batch::BatchStatus, crate::error::Error> {
                self.batch.status(crate::core::Retry::ByPolicy).await
            }

            /// Waits until every session has ended. Awaiting the batch itself does the same.
            ///
            /// # Errors
            ///
            /// As for [`Run::wait`](crate::Run::wait).
            pub async fn wait(self) -> Result<crate::batch::BatchStatus, crate::error::Error> {
                self.batch.wait().await
            }

            /// Returns everything that happens, as a stream; the last item is
            /// [`Finished`](crate::Event::Finished), or the error that ended the wait.
            pub fn events(
                &self,
            ) -> std::pin::Pin<
                Box<
                    dyn futures_core::Stream<
                            Item = Result<crate::batch::BatchEvent, crate::error::Error>,
                        > + Send,
                >,
            > {
                Box::pin(self.batch.events())
            }

            /// Returns the response to the request that started the batch: its request id, headers
            /// and body. `None` if the batch was resumed.
            pub fn start_response(&self) -> Option<&checksum_api::RawResponse> {
                self.started.as_ref()?.1.as_ref()
            }
        }

        impl IntoFuture for $batch {
            type Output = Result<crate::batch::BatchStatus, crate::error::Error>;
            type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.wait())
            }
        }
    };
}
use batch_methods;

impl Pollable for Batch {
    type Status = BatchStatus;
    type Change = BatchChange;
    type End = BatchStatus;

    fn name(&self) -> String {
        let kind = match self.kind {
            Kind::Heal => "healing",
            Kind::Generation => "generation",
        };
        format!("{kind} batch {}", self.id())
    }

    async fn look(&mut self) -> Result<BatchStatus, Error> {
        self.status(Retry::Never).await
    }

    fn ended(status: &BatchStatus) -> Ended {
        status.all_terminal().into()
    }

    fn state(status: &BatchStatus) -> String {
        status.state().to_string()
    }

    fn changes(previous: Option<&BatchStatus>, current: &BatchStatus) -> Vec<BatchChange> {
        BatchChange::between(previous, current)
    }

    async fn end(&mut self, status: BatchStatus, _: Option<Instant>) -> BatchStatus {
        status
    }

    fn started_at(&self) -> Option<SystemTime> {
        self.handle.started_at()
    }
}
