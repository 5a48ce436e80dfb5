use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{generation, root};

const DOCUMENT: &str = "openapi/checksum.yaml";

/// Pinned, so that a new rule comes when somebody looks.
const REDOCLY: &str = "@redocly/cli@2.77.0";
const SPEC_VALIDATOR: &str = "openapi-spec-validator==0.9.0";

/// Checks the document by the generator and by tools that nobody here wrote.
pub(crate) fn run() -> Result<()> {
    let yaml = fs::read_to_string(root().join(DOCUMENT)).context(DOCUMENT)?;
    if let Err(error) = generation::generate(&yaml) {
        bail!("{DOCUMENT}: {error}");
    }
    eprintln!("generator: no complaint");

    let cache = root().join("target/xtask");
    redocly(&cache)?;
    spec_validator(&cache)
}

fn redocly(cache: &Path) -> Result<()> {
    let prefix = cache.join("redocly");
    let program = prefix.join("node_modules/.bin/redocly");
    if !program.exists() {
        fs::create_dir_all(&prefix)?;
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-fund", "--no-audit", "--prefix"]);
        execute(install.arg(&prefix).arg(REDOCLY), "Node.js with npm")?;
    }
    let mut lint = Command::new(program);
    lint.args(["lint", DOCUMENT, "--max-problems=1000"])
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    execute(&mut lint, "Redocly")
}

fn spec_validator(cache: &Path) -> Result<()> {
    let environment = cache.join("spec-validator");
    let program = environment.join("bin/openapi-spec-validator");
    if !program.exists() {
        let mut create = Command::new("python3");
        execute(
            create.args(["-m", "venv"]).arg(&environment),
            "Python 3 with venv",
        )?;
        let mut install = Command::new(environment.join("bin/pip"));
        execute(install.args(["install", "--quiet", SPEC_VALIDATOR]), "pip")?;
    }
    execute(
        Command::new(program).arg(DOCUMENT),
        "openapi-spec-validator",
    )
}

fn execute(command: &mut Command, needed: &str) -> Result<()> {
    let status = command
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot run {:?}; it needs {needed}", command.get_program()))?;
    ensure!(status.success(), "{needed}: {status}");
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
