//! Writes the files that are derived from the document.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use similar::{ChangeTag, TextDiff};

use crate::document::{Document, PATH, text};
use crate::{compile, root, surface, tool};

pub(crate) const SURFACE: &str = "openapi/SURFACE.md";
const OVERVIEW: &str = "openapi/README.md";

/// The document as progenitor reads it, for people who want to see it. Nothing reads it.
const REWRITTEN: &str = "target/xtask/progenitor.json";

/// Writes every derived file, and prints what changed. With `check` it writes none, and fails if one
/// is stale.
pub(crate) fn run(check: bool) -> Result<()> {
    let document = Document::current()?;
    let rewritten = compile::preprocess::for_progenitor(document.value());
    write(REWRITTEN, &format!("{rewritten:#}\n"))?;
    let mut stale = Vec::new();
    for (path, new) in derived(&document)? {
        let old = fs::read_to_string(root().join(path)).unwrap_or_default();
        if old != new {
            print_changes(path, &old, &new);
            stale.push(path);
            if !check {
                write(path, &new)?;
            }
        }
    }
    ensure!(
        stale.is_empty() || !check,
        "stale, `cargo xtask generate` writes them: {stale:?}"
    );
    eprintln!("the files that are derived from {PATH} are up to date");
    Ok(())
}

/// Writes the API reference as a page that needs no network.
pub(crate) fn docs(output: &Path) -> Result<()> {
    let mut redocly = tool::npm("redocly")?;
    redocly.args(["build-docs", PATH, "--inlineBundle", "--output"]);
    let status = redocly.arg(output).current_dir(root()).status();
    let status = status.context("cannot run redocly")?;
    ensure!(status.success(), "redocly build-docs failed ({status})");
    Ok(())
}

/// Returns the path and the text of each derived file.
fn derived(document: &Document) -> Result<[(&'static str, String); 2]> {
    let code = compile::generate(document.text()).context(PATH)?;
    Ok([
        (SURFACE, surface::render(document, &code.client)?),
        (OVERVIEW, overview(document)),
    ])
}

/// Returns a page about the document, with its operations.
fn overview(document: &Document) -> String {
    let mut page = format!(
        "# {}

`checksum.yaml` is the contract: an OpenAPI {} document, written by hand, and the only place that
names a path or a field of the service. `workflows.arazzo.yaml` shows how its operations follow each
other. `redocly.yaml` has the rules for both. `cargo xtask generate` writes this page and
`SURFACE.md`; `cargo xtask docs` writes an HTML reference.
",
        text(&document.value()["info"], "title"),
        text(document.value(), "openapi"),
    );
    for (tag, description) in document.tags() {
        page += &format!(
            "\n## {tag}\n\n{description}\n\n| operation | request | what it does | provenance |\n\
             | --- | --- | --- | --- |\n"
        );
        for operation in document.operations().filter(|one| one.tag() == tag) {
            let provenance = match text(operation.value, "x-provenance") {
                "" => "documented",
                provenance => provenance,
            };
            let deprecated = match operation.value["deprecated"] == true {
                true => ", deprecated",
                false => "",
            };
            page += &format!(
                "| `{}` | `{} {}` | {}{deprecated} | {provenance} |\n",
                operation.id(),
                operation.method.to_uppercase(),
                operation.path,
                text(operation.value, "summary"),
            );
        }
    }
    page
}

fn write(path: &str, text: &str) -> Result<()> {
    let file = root().join(path);
    fs::create_dir_all(file.parent().unwrap_or(root()))?;
    fs::write(file, text).context(path.to_owned())
}

/// Prints the lines that differ, without context.
pub(crate) fn print_changes(title: &str, old: &str, new: &str) {
    let lines = changed_lines(old, new);
    eprintln!("{title}: {} changed lines", lines.len());
    for line in lines {
        eprintln!("  {line}");
    }
}

fn changed_lines(old: &str, new: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(old, new);
    let changes = diff.iter_all_changes();
    let changes = changes.filter(|change| change.tag() != ChangeTag::Equal);
    let line =
        |change: similar::Change<&str>| format!("{}{}", change.tag(), change.value().trim_end());
    changes.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_the_document_changes_the_surface() {
        let current = Document::current().expect("the document");
        let [(_, before), _] = derived(&current).expect("files");
        let changed = Document::changed("required: [testIds]", "required: [testIds, autoHeal]");
        let [(_, after), _] = derived(&changed).expect("files");
        assert_eq!(
            changed_lines(&before, &after),
            [
                "-- `RunTestsRequest.auto_heal: Option<AutoHeal>`, `autoHeal` on the wire",
                "+- `RunTestsRequest.auto_heal: AutoHeal`, `autoHeal` on the wire",
            ]
        );
    }
}
