//! Replaces secrets in the JSON that an error repeats.

use serde_json::Value;

/// Applies `redact` to each string and each field name.
pub(crate) fn redact_json(value: &mut Value, redact: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = redact(text),
        Value::Array(list) => list.iter_mut().for_each(|value| redact_json(value, redact)),
        Value::Object(fields) => {
            let redacted = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                redact_json(&mut value, redact);
                (redact(&name), value)
            });
            *fields = redacted.collect();
        }
        _ => {}
    }
}
