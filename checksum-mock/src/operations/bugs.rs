//! The bugs of the health dashboard.

use serde_json::{Value, json};

use super::request::ApiRequest;
use super::response::{JsonResponse, OperationResult};
use crate::state::{State, fixtures};

const DEFAULT_LIMIT: usize = 20;

pub(crate) fn list_bugs(_: &mut State, request: &ApiRequest) -> OperationResult {
    let limit = request.query_number("limit")?.unwrap_or(DEFAULT_LIMIT);
    let offset = request.query_number("offset")?.unwrap_or(0);
    let tags: Vec<&str> = request.query_all("tags").collect();
    let mut equal = Vec::new();
    for name in ["status", "severity", "project", "collectionName"] {
        equal.extend(request.query(name)?.map(|value| (name, value)));
    }
    let search = request.query("search")?.unwrap_or_default().to_lowercase();
    let has_search = |bug: &Value| {
        let title = bug["title"].as_str().unwrap_or_default();
        title.to_lowercase().contains(&search)
    };
    let has_tag = |bug: &Value| {
        let own = bug["tags"].as_array();
        own.is_some_and(|own| own.iter().any(|own| tags.iter().any(|tag| own == tag)))
    };
    let mut bugs = fixtures::bugs();
    bugs.retain(|bug| {
        equal.iter().all(|(name, value)| bug[name] == *value)
            && has_search(bug)
            && (tags.is_empty() || has_tag(bug))
    });
    let total = bugs.len();
    let page: Vec<Value> = bugs.into_iter().skip(offset).take(limit).collect();
    let page = json!({ "bugs": page, "total": total, "limit": limit, "offset": offset });
    Ok(JsonResponse::ok(page))
}
