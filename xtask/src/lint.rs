//! Checks the document with the generator, with two rules that no tool has, and with linters.

use anyhow::{Context, Result, ensure};

use crate::document::{Document, PATH, text};
use crate::{compile, conformance};

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

/// Checks the document, and names every place that breaks a rule.
pub(crate) fn run() -> Result<()> {
    let document = Document::current()?;
    compile::generate(document.text()).context(PATH)?;
    eprintln!("generator: it compiles");
    let findings = [order(&document), provenance(&document)].concat();
    ensure!(findings.is_empty(), "{PATH}:\n{}", findings.join("\n"));
    eprintln!("order and provenance: 0 findings");
    conformance::check_document()
}

/// Returns errors in the order of the sections, and of the operations by tag.
fn order(document: &Document) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = document.text().lines();
    let sections = lines.filter(|line| line.starts_with(|first: char| first.is_alphabetic()));
    let sections = sections.filter_map(|line| Some(line.split_once(':')?.0));
    if !sections.eq(SECTIONS) {
        findings.push(format!("the sections are {}", SECTIONS.join(", ")));
    }
    let tags: Vec<&str> = document.tags().map(|(name, _)| name).collect();
    let position = |tag| tags.iter().position(|known| *known == tag);
    let operations: Vec<_> = document.operations().collect();
    for pair in operations.windows(2) {
        let (tag, id) = (pair[1].tag(), pair[1].id());
        if position(tag) < position(pair[0].tag()) {
            findings.push(format!(
                "{id}: `{tag}` comes before `{}` in `tags`",
                pair[0].tag()
            ));
        }
    }
    findings
}

/// Returns errors in the provenance: a response that is an error, or whose schema is only
/// mentioned, must have an `x-provenance`, because `cargo xtask verify` reports less about it.
fn provenance(document: &Document) -> Vec<String> {
    let mut findings = Vec::new();
    let is_stated = |value| !text(value, "x-provenance").is_empty();
    for operation in document.operations() {
        for (code, response) in operation.responses() {
            let response = document.resolve(response);
            let schema = document.resolve(&response["content"]["application/json"]["schema"]);
            let is_documented =
                code.starts_with('2') && text(schema, "x-provenance") != "mentioned";
            if !is_documented && !is_stated(response) && !is_stated(operation.value) {
                findings.push(format!(
                    "{}: the response {code} needs `x-provenance`",
                    operation.id()
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_found() {
        let sections = Document::changed("externalDocs:", "x-externalDocs:");
        assert!(order(&sections)[0].starts_with("the sections are openapi, info"));
        let tag = Document::changed("tags: [Healing]", "tags: [Project]");
        let found = "trigger_auto_heal: `Project` comes before `Results` in `tags`";
        assert_eq!(order(&tag), [found]);

        let operation = "      operationId: list_bugs\n";
        let mentioned = format!("{operation}      x-provenance: mentioned\n");
        let bugs = provenance(&Document::changed(&mentioned, operation));
        assert_eq!(bugs, ["list_bugs: the response 200 needs `x-provenance`"]);
        let error = "        The API key may not do this.\n";
        let assumed = format!("{error}      x-provenance: assumed\n");
        let forbidden = provenance(&Document::changed(&assumed, error));
        assert_eq!(
            forbidden[0],
            "get_project: the response 403 needs `x-provenance`"
        );
    }
}
