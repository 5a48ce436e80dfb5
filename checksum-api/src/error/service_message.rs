//! Finds the message in the body of an error response.

use serde_json::Value;

use super::text::truncate_line;
use crate::redaction::Redactor;

/// JSON pointers to the message in an error body, the most specific first. The API's description
/// does not say what its error bodies look like.
const MESSAGES: [&str; 7] = [
    "/message",
    "/error/message",
    "/errors",
    "/error",
    "/detail",
    "/title",
    "",
];

/// The fields that may hold the message of one reason in a list.
const REASON_FIELDS: [&str; 5] = ["message", "msg", "detail", "reason", "title"];

/// How many reasons are read, and how deeply nested.
const MAX_REASONS: usize = 20;
const MAX_REASON_DEPTH: usize = 4;

/// Returns the message of a JSON error body: a string, or the reasons in a list or an object.
pub(super) fn service_message(body: &[u8], secrets: &Redactor) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let found = MESSAGES.iter().find_map(|pointer| {
        // The body itself is a message if it is a text or a list.
        let value = value
            .pointer(pointer)
            .filter(|value| !pointer.is_empty() || !value.is_object())?;
        let reasons = reasons(value);
        (!reasons.is_empty()).then_some(reasons)
    })?;
    let mut message = found.join("; ");
    // `errors` may hold the details of a message that only summarises them.
    let further = value.get("errors").map(reasons).unwrap_or_default();
    let mut further: Vec<String> = further
        .into_iter()
        .filter(|reason| !message.contains(reason.as_str()))
        .collect();
    if !further.is_empty() {
        further.insert(0, message);
        message = further.join("; ");
    }
    Some(truncate_line(&message, secrets))
}

fn reasons(value: &Value) -> Vec<String> {
    let mut reasons = Vec::new();
    collect_reasons(value, MAX_REASON_DEPTH, &mut reasons);
    reasons
}

/// Collects the reasons in a value, in their order. A string is a reason. An object has a message
/// or, if it has none, a list of reasons for each field, as in `{"prNumber": ["must be
/// positive"]}`.
fn collect_reasons(value: &Value, depth: usize, reasons: &mut Vec<String>) {
    if depth == 0 || reasons.len() >= MAX_REASONS {
        return;
    }
    match value {
        Value::String(text) if !text.trim().is_empty() => reasons.push(text.clone()),
        Value::Array(list) => list
            .iter()
            .for_each(|value| collect_reasons(value, depth - 1, reasons)),
        Value::Object(fields) => {
            let before = reasons.len();
            for name in REASON_FIELDS {
                if reasons.len() == before
                    && let Some(value) = fields.get(name)
                {
                    collect_reasons(value, depth - 1, reasons);
                }
            }
            if reasons.len() > before {
                return;
            }
            for (name, value) in fields {
                let mut of_field = Vec::new();
                collect_reasons(value, depth - 1, &mut of_field);
                if !of_field.is_empty() && reasons.len() < MAX_REASONS {
                    reasons.push(format!("{name}: {}", of_field.join(", ")));
                }
            }
        }
        _ => {}
    }
}
