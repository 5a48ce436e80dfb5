use std::fs;

use anyhow::{Context, Result, bail};

use crate::contract::{DOCUMENT, document};
use crate::{generation, root};

/// Checks the document by the generator and by tools that nobody here wrote.
pub(crate) fn run() -> Result<()> {
    let yaml = fs::read_to_string(root().join(DOCUMENT)).context(DOCUMENT)?;
    if let Err(error) = generation::generate(&yaml) {
        bail!("{DOCUMENT}: {error}");
    }
    eprintln!("generator: no complaint");

    eprintln!("redocly: {}", document::redocly()?.0);
    eprintln!("openapi-spec-validator: {}", document::spec_validator()?.0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> String {
        fs::read_to_string(root().join(DOCUMENT)).expect("the document")
    }

    /// Changes the document at one place, and gives what the generator says.
    fn complaint(from: &str, to: &str) -> String {
        let changed = document().replacen(from, to, 1);
        assert_ne!(changed, document(), "`{from}` is not in the document");
        generation::generate(&changed)
            .expect_err("a complaint")
            .to_string()
    }

    #[test]
    fn the_document_compiles() {
        let code = generation::generate(&document()).expect("code");
        assert!(code.contains("pub fn run_suite"));
    }

    #[test]
    fn a_broken_document_is_refused_by_place() {
        let syntax = complaint("\ninfo:", "\n\tinfo: [");
        assert!(syntax.starts_with("line "), "{syntax}");

        let reference = complaint(
            "#/components/schemas/RunState'",
            "#/components/schemas/Gone'",
        );
        assert!(
            reference.contains("/$ref: `#/components/schemas/Gone` does not exist"),
            "{reference}"
        );

        let closed = complaint("x-extensible-enum:", "enum:");
        assert!(closed.contains("/enum: a closed enumeration"), "{closed}");

        let default = complaint("'4XX':", "default:");
        assert!(
            default.contains("/responses: expected one success response, found 2"),
            "{default}"
        );

        let unreachable = complaint(
            "'4XX':",
            "'404':\n          description: Gone.\n        '4XX':",
        );
        assert!(
            unreachable.contains("`404` beside `4XX` is never matched"),
            "{unreachable}"
        );

        let typed = complaint("type: integer", "type: intetger");
        assert!(typed.starts_with("#/paths/"), "{typed}");
    }

    #[test]
    fn what_only_progenitor_refuses_is_found_by_operation() {
        let message = complaint("in: path", "in: header");
        assert!(message.starts_with("#/paths/"), "{message}");
    }
}
