//! Decodes responses whose form the API's description does not show. Accepts every likely form, and
//! never fails because of one invalid field.

use serde_json::Value;

/// Fields that services wrap a response in.
const WRAPPERS: [&str; 2] = ["data", "result"];

/// How many wrappers are removed.
const MAX_DEPTH: usize = 3;

/// Returns the first of these fields that is a string and not blank, trimmed.
pub(crate) fn string<'a>(value: &'a Value, names: &[&str]) -> Option<&'a str> {
    let texts = names.iter().filter_map(|name| value.get(name)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty())
}

/// Returns the first of these fields that is an integer, or a string with one.
pub(crate) fn integer(value: &Value, names: &[&str]) -> Option<u64> {
    let read = |value: &Value| match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    names.iter().find_map(|name| read(value.get(name)?))
}

/// Returns the first of these fields that is a boolean.
pub(crate) fn boolean(value: &Value, names: &[&str]) -> Option<bool> {
    names.iter().find_map(|name| value.get(name)?.as_bool())
}

/// Returns the strings of the first of these fields that is an array or a single string.
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

/// Returns the response, then the values within its wrappers, from the outside in. `names` are
/// further wrappers that this response may have.
pub(crate) fn unwrap<'a>(
    response: &'a Value,
    names: &'a [&'a str],
) -> impl Iterator<Item = &'a Value> {
    let within = move |value: &&'a Value| {
        let mut fields = names.iter().chain(&WRAPPERS);
        fields.find_map(|name| {
            let inner = value.get(name)?;
            (inner.is_object() || inner.is_string()).then_some(inner)
        })
    };
    std::iter::successors(Some(response), within).take(MAX_DEPTH + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ignores_fields_of_unexpected_type() {
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
    fn removes_a_few_wrappers() {
        let response = json!({ "data": { "testRun": { "id": "x" } } });
        let inner = unwrap(&response, &["testRun"]).last();
        assert_eq!(inner, Some(&json!({ "id": "x" })));
        let mut endless = json!("x");
        for _ in 0..50 {
            endless = json!({ "data": endless });
        }
        assert_eq!(unwrap(&endless, &[]).count(), MAX_DEPTH + 1);
    }
}
