//! Bugs of the application that tests have found.

mod list;
mod page;
mod pages;
mod stream;

use checksum_api::types::{BugSeverity, BugStatus, TestId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use list::ListBugs;
pub use page::BugPage;
pub use pages::Truncation;
pub use stream::Bugs;

use crate::lenient::{string, strings};

/// A bug of the application that tests have found.
///
/// The API's description lists the states and severities and does not show a bug: every field is
/// read from a likely name, and may be absent. The JSON as it came is kept as `raw`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Bug {
    /// The bug's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The state of its triage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<BugStatus>,
    /// The severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<BugSeverity>,
    /// The test that found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_id: Option<TestId>,
    /// The tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The collection of the test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection_name: Option<String>,
    /// The JSON of this bug, as it came.
    pub raw: Value,
}

impl Bug {
    /// Decodes one element of the list. Returns `None` if it is not an object.
    fn decode(raw: &Value) -> Option<Self> {
        let object = raw.as_object()?;
        let id =
            ["id", "bugId", "_id", "uuid"]
                .iter()
                .find_map(|name| match object.get(*name)? {
                    Value::String(id) if !id.is_empty() => Some(id.clone()),
                    Value::Number(id) => Some(id.to_string()),
                    _ => None,
                });
        let test_id = string(raw, &["checksumTestId", "testId"])
            .or_else(|| string(raw.get("test")?, &["checksumTestId", "id"]))
            .and_then(|id| TestId::new(id).ok());
        let collection_name = string(raw, &["collectionName", "collection"])
            .or_else(|| string(raw.get("collection")?, &["name"]));
        Some(Self {
            id,
            title: string(raw, &["title", "name", "summary"]).map(str::to_owned),
            status: string(raw, &["status", "state"]).map(BugStatus::from),
            severity: string(raw, &["severity"]).map(BugSeverity::from),
            test_id,
            tags: strings(raw, &["tags", "labels"]),
            collection_name: collection_name.map(str::to_owned),
            raw: raw.clone(),
        })
    }

    /// Returns a key that identifies the bug: its id, or its JSON if it has no id.
    fn key(&self) -> String {
        self.id.clone().unwrap_or_else(|| self.raw.to_string())
    }
}
