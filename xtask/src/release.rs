//! Checks that the crates can be published: with cargo, with cargo-semver-checks, and for files and
//! a changelog, which they do not check.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::root;

const CHANGELOG: &str = "CHANGELOG.md";

/// What each package has to contain besides its code.
const FILES: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// Runs each step, and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    let changelog = fs::read_to_string(root().join(CHANGELOG)).context(CHANGELOG)?;
    check_changelog(&changelog, env!("CARGO_PKG_VERSION"))?;
    let publish = ["publish", "--workspace", "--dry-run"];
    cargo(&[&publish[..], &["--locked", "--allow-dirty"]].concat())?;
    check_files()?;
    match last_tag()? {
        Some(tag) => cargo(&["semver-checks", "--workspace", "--baseline-rev", &tag])
            .context("needs `cargo install --locked cargo-semver-checks`"),
        None => {
            eprintln!("==> no tag yet, so that there is nothing to stay compatible with");
            Ok(())
        }
    }
}

/// Fails unless the changelog begins with `Unreleased` or with this version.
fn check_changelog(changelog: &str, version: &str) -> Result<()> {
    let mut sections = changelog.split("\n## ").skip(1).map(|section| {
        let (title, text) = section.split_once('\n').unwrap_or((section, ""));
        (title.split(' ').next().unwrap_or_default(), text.trim())
    });
    let (title, text) = sections.next().unwrap_or_default();
    ensure!(
        (title == "Unreleased" || title == version) && !text.is_empty(),
        "{CHANGELOG} begins with `{title}`, and needs a text under `Unreleased` or `{version}`"
    );
    ensure!(
        sections.all(|(title, _)| title != version),
        "{CHANGELOG} has released {version} already: raise the version for what is new"
    );
    Ok(())
}

/// Fails if a package, as cargo has unpacked it to build it, lacks one of `FILES`. Cargo does not
/// check that.
fn check_files() -> Result<()> {
    let version = concat!("-", env!("CARGO_PKG_VERSION"));
    let folders = fs::read_dir(root().join("target/package"))?;
    let folders = folders.filter_map(|entry| Some(entry.ok()?.path()));
    let packages = folders.filter(|path| path.to_string_lossy().ends_with(version));
    let packages: Vec<PathBuf> = packages.collect();
    ensure!(!packages.is_empty(), "cargo made no package");
    for file in packages
        .iter()
        .flat_map(|one| FILES.map(|name| one.join(name)))
    {
        let is_file = fs::symlink_metadata(&file).is_ok_and(|file| file.is_file());
        ensure!(is_file, "{} is not in the package", file.display());
    }
    Ok(())
}

fn last_tag() -> Result<Option<String>> {
    let mut git = Command::new("git");
    git.args(["describe", "--tags", "--abbrev=0"])
        .current_dir(root());
    let output = git.output().context("cannot run git")?;
    let tag = String::from_utf8(output.stdout)?.trim().to_owned();
    Ok(Some(tag).filter(|_| output.status.success()))
}

fn cargo(arguments: &[&str]) -> Result<()> {
    eprintln!("==> cargo {}", arguments.join(" "));
    let mut cargo = Command::new(env!("CARGO"));
    let status = cargo.args(arguments).current_dir(root()).status();
    let status = status.context("cannot run cargo")?;
    ensure!(status.success(), "cargo {} failed ({status})", arguments[0]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_has_a_section_for_what_is_released_next() {
        let error = |text: &str| match check_changelog(&format!("# Changelog\n{text}"), "0.2.0") {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        };
        assert_eq!(
            error("\n## Unreleased\n\n- New.\n\n## 0.1.0\n\n- Old.\n"),
            ""
        );
        assert_eq!(error("\n## 0.2.0 (2026-11-24)\n\nNew.\n"), "");
        assert!(error("").contains("begins with ``"));
        assert!(error("\n## Unreleased\n\n## 0.1.0\n\n- Old.\n").contains("needs a text"));
        assert!(error("\n## 0.1.0\n\n- Old.\n").contains("begins with `0.1.0`"));
        let released = error("\n## Unreleased\n\n- New.\n\n## 0.2.0\n\n- Old.\n");
        assert!(released.contains("raise the version"));
    }
}
