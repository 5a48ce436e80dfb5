use std::fmt;

use checksum_api::types::{BatchId, GenerationStarted, HealBatchStarted};

use super::BatchStatus;
use crate::core::{Core, Retry};
use crate::error::Error;

/// Healing, as a kind of [`Batch`](super::Batch).
#[derive(Clone, Debug)]
pub enum Heal {}

/// Generation, as a kind of [`Batch`](super::Batch).
#[derive(Clone, Debug)]
pub enum Generation {}

/// What a batch is for. Implemented by [`Heal`] and [`Generation`] only.
pub trait BatchKind: sealed::Route + 'static {}

impl<K: sealed::Route + 'static> BatchKind for K {}

mod sealed {
    use super::{BatchId, BatchStatus, Core, Error, Retry, fmt};

    pub trait Route: Send + Sync {
        const NAME: &'static str;

        /// What the service answers when it accepts one.
        type Started: Clone + fmt::Debug + Send + Sync + 'static;

        fn poll(
            core: &Core,
            retry: Retry,
            id: &BatchId,
        ) -> impl Future<Output = Result<BatchStatus, Error>> + Send;
    }
}

impl sealed::Route for Heal {
    const NAME: &'static str = "healing";

    type Started = HealBatchStarted;

    async fn poll(core: &Core, retry: Retry, id: &BatchId) -> Result<BatchStatus, Error> {
        let answer = core
            .read(retry, || core.api().get_heal_batch().batch_id(id).execute())
            .await;
        answer
            .map(BatchStatus::read)
            .map_err(Error::of_started_work)
    }
}

impl sealed::Route for Generation {
    const NAME: &'static str = "generation";

    type Started = GenerationStarted;

    async fn poll(core: &Core, retry: Retry, id: &BatchId) -> Result<BatchStatus, Error> {
        let answer = core
            .read(retry, || {
                core.api().get_generation_batch().batch_id(id).execute()
            })
            .await;
        answer
            .map(BatchStatus::read)
            .map_err(Error::of_started_work)
    }
}
