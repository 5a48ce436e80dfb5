//! Fields of requests that the document does not have.

use serde_json::{Map, Value};

/// Adds fields to an object, and to the objects within it. A field that the object already has is
/// replaced.
pub(crate) fn deep_merge(into: &mut Map<String, Value>, fields: &Map<String, Value>) {
    for (name, value) in fields {
        match (into.get_mut(name), value) {
            (Some(Value::Object(inner)), Value::Object(fields)) => deep_merge(inner, fields),
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}
