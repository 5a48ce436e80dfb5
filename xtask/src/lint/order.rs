use super::rule::Findings;
use crate::document::{Document, text};

const SECTIONS: [&str; 7] = [
    "openapi",
    "info",
    "servers",
    "security",
    "tags",
    "paths",
    "components",
];

pub(super) fn check(document: &Document, findings: &mut Findings<'_>) {
    if document.sections() != SECTIONS {
        findings.add("#", format!("the sections are {}", SECTIONS.join(", ")));
    }

    let tags = document.value()["tags"].as_array();
    let tags: Vec<&str> = tags
        .into_iter()
        .flatten()
        .map(|tag| text(tag, "name"))
        .collect();
    let mut last = 0;
    for operation in document.operations() {
        let tag = operation.value["tags"][0].as_str().unwrap_or_default();
        let Some(position) = tags.iter().position(|known| *known == tag) else {
            findings.add(operation.pointer(), format!("`{tag}` is not one of `tags`"));
            continue;
        };
        if position < last {
            let message = format!("stands behind operations of `{}`", tags[last]);
            findings.add(operation.pointer(), message);
        }
        last = last.max(position);
    }
}
