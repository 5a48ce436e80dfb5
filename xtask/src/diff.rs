//! What changed in the document since a revision: oasdiff, and the two things that it cannot know.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::document::{self, Document};
use crate::generate::{SURFACE, changed_lines, read};
use crate::root;
use crate::tool::OASDIFF;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The git revision that the working tree is compared with
    #[arg(value_name = "REV", default_value = "HEAD")]
    revision: String,
    /// Exit with 1 if a change breaks somebody
    #[arg(long)]
    fail_on_breaking: bool,
    /// The form of oasdiff's list
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "singleline", "markdown", "json", "html"])]
    format: String,
}

/// Prints oasdiff's list of changes to standard output, and the rest to standard error.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let revision = &arguments.revision;
    let is_breaking = print_changes(revision, &arguments.format)?;
    ensure!(
        !(arguments.fail_on_breaking && is_breaking),
        "a change since {revision} breaks somebody"
    );
    Ok(())
}

/// Prints the changes since a revision, for people.
pub(crate) fn since(revision: &str) -> Result<()> {
    print_changes(revision, "text").map(|_| ())
}

/// Prints the changes, and returns whether one of them breaks somebody.
fn print_changes(revision: &str, format: &str) -> Result<bool> {
    let old = at(revision, document::PATH)?;
    let folder = root().join("target/xtask/diff");
    fs::create_dir_all(&folder)?;
    let path = folder.join("old.yaml");
    fs::write(&path, &old)?;
    let current = root().join(document::PATH);
    print_changelog(&path, &current, format)?;
    let is_breaking = is_breaking(&path, &current)?;

    let old = Document::parse(old).context("the old document")?;
    print("x-provenance", &provenance(&old, &Document::current()?));
    let surface = read(&root().join(SURFACE))?;
    // It is new in some revision.
    let old_surface = at(revision, SURFACE).unwrap_or_default();
    print(SURFACE, &changed_lines(&old_surface, &surface));
    Ok(is_breaking)
}

/// Lets oasdiff print the changes.
///
/// `--flatten-allof`: a reference with a description of its own is `allOf` of one, and the same type.
fn print_changelog(old: &Path, new: &Path, format: &str) -> Result<()> {
    let mut changelog = OASDIFF.command()?;
    changelog.args(["changelog", "--flatten-allof", "--format", format]);
    let status = changelog.args([old, new]).status().context("oasdiff")?;
    ensure!(status.success(), "oasdiff failed ({status})");
    Ok(())
}

/// Returns whether oasdiff takes one of the changes for an error.
pub(crate) fn is_breaking(old: &Path, new: &Path) -> Result<bool> {
    let mut breaking = OASDIFF.command()?;
    breaking.args(["breaking", "--flatten-allof", "--fail-on", "ERR"]);
    let ended = breaking.args([old, new]).output().context("oasdiff")?;
    match ended.status.code() {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => bail!("oasdiff failed: {}", String::from_utf8_lossy(&ended.stderr)),
    }
}

/// Returns a file as git has it at a revision.
fn at(revision: &str, path: &str) -> Result<String> {
    let name = format!("{revision}:{path}");
    let output = Command::new("git")
        // `--end-of-options`: a revision that begins with a dash is not an option of git's.
        .args(["show", "--end-of-options", &name])
        .current_dir(root())
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context(name)
}

/// Returns each place whose provenance is another one.
fn provenance(old: &Document, new: &Document) -> Vec<String> {
    let places = |document: &Document| -> BTreeMap<String, String> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let places = document.provenance().into_iter();
        places.map(|(place, value)| (place, text(value))).collect()
    };
    let (old_places, new_places) = (places(old), places(new));
    let mut changes = Vec::new();
    for place in old_places.keys().chain(new_places.keys()) {
        let describe = |document: &Document, places: &BTreeMap<String, String>| {
            let pointer = place.trim_start_matches('#');
            match (places.get(place), document.value().pointer(pointer)) {
                (Some(provenance), _) => provenance.clone(),
                (None, Some(_)) => "documented".to_owned(),
                (None, None) => "not there".to_owned(),
            }
        };
        let (before, after) = (describe(old, &old_places), describe(new, &new_places));
        let line = format!("{place}: {before} → {after}");
        if before != after && !changes.contains(&line) {
            changes.push(line);
        }
    }
    changes.sort();
    changes
}

fn print(title: &str, changes: &[String]) {
    eprintln!("{title}: {} changes", changes.len());
    for change in changes {
        eprintln!("  {change}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_provenance_is_named_by_place() {
        let old = Document::current().expect("the document");
        let from = "      operationId: list_bugs\n      x-provenance: mentioned\n";
        let to = "      operationId: list_bugs\n";
        assert_eq!(
            provenance(&old, &Document::changed(from, to)),
            ["#/paths/~1v1~1health-dashboard~1bugs/get: mentioned → documented"]
        );
        let to = from.replace("mentioned", "observed");
        assert_eq!(
            provenance(&old, &Document::changed(from, &to)),
            ["#/paths/~1v1~1health-dashboard~1bugs/get: mentioned → observed"]
        );
        assert_eq!(provenance(&old, &old), Vec::<String>::new());
    }

    #[test]
    fn a_revision_that_is_an_option_is_none() {
        let error = at("--output=x", SURFACE).expect_err("no revision");
        assert!(error.to_string().contains("--output=x"), "{error}");
    }
}
