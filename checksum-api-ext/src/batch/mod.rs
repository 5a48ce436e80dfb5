//! Agent work that consists of sessions: healing and generation.

mod generation;
mod handle;
mod heal;
mod heal_options;
mod status;
mod wait;

use checksum_api::types::BatchId;

pub use generation::{GenerationBatch, StartGeneration};
pub use handle::BatchHandle;
pub use heal::{HealBatch, StartHealing};
pub use heal_options::HealOptions;
pub(crate) use heal_options::non_blank_branch;
pub use status::{BatchEvent, BatchStatus};

use crate::core::{Core, Retry};
use crate::error::Error;
use crate::poll::PollPolicy;

/// The part that healing and generation share: both are polled by the id of a batch.
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

impl Kind {
    /// Returns the key of a batch's handle.
    pub(crate) fn key(self, id: &BatchId) -> String {
        match self {
            Self::Heal => format!("heal-batch:{id}"),
            Self::Generation => format!("generation-batch:{id}"),
        }
    }
}

impl Batch {
    pub(crate) fn new(core: &Core, kind: Kind, handle: BatchHandle) -> Self {
        Self {
            core: core.clone(),
            kind,
            handle,
            policy: core.poll,
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
        let failed =
            |error: Error| error.of_poll(self.kind.key(id), self.handle.started_at().is_some());
        batch.map(BatchStatus::read).map_err(failed)
    }
}

/// Implements the methods that both public kinds of batches have.
macro_rules! batch_methods {
    ($batch:ident) => {
        impl $batch {
            /// Returns the batch's id.
            pub fn id(&self) -> &checksum_api::types::BatchId {
                self.batch.id()
            }

            /// Returns the handle by which any process can resume the batch: a small value to
            /// store.
            pub fn handle(&self) -> crate::batch::BatchHandle {
                self.batch.handle.clone()
            }

            /// Sets the policy for waiting. Default: the client's.
            pub fn with_poll_policy(mut self, policy: crate::poll::PollPolicy) -> Self {
                self.batch.policy = policy;
                self
            }

            /// Polls once, and returns the status.
            ///
            /// # Errors
            ///
            /// The request failed, after the client's [`RetryPolicy`](crate::RetryPolicy).
            pub async fn status(&self) -> Result<crate::batch::BatchStatus, crate::error::Error> {
                self.batch.status(crate::core::Retry::ByPolicy).await
            }

            /// Waits until every session is done. Awaiting the batch itself does the same.
            ///
            /// # Errors
            ///
            /// As for [`Run::wait`](crate::Run::wait).
            pub async fn wait(self) -> Result<crate::batch::BatchStatus, crate::error::Error> {
                self.batch.wait().await
            }

            /// Returns a stream of events until every session is done. The last item is
            /// [`Finished`](crate::Event::Finished), or the error that ended the wait.
            pub fn events(
                &self,
            ) -> crate::poll::Events<crate::batch::BatchStatus, crate::batch::BatchStatus> {
                self.batch.events()
            }

            /// Returns the response to the request that started the batch: its request id, headers
            /// and body. `None` if the batch was resumed.
            pub fn start_response(&self) -> Option<&checksum_api::RawResponse> {
                Some(&self.started.as_ref()?.1)
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
