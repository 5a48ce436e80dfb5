//! What publishing needs, tried without publishing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::{MetadataCommand, Package};

use crate::{diff, root};

const CHANGELOG: &str = "CHANGELOG.md";

/// Goes through the steps, and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .other_options(vec!["--locked".to_owned()])
        .exec()?;
    let packages: Vec<&Package> = metadata.workspace_packages();
    let publishable = in_order(
        packages
            .into_iter()
            .filter(|package| package.publish.is_none()),
    )?;
    ensure!(!publishable.is_empty(), "no crate can be published");
    let names: Vec<&str> = publishable
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    eprintln!("in order: {}", names.join(", "));

    let version = one_version(&publishable)?;
    let changelog = fs::read_to_string(root().join(CHANGELOG)).context(CHANGELOG)?;
    eprintln!(
        "version {version}: {}",
        changelog_section(&changelog, &version)?
    );

    let mut package = cargo();
    package.args(["package", "--locked", "--allow-dirty"]);
    for name in &names {
        package.args(["--package", name]);
    }
    execute(&mut package, "packaging, with a build from each package")?;
    test_packages(&publishable, &version)?;
    compare_with_last_tag(&names)
}

/// Each crate behind those that it depends on, be it for its tests.
fn in_order<'a>(packages: impl Iterator<Item = &'a Package>) -> Result<Vec<&'a Package>> {
    let mut waiting: Vec<&Package> = packages.collect();
    let mut order: Vec<&Package> = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|package| {
            package
                .dependencies
                .iter()
                .all(|needed| waiting.iter().all(|other| *other.name != needed.name))
        });
        let Some(ready) = ready else {
            bail!("the crates depend on each other in a circle");
        };
        order.push(waiting.remove(ready));
    }
    Ok(order)
}

fn one_version(packages: &[&Package]) -> Result<String> {
    let version = packages[0].version.to_string();
    for package in packages {
        ensure!(
            package.version.to_string() == version,
            "{} has version {}, {} has {version}",
            package.name,
            package.version,
            packages[0].name
        );
        for needed in &package.dependencies {
            let ours = packages.iter().any(|other| *other.name == needed.name);
            ensure!(
                !ours || needed.req.matches(&packages[0].version) && needed.req.to_string() != "*",
                "{} asks for {} {}, which is not {version}",
                package.name,
                needed.name,
                needed.req
            );
        }
    }
    Ok(version)
}

/// The changelog's section for the version; `Unreleased` until there is one.
fn changelog_section(changelog: &str, version: &str) -> Result<String> {
    let sections: Vec<&str> = changelog
        .lines()
        .filter_map(|l| l.strip_prefix("## "))
        .collect();
    let Some(first) = sections.first() else {
        bail!("{CHANGELOG} has no section");
    };
    let titled = |title: &str| title == version || title.starts_with(&format!("{version} "));
    ensure!(
        *first == "Unreleased" || titled(first),
        "{CHANGELOG} begins with `{first}`, which is neither Unreleased nor {version}"
    );
    let later = sections.iter().skip(1).any(|title| titled(title));
    ensure!(
        !later,
        "{CHANGELOG} has released {version} already: raise the version for what is new"
    );
    let body: Vec<&str> = changelog
        .lines()
        .skip_while(|line| line.strip_prefix("## ") != Some(first))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| !line.trim().is_empty())
        .collect();
    ensure!(!body.is_empty(), "{CHANGELOG} says nothing under `{first}`");
    Ok(format!(
        "{} lines under `{first}` in {CHANGELOG}",
        body.len()
    ))
}

