//! The licences of the crates that are part of the command, which a release file must contain.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process::stdout;
use crate::root;

/// Returns each text of a licence once, after the names of the crates that have it.
pub(crate) fn text_of(target: &str) -> Result<String> {
    let linked = cargo(&[
        "tree",
        "--package=checksum-cli",
        "--edges=normal",
        "--prefix=none",
        "--format={p}",
        "--target",
        target,
    ])?;
    let linked: BTreeSet<(&str, &str)> = linked.lines().filter_map(name_and_version).collect();
    let metadata = cargo(&["metadata", "--format-version=1"])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let packages = metadata["packages"].as_array().context("no packages")?;
    for package in packages
        .iter()
        .filter(|package| !package["source"].is_null())
    {
        let [name, version, licence] =
            ["name", "version", "license"].map(|key| package[key].as_str().unwrap_or_default());
        if linked.contains(&(name, version)) {
            let manifest = package["manifest_path"].as_str().unwrap_or_default();
            let folder = Path::new(manifest).parent().context("no folder")?;
            for text in licences(folder)? {
                texts
                    .entry(text)
                    .or_default()
                    .push(format!("{name} {version} ({licence})"));
            }
        }
    }
    ensure!(!texts.is_empty(), "no crate has a licence");
    let rule = "=".repeat(80);
    let mut all =
        String::from("The checksum command contains these crates, from https://crates.io.\n");
    for (text, crates) in texts {
        all += &format!("\n{rule}\n{}\n\n{text}\n", crates.join("\n"));
    }
    Ok(all)
}

/// Returns the name and the version in a line as `serde v1.0.228 (proc-macro)`.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split(' ');
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

/// Returns the licences in the folder of a crate; a note of what it has instead, if there is none.
fn licences(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        let is_licence = [
            "LICENSE",
            "LICENCE",
            "COPYING",
            "COPYRIGHT",
            "NOTICE",
            "UNLICENSE",
        ];
        if is_licence.iter().any(|one| name.starts_with(one)) && entry.file_type()?.is_file() {
            texts.push(
                String::from_utf8_lossy(&fs::read(entry.path())?)
                    .trim()
                    .to_owned(),
            );
        }
    }
    if texts.is_empty() {
        texts.push(
            "The package has no text of its licence; see https://spdx.org/licenses.".to_owned(),
        );
    }
    Ok(texts)
}

fn cargo(arguments: &[&str]) -> Result<String> {
    let mut cargo = Command::new(env!("CARGO"));
    stdout(cargo.args(arguments).arg("--locked").current_dir(root()))
}
