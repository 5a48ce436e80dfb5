use serde_json::{Value, json};

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::catalogue;
use crate::state::State;

const DEFAULT_LIMIT: usize = 20;

pub(crate) fn list_bugs(_: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let limit = number(call, "limit")?.unwrap_or(DEFAULT_LIMIT);
    let offset = number(call, "offset")?.unwrap_or(0);
    let tags: Vec<&str> = call.query_all("tags").collect();
    let equals = |bug: &Value, name: &str| call.query(name).is_none_or(|value| bug[name] == value);
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
    let search = call.query("search").map(str::to_lowercase);
    let mut bugs = catalogue::bugs();
    bugs.retain(|bug| {
        ["status", "severity", "project", "collectionName"]
            .iter()
            .all(|name| equals(bug, name))
            && search.as_deref().is_none_or(|text| has_text(bug, text))
            && (tags.is_empty() || has_tag(bug))
    });
    let total = bugs.len();
    let page: Vec<Value> = bugs.into_iter().skip(offset).take(limit).collect();
    let page = json!({ "bugs": page, "total": total, "limit": limit, "offset": offset });
    Ok(Answer::ok(page))
}

fn number(call: &Call, name: &str) -> Result<Option<usize>, Refusal> {
    let wrong = |_| Refusal::member(name, "must be an integer of 0 or more");
    call.query(name)
        .map(|text| text.parse().map_err(wrong))
        .transpose()
}
