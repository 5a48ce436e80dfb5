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

/// A number of bugs. One that does not fit means more than there are.
fn number(call: &Call, name: &str) -> Result<Option<usize>, Refusal> {
    let mut values = call.query.iter().filter(|(key, _)| key == name);
    let Some((_, text)) = values.next_back() else {
        return Ok(None);
    };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::member(name, "must be an integer of 0 or more"));
    }
    Ok(Some(text.parse().unwrap_or(usize::MAX)))
}
