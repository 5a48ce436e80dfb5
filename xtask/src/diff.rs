//! Prints what changed in the document since a revision: the list of oasdiff, and two parts that
//! oasdiff does not know.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::document::{Document, PATH};
use crate::generate::{SURFACE, print_changes};
use crate::process::empty_folder;
use crate::{root, tool};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The git revision that the working tree is compared with
    #[arg(value_name = "REV", default_value = "HEAD")]
    revision: String,
    /// Exit with 1 if a change breaks clients
    #[arg(long)]
    fail_on_breaking: bool,
    /// The format of oasdiff's list
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "singleline", "markdown", "json", "html"])]
    format: String,
}

/// Prints oasdiff's list of changes to standard output, and the rest to standard error.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let revision = &arguments.revision;
    let old = at(revision, PATH)?;
    let old_path = empty_folder("diff")?.join("old.yaml");
    fs::write(&old_path, &old)?;
    let new_path = root().join(PATH);
    let mut changelog = oasdiff("changelog")?;
    changelog.args(["--format", &arguments.format]);
    let status = changelog.args([&old_path, &new_path]).status();
    let status = status.context("cannot run oasdiff")?;
    ensure!(status.success(), "oasdiff failed ({status})");

    let old = Document::parse(old).context("the old document")?;
    let new = Document::current()?;
    print_changes("x-provenance", &old.provenance(), &new.provenance());
    // A revision may be older than the file.
    let old = at(revision, SURFACE).unwrap_or_default();
    let new = fs::read_to_string(root().join(SURFACE))?;
    print_changes(SURFACE, &old, &new);
    ensure!(
        !(arguments.fail_on_breaking && is_breaking(&old_path, &new_path)?),
        "a change since {revision} breaks clients"
    );
    Ok(())
}

/// Returns whether oasdiff reports an error for one of the changes.
pub(crate) fn is_breaking(old: &Path, new: &Path) -> Result<bool> {
    let mut breaking = oasdiff("breaking")?;
    breaking.args(["--fail-on", "ERR"]).args([old, new]);
    let output = breaking.output().context("cannot run oasdiff")?;
    match output.status.code() {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => bail!(
            "oasdiff failed: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

/// `--flatten-allof`: a reference with a description of its own is `allOf` of one, and the same type.
fn oasdiff(command: &str) -> Result<Command> {
    let mut oasdiff = tool::npm("oasdiff")?;
    oasdiff.args([command, "--flatten-allof"]);
    Ok(oasdiff)
}

/// Returns the content of a file at a git revision.
fn at(revision: &str, path: &str) -> Result<String> {
    let name = format!("{revision}:{path}");
    let mut git = Command::new("git");
    // `--end-of-options`: a revision that begins with a dash is not an option of git's.
    git.args(["show", "--end-of-options", &name])
        .current_dir(root());
    let output = git.output().context("cannot run git")?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_no_option_of_git() {
        let error = at("--output=x", SURFACE).expect_err("no revision");
        assert!(error.to_string().starts_with("--output=x:"), "{error}");
    }
}
