use std::fmt;

use checksum_api::types::{BatchId, GenerationStarted, HealBatchStarted};

use super::BatchStatus;
use crate::Error;
use crate::call::{Caller, Effort};

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
    use super::{BatchId, BatchStatus, Caller, Effort, Error, fmt};

    pub trait Route: Send + Sync {
        const NAME: &'static str;

        /// What the service answers when it accepts one.
        type Started: Clone + fmt::Debug + Send + Sync + 'static;

        fn look(
            caller: &Caller,
            effort: Effort,
            id: &BatchId,
        ) -> impl Future<Output = Result<BatchStatus, Error>> + Send;
    }
}

impl sealed::Route for Heal {
    const NAME: &'static str = "healing";

    type Started = HealBatchStarted;

    async fn look(caller: &Caller, effort: Effort, id: &BatchId) -> Result<BatchStatus, Error> {
        let answer = caller
            .read(effort, || {
                caller.api().get_heal_batch().batch_id(id).execute()
            })
            .await?;
        Ok(BatchStatus::read(answer))
    }
}

impl sealed::Route for Generation {
    const NAME: &'static str = "generation";

    type Started = GenerationStarted;

    async fn look(caller: &Caller, effort: Effort, id: &BatchId) -> Result<BatchStatus, Error> {
        let answer = caller
            .read(effort, || {
                caller.api().get_generation_batch().batch_id(id).execute()
            })
            .await?;
        Ok(BatchStatus::read(answer))
    }
}
