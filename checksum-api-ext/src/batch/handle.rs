//! The handle of a batch.

use std::time::SystemTime;

use checksum_api::types::BatchId;
use serde::{Deserialize, Serialize};

use crate::timestamp;

/// Everything that any process needs to resume a batch: a small value to store anywhere.
///
/// It can also be deserialised from a batch's id alone.
///
/// ```
/// use checksum_api_ext::BatchHandle;
///
/// let handle: BatchHandle = serde_json::from_str(r#""batch-xyz-789""#)?;
/// assert_eq!(handle.batch_id().as_str(), "batch-xyz-789");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", from = "Stored")]
#[cfg_attr(
    feature = "schemars",
    schemars(description = "The handle by which a batch is resumed.")
)]
pub struct BatchHandle {
    batch_id: BatchId,
    /// When the batch was started, in UTC; absent from the handle of a batch that is known by its
    /// id alone.
    #[serde(with = "timestamp::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Option<String>"))]
    started_at: Option<SystemTime>,
}

/// The forms in which a handle may have been stored.
#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Stored {
    Id(BatchId),
    Handle {
        batch_id: BatchId,
        #[serde(default, with = "timestamp::option")]
        #[cfg_attr(feature = "schemars", schemars(with = "Option<String>"))]
        started_at: Option<SystemTime>,
    },
}

impl BatchHandle {
    /// Returns a handle from a batch's id alone.
    pub fn new(batch_id: BatchId) -> Self {
        Self {
            batch_id,
            started_at: None,
        }
    }

    pub(super) fn started_now(batch_id: BatchId) -> Self {
        Self {
            batch_id,
            started_at: Some(timestamp::now()),
        }
    }

    /// Returns the batch's id.
    pub fn batch_id(&self) -> &BatchId {
        &self.batch_id
    }

    /// Returns when the batch was started, if this is known.
    pub fn started_at(&self) -> Option<SystemTime> {
        self.started_at
    }
}

impl From<BatchId> for BatchHandle {
    fn from(batch_id: BatchId) -> Self {
        Self::new(batch_id)
    }
}

impl From<Stored> for BatchHandle {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Id(batch_id) => batch_id.into(),
            Stored::Handle {
                batch_id,
                started_at,
            } => Self {
                batch_id,
                started_at,
            },
        }
    }
}
