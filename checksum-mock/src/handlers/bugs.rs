use serde_json::{Value, json};

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::catalogue;
use crate::state::State;

const DEFAULT_LIMIT: usize = 20;

pub(crate) fn list_bugs(_: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let limit = call.query_number("limit")?.unwrap_or(DEFAULT_LIMIT);
    let offset = call.query_number("offset")?.unwrap_or(0);
    let tags: Vec<&str> = call.query_all("tags").collect();
    let mut wanted = Vec::new();
    for name in ["status", "severity", "project", "collectionName"] {
        wanted.extend(call.query(name)?.map(|value| (name, value)));
    }
    let has_text = |bug: &Value, text: &str| {
        bug["title"]
            .as_str()
            .is_some_and(|title| title.to_lowercase().contains(text))
    };
    let has_tag = |bug: &Value| {
        bug["tags"]
            .as_array()
            .is_some_and(|own| own.iter().any(|tag| tags.iter().any(|t| tag == t)))
    };
    let search = call.query("search")?.map(str::to_lowercase);
    let mut bugs = catalogue::bugs();
    bugs.retain(|bug| {
        wanted.iter().all(|(name, value)| bug[name] == *value)
            && search.as_deref().is_none_or(|text| has_text(bug, text))
            && (tags.is_empty() || has_tag(bug))
    });
    let total = bugs.len();
    let page: Vec<Value> = bugs.into_iter().skip(offset).take(limit).collect();
    let page = json!({ "bugs": page, "total": total, "limit": limit, "offset": offset });
    Ok(Answer::ok(page))
}
