//! Decoding a page of bugs, whose form the API's description does not show.

use checksum_api::OperationId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Bug;
use crate::error::Error;
use crate::lenient::{boolean, integer};

/// Fields that hold the list.
const LISTS: [&str; 6] = ["bugs", "items", "data", "results", "records", "result"];

/// Fields that hold an object which describes the page.
const ABOUT: [&str; 4] = ["pagination", "meta", "page", "pageInfo"];

/// How deep the list may be nested.
const MAX_DEPTH: usize = 3;

/// A page of bugs.
///
/// The API's description does not show one. This crate decodes an array, and an object with `bugs`,
/// `items`, `data` or `results`, which may have `total`, `hasMore` and `next`, also within
/// `pagination` or `meta`. The JSON as it came is kept as `raw`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BugPage {
    /// The bugs, in the order of the response, without elements that are not objects.
    pub bugs: Vec<Bug>,
    /// How many there are on all pages, if the service says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Whether there is another page, if the service says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// How many a page has at most, if the service says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// How many elements the response's list has, including those that are not bugs.
    #[serde(skip)]
    pub(super) length: usize,
    /// The response as it came.
    pub raw: Value,
}

impl BugPage {
    pub(crate) fn decode(raw: Value) -> Result<Self, Error> {
        let Some((holders, list)) = find(&raw, 0) else {
            return Err(Error::unexpected_response(
                OperationId::ListBugs,
                "no list of bugs",
                raw,
            ));
        };
        let about: Vec<&Value> = holders
            .iter()
            .flat_map(|holder| {
                let within = ABOUT.iter().filter_map(|name| holder.get(*name));
                std::iter::once(*holder).chain(within)
            })
            .collect();
        let total = ["total", "totalCount", "totalItems"];
        let total = about.iter().find_map(|one| integer(one, &total));
        let more = ["hasMore", "has_more", "hasNextPage", "hasNext"];
        let more = about.iter().find_map(|one| boolean(one, &more));
        let next = ["next", "nextOffset", "nextPage", "nextCursor"];
        let next = about
            .iter()
            .find_map(|one| next.iter().find_map(|name| one.get(*name)))
            .map(|next| !matches!(next, Value::Null | Value::Bool(false)) && next != "");
        let limit = ["limit", "pageSize", "perPage"];
        let limit = about.iter().find_map(|one| integer(one, &limit));
        Ok(Self {
            bugs: list.iter().filter_map(Bug::decode).collect(),
            total,
            has_more: more.or(next),
            limit,
            length: list.len(),
            raw,
        })
    }

    /// Returns whether the service plausibly says that this page, which ends at `end`, is the last
    /// one.
    pub(super) fn is_said_to_be_last(&self, end: u64) -> bool {
        let length = self.length as u64;
        let is_short = self.limit.is_some_and(|limit| length < limit);
        match (self.has_more, self.total) {
            (Some(has_more), _) => !has_more,
            // Some services give the number of bugs on the page as the total.
            (None, Some(total)) => end >= total && (total > length || is_short),
            (None, None) => is_short,
        }
    }
}

/// Returns the list, and the objects around it from the inside out.
fn find(value: &Value, depth: usize) -> Option<(Vec<&Value>, &[Value])> {
    match value {
        Value::Array(list) => Some((Vec::new(), list)),
        // A list that is null counts as an empty one.
        Value::Null => Some((Vec::new(), &[])),
        Value::Object(fields) if depth < MAX_DEPTH => {
            let mut held = LISTS.iter().filter_map(|name| fields.get(*name));
            let (mut holders, list) = held.find_map(|inner| find(inner, depth + 1))?;
            holders.push(value);
            Some((holders, list))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_every_likely_shape() {
        let list = json!([{ "id": "a" }, { "bugId": 7 }, null, "text"]);
        for response in [
            list.clone(),
            json!({ "bugs": list }),
            json!({ "items": list }),
            json!({ "data": list }),
            json!({ "results": list }),
            json!({ "data": { "bugs": list } }),
        ] {
            let page = BugPage::decode(response.clone()).expect("a page");
            let ids: Vec<_> = page.bugs.iter().filter_map(|bug| bug.id.clone()).collect();
            assert_eq!(ids, ["a", "7"], "{response}");
            assert_eq!((page.length, page.total, page.has_more), (4, None, None));
            assert_eq!(page.raw, response);
        }
    }

    #[test]
    fn reads_paging_fields() {
        for (about, total, has_more) in [
            (json!({ "bugs": [], "total": 3 }), Some(3), None),
            (
                json!({ "bugs": [], "total": "3", "hasMore": true }),
                Some(3),
                Some(true),
            ),
            (json!({ "bugs": [], "next": null }), None, Some(false)),
            (
                json!({ "bugs": [], "next": "/x?offset=2" }),
                None,
                Some(true),
            ),
            (
                json!({ "data": [], "meta": { "total": 9, "hasMore": false } }),
                Some(9),
                Some(false),
            ),
            (
                json!({ "data": { "bugs": [] }, "pagination": { "total": 9 } }),
                Some(9),
                None,
            ),
            (
                json!({ "bugs": [], "total": null, "hasMore": "no" }),
                None,
                None,
            ),
        ] {
            let page = BugPage::decode(about.clone()).expect("a page");
            assert_eq!((page.total, page.has_more), (total, has_more), "{about}");
        }
    }

    #[test]
    fn empty_pages_are_decoded_and_other_shapes_are_rejected() {
        for none in [json!(null), json!([]), json!({ "bugs": null })] {
            assert!(BugPage::decode(none).expect("a page").bugs.is_empty());
        }
        for odd in [
            json!("<html>"),
            json!(3),
            json!({}),
            json!({ "bugs": "none" }),
            json!({ "message": "x".repeat(1_000_000) }),
        ] {
            let error = BugPage::decode(odd.clone()).expect_err("no page");
            assert_eq!(error.response_body(), Some(&odd));
            assert!(error.to_string().len() < 400);
        }
    }

    #[test]
    fn bug_fields_may_be_absent() {
        let full = json!({
            "id": "bug-1", "title": "T", "status": "on-fire", "severity": "major",
            "checksumTestId": "test-1", "tags": ["a", null], "collection": { "name": "C" },
        });
        let bug = Bug::decode(&full).expect("a bug");
        assert_eq!(
            bug.status.as_ref().map(|status| status.as_str()),
            Some("on-fire")
        );
        assert_eq!(bug.test_id.as_ref().map(|id| id.as_str()), Some("test-1"));
        assert_eq!(
            (bug.tags, bug.collection_name),
            (vec!["a".to_owned()], Some("C".to_owned()))
        );
        let odd = json!({ "id": null, "status": 3, "tags": "one", "testId": ".." });
        let bug = Bug::decode(&odd).expect("a bug");
        assert_eq!((bug.id, bug.status, bug.test_id), (None, None, None));
        assert_eq!(bug.tags, ["one"]);
    }
}
