use serde_json::Value;

use crate::document::{Document, escaped, text};

/// `documented` is the default and is not written.
const KNOWN: [&str; 3] = ["mentioned", "observed", "assumed"];

/// Readers and checks have to tell what is documented from what is a guess.
pub(super) fn findings(document: &Document) -> Vec<String> {
    let mut findings = Vec::new();
    for (place, provenance) in document.provenance() {
        if !KNOWN.contains(&provenance.as_str().unwrap_or_default()) {
            let known = KNOWN.join(", ");
            findings.push(format!("{place}: {provenance} is none of {known}"));
        }
    }
    for operation in document.operations() {
        let of_operation = text(operation.value, "x-provenance");
        for (code, response) in operation.responses() {
            let response = document.resolve(response);
            let of_response = text(response, "x-provenance");
            let place = operation.pointer();
            if !code.starts_with('2') {
                if of_response.is_empty() && of_operation.is_empty() {
                    findings.push(format!(
                        "{place}/responses/{}: the form of an error is not documented",
                        escaped(code)
                    ));
                }
                continue;
            }
            let schema: &Value = &response["content"]["application/json"]["schema"];
            let of_schema = text(document.resolve(schema), "x-provenance");
            if of_schema == "mentioned" && of_operation.is_empty() && of_response.is_empty() {
                findings.push(format!("{place}: its response is merely mentioned"));
            }
        }
    }
    findings
}
