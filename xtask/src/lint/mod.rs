//! The document by the generator, by the two rules that no tool has, and by other people's linters.

mod order;
mod provenance;

use anyhow::{Result, bail, ensure};

use crate::document::{self, Document};
use crate::{compile, contract};

const DOCUMENT: &str = document::PATH;

/// Checks the document, and names every place that breaks a rule.
pub(crate) fn run() -> Result<()> {
    let document = Document::current()?;
    if let Err(error) = compile::generate(document.text()) {
        bail!("{DOCUMENT}: {error}");
    }
    eprintln!("generator: it compiles");
    let findings = findings(&document);
    for finding in &findings {
        eprintln!("{DOCUMENT}{finding}");
    }
    ensure!(
        findings.is_empty(),
        "{DOCUMENT} breaks a rule in {} places",
        findings.len()
    );
    eprintln!("order and provenance: no findings");
    contract::check_document()
}

/// Returns each place, as a JSON pointer, with what is wrong there.
fn findings(document: &Document) -> Vec<String> {
    let mut findings = order::findings(document);
    findings.extend(provenance::findings(document));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of the document, what to put in its place, and what the finding says.
    const MISTAKES: &[(&str, &str, &str)] = &[
        (
            "externalDocs:",
            "x-externalDocs:",
            "#: the sections are openapi, info",
        ),
        (
            "tags: [Healing]",
            "tags: [Project]",
            "#/paths/~1v1~1auto-heal/post: stands behind operations of `Results`",
        ),
        (
            "tags: [Healing]",
            "tags: [Unheard]",
            "#/paths/~1v1~1auto-heal/post: `Unheard` is not one of `tags`",
        ),
        (
            "x-provenance: observed",
            "x-provenance: rumoured",
            "\"rumoured\" is none of mentioned, observed, assumed",
        ),
        (
            "x-provenance: observed",
            "x-provenance: documented",
            "\"documented\" is none of mentioned, observed, assumed",
        ),
        (
            "      operationId: list_bugs\n      x-provenance: mentioned\n",
            "      operationId: list_bugs\n",
            "#/paths/~1v1~1health-dashboard~1bugs/get: its response is merely mentioned",
        ),
        (
            "        The API key may not do this.\n      x-provenance: assumed\n",
            "        The API key may not do this.\n",
            "#/paths/~1v1~1me/get/responses/403: the form of an error is not documented",
        ),
    ];

    #[test]
    fn every_mistake_is_found_at_its_place() {
        for (from, to, finding) in MISTAKES {
            let found = findings(&Document::changed(from, to));
            let is_there = found.iter().any(|found| found.contains(finding));
            assert!(is_there, "{from} → {to}: {found:#?}");
        }
    }

    #[test]
    fn the_document_has_no_finding() {
        let document = Document::current().expect("the document");
        assert_eq!(findings(&document), Vec::<String>::new());
    }
}
