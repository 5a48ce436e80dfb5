use crate::document::{Document, text};

const SECTIONS: [&str; 8] = [
    "openapi",
    "info",
    "externalDocs",
    "servers",
    "security",
    "tags",
    "paths",
    "components",
];

/// There is one place for each thing: the sections, and the operations by tag.
pub(super) fn findings(document: &Document) -> Vec<String> {
    let mut findings = Vec::new();
    if document.sections() != SECTIONS {
        findings.push(format!("#: the sections are {}", SECTIONS.join(", ")));
    }
    let tags = document.value()["tags"].as_array();
    let tags: Vec<&str> = tags
        .into_iter()
        .flatten()
        .map(|tag| text(tag, "name"))
        .collect();
    let mut last = 0;
    for operation in document.operations() {
        let place = operation.pointer();
        let tag = operation.value["tags"][0].as_str().unwrap_or_default();
        let Some(position) = tags.iter().position(|known| *known == tag) else {
            findings.push(format!("{place}: `{tag}` is not one of `tags`"));
            continue;
        };
        if position < last {
            let later = tags[last];
            findings.push(format!("{place}: stands behind operations of `{later}`"));
        }
        last = last.max(position);
    }
    findings
}
