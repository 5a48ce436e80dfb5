//! Reading answers whose form the API's description does not show: whatever a sane service could
//! mean by them, and never a failure over a member that is merely odd.

use serde_json::Value;

/// Members that services wrap an answer in.
const WRAPPERS: [&str; 2] = ["data", "result"];

/// How many wrappers are taken off.
const MAX_DEPTH: usize = 3;

/// The first of these members that is a text and not blank.
pub(crate) fn string<'a>(value: &'a Value, names: &[&str]) -> Option<&'a str> {
    let texts = names.iter().filter_map(|name| value.get(name)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty())
}

/// The first of these members that is a whole number, or a text that spells one.
pub(crate) fn integer(value: &Value, names: &[&str]) -> Option<u64> {
    let read = |value: &Value| match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    names.iter().find_map(|name| read(value.get(name)?))
}

/// The first of these members that is a truth value.
pub(crate) fn boolean(value: &Value, names: &[&str]) -> Option<bool> {
    names.iter().find_map(|name| value.get(name)?.as_bool())
}

/// The texts of the first of these members that is a list or a single text.
pub(crate) fn strings(value: &Value, names: &[&str]) -> Vec<String> {
    let read = |value: &Value| match value {
        Value::Array(values) => Some(
            values
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        ),
        Value::String(text) => Some(vec![text.clone()]),
        _ => None,
    };
    let found = names.iter().find_map(|name| read(value.get(name)?));
    found.unwrap_or_default()
}

/// The answer, and what is within its wrappers, from the outside in. `names` are wrappers that
/// this answer may have beside the usual.
pub(crate) fn unwrap<'a>(
    answer: &'a Value,
    names: &'a [&'a str],
) -> impl Iterator<Item = &'a Value> {
    let within = move |value: &&'a Value| {
        let mut members = names.iter().chain(&WRAPPERS);
        members.find_map(|name| {
            let inner = value.get(name)?;
            (inner.is_object() || inner.is_string()).then_some(inner)
        })
    };
    std::iter::successors(Some(answer), within).take(MAX_DEPTH + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_is_there_and_passes_over_what_is_odd() {
        let odd = json!({ "id": null, "name": "", "testId": " a ", "size": "12", "bytes": -1 });
        assert_eq!(string(&odd, &["id", "name", "testId"]), Some("a"));
        assert_eq!(integer(&odd, &["bytes", "size"]), Some(12));
        assert_eq!(boolean(&odd, &["id"]), None);
        assert_eq!(string(&json!("text"), &["id"]), None);
        assert_eq!(
            strings(&json!({ "tags": ["a", null, 3] }), &["tags"]),
            ["a"]
        );
        assert!(strings(&json!({ "tags": { "a": 1 } }), &["tags"]).is_empty());
    }

    #[test]
    fn takes_a_few_wrappers_off() {
        let answer = json!({ "data": { "testRun": { "id": "x" } } });
        let inner = unwrap(&answer, &["testRun"]).last();
        assert_eq!(inner, Some(&json!({ "id": "x" })));
        let mut endless = json!("x");
        for _ in 0..50 {
            endless = json!({ "data": endless });
        }
        assert_eq!(unwrap(&endless, &[]).count(), MAX_DEPTH + 1);
    }
}
