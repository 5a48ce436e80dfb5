//! The insta snapshots of the workspace, as files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use crate::generate::{changed_lines, read};
use crate::root;

/// The tests whose snapshots follow from the document alone.
const SURFACE_TESTS: [&str; 5] = ["test", "--package", "checksum-tests", "--test", "surface"];

/// Where insta notes each snapshot that a test asked for.
pub(crate) const REFERENCES: &str = "target/xtask/snapshots.txt";

/// Takes the snapshots of the surface anew, and gives those that changed; with `check` they stay
/// as they are.
pub(crate) fn refresh(check: bool) -> Result<Vec<PathBuf>> {
    let before = contents("snap")?;
    let mut tests = Command::new(env!("CARGO"));
    tests
        .args(SURFACE_TESTS)
        .args(["--quiet", "--locked"])
        .current_dir(root())
        // A changed snapshot is news here, and not a failure.
        .env("INSTA_FORCE_PASS", "1")
        .env("INSTA_UPDATE", if check { "new" } else { "always" })
        .env("INSTA_OUTPUT", "none")
        .stderr(Stdio::inherit());
    let ended = tests.output().context("cannot run cargo")?;

    let mut changed = Vec::new();
    if check {
        for (path, new) in contents("snap.new")? {
            fs::remove_file(root().join(&path)).with_context(|| path.display().to_string())?;
            let old = path.with_extension("");
            print(&old, &body(&read(&root().join(&old))?), &body(&new));
            changed.push(old);
        }
    } else {
        for (path, new) in contents("snap")? {
            let old = before.iter().find(|(old, _)| *old == path);
            let old = old.map_or("", |(_, text)| text);
            if old != new {
                print(&path, &body(old), &body(&new));
                changed.push(path);
            }
        }
    }
    ensure!(
        ended.status.success(),
        "the surface tests do not pass (cargo {})\n{}",
        SURFACE_TESTS.join(" "),
        String::from_utf8_lossy(&ended.stdout)
    );
    Ok(changed)
}

/// Begins `REFERENCES` anew. insta adds to the file, and fails where its folder is not there.
pub(crate) fn forget_references() -> Result<PathBuf> {
    let references = root().join(REFERENCES);
    let folder = references.parent().unwrap_or(root());
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    fs::write(&references, "").context(REFERENCES)?;
    Ok(references)
}

/// Snapshots that no test asked for, after a run of all tests with `REFERENCES` written.
pub(crate) fn unreferenced() -> Result<Vec<PathBuf>> {
    let references = fs::read_to_string(root().join(REFERENCES)).context(REFERENCES)?;
    let referenced: BTreeSet<PathBuf> = references
        .lines()
        .filter_map(|line| fs::canonicalize(line).ok())
        .collect();
    ensure!(!referenced.is_empty(), "no test asked for a snapshot");
    let files = contents("snap")?.into_iter().map(|(path, _)| path);
    Ok(files
        .filter(|path| !referenced.contains(&root().join(path)))
        .collect())
}

/// The files of the workspace whose names end like this, by their paths from its root.
fn contents(extension: &str) -> Result<Vec<(PathBuf, String)>> {
    let of_workspace = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        name != "target" && (!name.starts_with('.') || entry.depth() == 0)
    };
    let mut files = Vec::new();
    for entry in WalkDir::new(root())
        .sort_by_file_name()
        .into_iter()
        .filter_entry(of_workspace)
    {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy();
        if entry.file_type().is_file() && name.ends_with(&format!(".{extension}")) {
            let text = fs::read_to_string(entry.path())?;
            files.push((entry.path().strip_prefix(root())?.to_owned(), text));
        }
    }
    Ok(files)
}

fn print(path: &Path, before: &str, after: &str) {
    eprintln!("{}:", path.display());
    for line in changed_lines(before, after) {
        eprintln!("  {line}");
    }
}

/// A snapshot without its header, which holds the line of the test.
fn body(snapshot: &str) -> String {
    let mut parts = snapshot.splitn(3, "---\n");
    parts.nth(2).unwrap_or_default().to_owned()
}