/// Builds and tests each package by itself, outside the workspace, beside the others' packages.
fn test_packages(packages: &[&Package], version: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let unpacked = |package: &Package| folder.path().join(format!("{}-{version}", package.name));
    for package in packages {
        let archive = root().join(format!("target/package/{}-{version}.crate", package.name));
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(&archive).arg("-C").arg(folder.path());
        execute(&mut tar, &format!("unpacking {}", package.name))?;
        stands_alone(&unpacked(package))?;
    }
    for package in packages {
        let mut test = cargo();
        test.args(["test", "--all-features", "--manifest-path"])
            .arg(unpacked(package).join("Cargo.toml"))
            .arg("--target-dir")
            .arg(root().join("target/xtask/release"))
            .env("INSTA_UPDATE", "no")
            .env("INSTA_WORKSPACE_ROOT", unpacked(package));
        for other in packages {
            let path = unpacked(other);
            let patch = format!(
                "patch.crates-io.{}.path={:?}",
                other.name,
                path.display().to_string()
            );
            test.args(["--config", &patch]);
        }
        execute(
            &mut test,
            &format!("the tests of the package {}", package.name),
        )?;
    }
    Ok(())
}

/// A package holds what it needs: no link, its licences, its readme.
fn stands_alone(folder: &Path) -> Result<()> {
    for file in ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md"] {
        let path = folder.join(file);
        let metadata = fs::symlink_metadata(&path);
        let metadata = metadata.with_context(|| format!("{file} is not in the package"))?;
        ensure!(metadata.is_file(), "{file} is a link in the package");
    }
    Ok(())
}

/// The contract and the Rust API against the last tag, where there is one.
fn compare_with_last_tag(names: &[&str]) -> Result<()> {
    let mut describe = Command::new("git");
    describe
        .args(["describe", "--tags", "--abbrev=0"])
        .current_dir(root());
    let output = describe.output().context("cannot run git")?;
    if !output.status.success() {
        eprintln!("==> no tag yet, so that there is nothing to stay compatible with");
        return Ok(());
    }
    let tag = String::from_utf8(output.stdout)?.trim().to_owned();
    eprintln!("==> the document: {tag} → now");
    diff::since(&tag)?;

    let installed = Command::new(env!("CARGO"))
        .args(["semver-checks", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    ensure!(
        installed,
        "cargo-semver-checks is missing, which compares the crates with {tag}: \
         `cargo install --locked cargo-semver-checks`"
    );
    let mut check = cargo();
    check.args(["semver-checks", "--baseline-rev", &tag]);
    for name in names {
        check.args(["--package", name]);
    }
    execute(&mut check, &format!("the Rust API against {tag}"))
}

fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root());
    cargo
}

fn execute(command: &mut Command, what: &str) -> Result<()> {
    eprintln!("==> {what}");
    let program = PathBuf::from(command.get_program());
    let status = command
        .status()
        .with_context(|| format!("{what}: cannot run {}", program.display()))?;
    ensure!(status.success(), "{what} failed ({status})");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_keeps_step() {
        let section = |text: &str| changelog_section(text, "0.2.0").map_err(|e| e.to_string());
        assert_eq!(
            section("# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.1.0\n"),
            Ok("1 lines under `Unreleased` in CHANGELOG.md".to_owned())
        );
        assert!(section("## 0.2.0 (2026-11-24)\n\nNew.\n").is_ok());
        let error = |text: &str| section(text).expect_err("an error");
        assert!(error("# Changelog\n").contains("no section"));
        assert!(error("## Unreleased\n\n## 0.1.0\n\n- Old.\n").contains("says nothing"));
        assert!(error("## 0.1.0\n\n- Old.\n").contains("neither Unreleased nor 0.2.0"));
        assert!(
            error("## Unreleased\n\n- New.\n\n## 0.2.0\n\n- Old.\n").contains("raise the version")
        );
    }

    #[test]
    fn crates_are_published_behind_what_they_need() {
        let metadata = MetadataCommand::new()
            .current_dir(root())
            .no_deps()
            .exec()
            .expect("metadata");
        let packages: Vec<&Package> = metadata.packages.iter().collect();
        let publishable = packages.iter().filter(|p| p.publish.is_none()).copied();
        let order = in_order(publishable).expect("an order");
        let place = |name: &str| order.iter().position(|p| *p.name == name).expect("a crate");
        assert!(place("checksum-api") < place("checksum-api-ext"));
        assert!(place("checksum-api-ext") < place("checksum-cli"));
        assert!(place("checksum-mock") < place("checksum-cli"));
        assert_eq!(
            one_version(&order).expect("a version"),
            env!("CARGO_PKG_VERSION")
        );
    }
}
