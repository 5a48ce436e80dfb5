//! What CI systems read: workflows, the composite action and GitLab's template, checked by actionlint,
//! by shellcheck and by the schemas of both systems.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Workspace;
use crate::{root, tool};

const ACTION: &str = ".github/actions/checksum/action.yml";
const SCRIPT: &str = ".github/actions/checksum/run.sh";
const TEMPLATE: &str = "ci/gitlab/checksum.gitlab-ci.yml";
const WORKFLOW: &str = ".github/workflows/e2e.yml";

/// A mistake in a file, for each tool, and what the tool has to say of it.
const MISTAKES: [(&str, &str, &str, &str); 6] = [
    // An input that the action does not have.
    (WORKFLOW, "grep: ${{", "grap: ${{", "grap"),
    // Text of another person inside a script.
    (
        WORKFLOW,
        "$STATUS\"",
        "${{ github.head_ref }}\"",
        "untrusted",
    ),
    // Actionlint lets shellcheck read the scripts of a workflow.
    (
        WORKFLOW,
        "echo \"test run $TEST_RUN",
        "echo $TEST_RUN \"",
        "SC2086",
    ),
    (SCRIPT, "(\"$INPUT_GREP\")", "($INPUT_GREP)", "SC2206"),
    (ACTION, "using: composite", "using: compost", "compost"),
    (TEMPLATE, "when: always", "when: sometimes", "sometimes"),
];

pub(super) fn check() -> Result<String> {
    let workspace = Workspace::new("actions")?;
    let files = files()?;
    for file in &files {
        lint(&workspace, file, &read(file)?)?
            .success()
            .with_context(|| file.clone())?;
    }
    for (file, from, to, expected) in MISTAKES {
        let text = read(file)?;
        ensure!(text.contains(from), "`{from}` is not in {file} any more");
        let ended = lint(&workspace, file, &text.replacen(from, to, 1))?.rejected(to)?;
        ensure!(ended.tail().contains(expected), "{}", ended.tail());
    }
    let (files, mistakes) = (files.len(), MISTAKES.len());
    Ok(format!("{files} files; {mistakes} mistakes found"))
}

/// Returns the paths of all files that are checked.
fn files() -> Result<BTreeSet<String>> {
    let mut files = BTreeSet::from([TEMPLATE.to_owned()]);
    for folder in [".github/workflows", ".github/actions/checksum"] {
        for entry in fs::read_dir(root().join(folder)).context(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !name.ends_with(".md") {
                files.insert(format!("{folder}/{name}"));
            }
        }
    }
    Ok(files)
}

fn read(file: &str) -> Result<String> {
    fs::read_to_string(root().join(file)).with_context(|| file.to_owned())
}

/// Checks a file with this text by the tool for it. Its name stays, since actionlint finds the
/// repository, and the action in it, from the folder.
fn lint(workspace: &Workspace, file: &str, text: &str) -> Result<crate::process::Ended> {
    let (_, name) = file.rsplit_once('/').unwrap_or(("", file));
    workspace.write(name, text)?;
    let schema = |name: &str, file: &str| {
        workspace.python(&format!("check-jsonschema --builtin-schema {name} {file}"))
    };
    if name.ends_with(".sh") {
        workspace.python(&format!("shellcheck {name}"))
    } else if file == ACTION {
        schema("vendor.github-actions", name)
    } else if file == TEMPLATE {
        let template: Value = serde_saphyr::from_str(text)?;
        let script = template[".checksum"]["script"][0].as_str();
        workspace.write("gitlab.sh", script.context("no script")?)?;
        workspace
            .python("shellcheck --shell=sh gitlab.sh")?
            .success()?;
        // The schema lets a job that is hidden be anything.
        workspace.write(name, &text.replacen("\n.checksum:", "\nchecksum:", 1))?;
        schema("vendor.gitlab-ci", name)
    } else {
        schema("vendor.github-workflows", name)?.success()?;
        let shellcheck = tool::python("shellcheck")?;
        let shellcheck = shellcheck.get_program().to_string_lossy().into_owned();
        workspace.python(&format!("actionlint -shellcheck={shellcheck} {name}"))
    }
}
