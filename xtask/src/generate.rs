//! Everything that follows from the document without a decision of anybody's.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use similar::{ChangeTag, TextDiff};

use crate::document::{self, Document, text};
use crate::tool::REDOCLY;
use crate::{compile, root, snapshots, surface};

pub(crate) const SURFACE: &str = "openapi/SURFACE.md";
const OVERVIEW: &str = "openapi/README.md";

/// A file that is written from the document.
#[derive(Debug, PartialEq)]
struct Derived {
    path: &'static str,
    text: String,
}

/// Where the document goes as progenitor reads it, for people who want to see it.
const REWRITTEN: &str = "target/xtask/progenitor.json";

/// Writes every derived file, and says what changed; with `check` writes nothing and fails where
/// one is stale.
pub(crate) fn run(check: bool) -> Result<()> {
    let document = Document::current()?;
    write_rewritten(&document)?;
    let mut stale: Vec<PathBuf> = Vec::new();
    for file in derived(&document)? {
        let path = root().join(file.path);
        let before = read(&path)?;
        if before == file.text {
            continue;
        }
        eprintln!("{}:", file.path);
        for line in changed_lines(&before, &file.text) {
            eprintln!("  {line}");
        }
        if !check {
            fs::write(&path, &file.text).context(file.path)?;
        }
        stale.push(file.path.into());
    }
    // The schemas of the types need the crate itself: what it does not compile with is told by
    // the compiler, by name.
    stale.extend(snapshots::refresh(check)?);
    stale.sort();
    if stale.is_empty() {
        eprintln!(
            "everything that follows from {} is up to date",
            document::PATH
        );
        return Ok(());
    }
    let names = stale.iter().map(|path| format!("  {}\n", path.display()));
    let names: String = names.collect();
    ensure!(
        !check,
        "stale, written anew by `cargo xtask generate`:\n{names}"
    );
    eprintln!("written anew, to be read before they are committed:\n{names}");
    Ok(())
}

/// Writes the document as progenitor reads it. It is no derived file: nothing reads it.
fn write_rewritten(document: &Document) -> Result<()> {
    let path = root().join(REWRITTEN);
    fs::create_dir_all(path.parent().unwrap_or(root()))?;
    let rewritten = compile::preprocess::for_progenitor(document.value());
    fs::write(&path, format!("{rewritten:#}\n")).context(REWRITTEN)?;
    eprintln!("the document as progenitor reads it: {REWRITTEN}");
    Ok(())
}

/// Writes the API reference as a page that needs no network.
pub(crate) fn docs(output: &Path) -> Result<()> {
    let path = root().join(output);
    fs::create_dir_all(path.parent().unwrap_or(root()))?;
    let mut redocly = REDOCLY.command()?;
    redocly.args(["build-docs", document::PATH, "--inlineBundle", "--output"]);
    let status = redocly.arg(&path).current_dir(root()).status();
    let status = status.context("cannot run redocly")?;
    ensure!(status.success(), "redocly build-docs failed ({status})");
    Ok(())
}

fn derived(document: &Document) -> Result<Vec<Derived>> {
    let code = match compile::generate(document.text()) {
        Ok(code) => code,
        Err(error) => bail!("{}: {error}", document::PATH),
    };
    Ok(vec![
        Derived {
            path: SURFACE,
            text: surface::of(document, &code.client)?,
        },
        Derived {
            path: OVERVIEW,
            text: overview(document),
        },
    ])
}

/// A page about the document, with its operations.
fn overview(document: &Document) -> String {
    let mut page = format!(
        "# {}\n\n\
         `checksum.yaml` is the contract: an OpenAPI {} document, written by hand, and the only \
         place\nwhere a path or a field of the service is spelled. `workflows.arazzo.yaml` shows how its \
         operations\nfollow each other. This page and `SURFACE.md` are written by `cargo xtask \
         generate`; `cargo xtask docs`\nmakes a reference to browse.\n",
        text(&document.value()["info"], "title"),
        text(document.value(), "openapi"),
    );
    let tags = document.value()["tags"].as_array();
    for tag in tags.into_iter().flatten() {
        let name = text(tag, "name");
        page.push_str(&format!(
            "\n## {name}\n\n{}\n\n| operation | request | what it does | provenance |\n\
             | --- | --- | --- | --- |\n",
            text(tag, "description").trim()
        ));
        let of_tag = |operation: &document::Operation<'_>| operation.value["tags"][0] == name;
        for operation in document.operations().filter(of_tag) {
            let provenance = match text(operation.value, "x-provenance") {
                "" => "documented",
                provenance => provenance,
            };
            let deprecated = match operation.value["deprecated"] == true {
                true => ", deprecated",
                false => "",
            };
            page.push_str(&format!(
                "| `{}` | `{} {}` | {}{deprecated} | {provenance} |\n",
                operation.id(),
                operation.method.to_uppercase(),
                operation.path,
                text(operation.value, "summary"),
            ));
        }
    }
    page
}

