//! The JSON form and the text of a listed attachment.

use std::fmt;
use std::path::PathBuf;

use checksum_api_ext::{Attachment, TestId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::output::text::one_line;

/// The attachments of several tests.
#[derive(Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Artifacts {
    pub(crate) attachments: Vec<ListedAttachment>,
    /// The tests whose attachments could not be listed.
    pub(crate) unknown: Vec<UnlistedTest>,
}

/// An attachment and the result of its download.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedAttachment {
    pub(crate) test_id: TestId,
    #[serde(flatten)]
    pub(crate) attachment: Attachment,
    /// The path of the file; null if it was not downloaded.
    pub(crate) path: Option<PathBuf>,
    /// Why the download failed.
    pub(crate) error: Option<String>,
}

/// A test whose attachments could not be listed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnlistedTest {
    pub(crate) test_id: TestId,
    /// What failed, for which request, and whether it is retryable.
    pub(crate) error: String,
}

impl fmt::Display for UnlistedTest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (test, error) = (&self.test_id, &self.error);
        formatter.write_str(&one_line(&format!(
            "cannot list the attachments of {test}: {error}"
        )))
    }
}

impl fmt::Display for ListedAttachment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match (&self.path, &self.error) {
            (Some(path), _) => path.display().to_string(),
            (None, Some(error)) => error.clone(),
            (None, None) => self.attachment.url().to_string(),
        };
        let (test, kind) = (&self.test_id, self.attachment.kind().as_str());
        let line = format!("{test} {kind} {}: {place}", self.attachment.name());
        formatter.write_str(&one_line(&line))
    }
}