/// The text of a file; empty where it does not exist yet.
pub(crate) fn read(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        result => result.with_context(|| path.display().to_string()),
    }
}

/// The lines that differ, as in a diff without its context.
pub(crate) fn changed_lines(before: &str, after: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(before, after);
    diff.iter_all_changes()
        .filter_map(|change| {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => return None,
            };
            let line = change.value().trim_end();
            (!line.is_empty()).then(|| format!("{sign} {line}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derived_files_are_up_to_date() {
        for file in derived(&Document::current().expect("the document")).expect("files") {
            let before = read(&root().join(file.path)).expect("a file");
            let changes = changed_lines(&before, &file.text);
            assert!(
                before == file.text,
                "{} is stale, `cargo xtask generate` writes it anew: {changes:#?}",
                file.path
            );
        }
    }

    #[test]
    fn a_change_of_the_document_is_named_line_by_line() {
        let before = derived(&Document::current().expect("the document")).expect("files");
        let changed = Document::changed("required: [testIds]", "required: [testIds, autoHeal]");
        let after = derived(&changed).expect("files");
        assert_eq!(
            changed_lines(&before[0].text, &after[0].text),
            [
                "- - `RunTestsRequest.auto_heal: Option<AutoHeal>`, `autoHeal` on the wire",
                "+ - `RunTestsRequest.auto_heal: AutoHeal`, `autoHeal` on the wire",
            ]
        );
        assert_eq!(before[1], after[1]);
    }

    /// Changes the document at one place, and returns the error of the generator.
    fn generation_error(from: &str, to: &str) -> String {
        let document = Document::current().expect("the document");
        let changed = document.text().replacen(from, to, 1);
        assert!(
            changed != document.text(),
            "`{from}` is not in the document"
        );
        compile::generate(&changed)
            .expect_err("an error")
            .to_string()
    }

    #[test]
    fn the_document_compiles() {
        let code =
            compile::generate(Document::current().expect("the document").text()).expect("code");
        assert!(code.client.contains("pub fn run_suite"));
    }

    #[test]
    fn a_broken_document_is_refused_by_place() {
        let syntax = generation_error("\ninfo:", "\n\tinfo: [");
        assert!(syntax.starts_with("line "), "{syntax}");

        let reference = generation_error(
            "#/components/schemas/RunState'",
            "#/components/schemas/Gone'",
        );
        assert!(
            reference.contains("/$ref: `#/components/schemas/Gone` does not exist"),
            "{reference}"
        );

        let values = "enum: [critical, major, minor]";
        let open =
            format!("anyOf:\n        - type: string\n          {values}\n        - type: string");
        let closed = generation_error(&open, values);
        assert!(
            closed.contains("BugSeverity/enum: a closed enumeration"),
            "{closed}"
        );

        let state = generation_error("enum: [queued, running,", "enum: [queued, paused, running,");
        assert!(
            state.contains("RunState/x-outcomes: the known value `paused` has no outcome"),
            "{state}"
        );
        let outcome = generation_error("        queued: pending\n", "        queueing: pending\n");
        assert!(
            outcome.contains("RunState/x-outcomes: `queueing` is not among the known values"),
            "{outcome}"
        );

        let unnamed = generation_error("operationId: get_project", "x-nothing: get_project");
        assert!(unnamed.starts_with("#/paths/~1v1~1me/get: "), "{unnamed}");

        let typed = generation_error("type: integer", "type: intetger");
        assert!(typed.starts_with("#/paths/"), "{typed}");
    }

    #[test]
    fn what_only_progenitor_refuses_is_found_by_operation() {
        let message = generation_error("in: path", "in: header");
        assert!(message.starts_with("#/paths/"), "{message}");
    }
}
