//! Code that other generators make of the document: it compiles, it type-checks, and generated
//! clients call the mock server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::mock_process::MockProcess;
use super::{Checked, DOCUMENT, operations, read_document, workspace};
use crate::process::{self, Ended};
use crate::root;
use crate::tool::{
    DATAMODEL_CODEGEN, MYPY, OPENAPI_GENERATOR, OPENAPI_TYPESCRIPT, PYTHON, TYPESCRIPT, quiet,
};

/// The scripts that use generated code.
const SCRIPTS: &str = "xtask/conformance";

const LIMIT: Duration = Duration::from_secs(120);

/// Cargo downloads and compiles what the generated crate needs.
const CARGO_LIMIT: Duration = Duration::from_secs(1200);

/// OpenAPI Generator's `python`: mypy accepts it, and it calls every operation of the mock server.
pub(super) fn python_client() -> Result<Checked> {
    let folder = workspace("python-client")?;
    let files = generate("python", &folder, &[])?;
    let script = script(&folder, "drive.py")?;
    let mut types = MYPY.command()?;
    types.args(["--strict", "--follow-imports=silent", "drive.py"]);
    passes(&folder, "mypy", &mut types)?;
    let mut types = MYPY.command()?;
    passes(&folder, "mypy-client", types.args(["-p", "openapi_client"]))?;

    let decoded = drive(&folder, || {
        let mut command = PYTHON.command()?;
        command.arg(&script).env("PYTHONPATH", &folder);
        Ok(command)
    })?;
    Ok(Checked(format!(
        "{files} files, mypy: 0 errors; {decoded} operations decoded; 2 mistakes found"
    )))
}

/// OpenAPI Generator's `typescript-fetch`: `tsc --strict` accepts it, and it calls every operation
/// of the mock server.
pub(super) fn typescript_client() -> Result<Checked> {
    let folder = workspace("typescript-client")?;
    let files = generate("typescript-fetch", &folder.join("client"), &[])?;
    script(&folder, "drive.ts")?;
    let mut compile = TYPESCRIPT.command()?;
    compile.args(["--strict", "--module", "commonjs", "--target", "es2022"]);
    compile.args(["--lib", "es2022,dom", "--outDir", "js", "drive.ts"]);
    passes(&folder, "tsc", &mut compile)?;

    let decoded = drive(&folder, || {
        let mut command = quiet("node");
        command.arg(folder.join("js/drive.js"));
        Ok(command)
    })?;
    Ok(Checked(format!(
        "{files} files, tsc --strict: 0 errors; {decoded} operations decoded; 2 mistakes found"
    )))
}

/// OpenAPI Generator's `rust`: cargo accepts it.
pub(super) fn rust_client() -> Result<Checked> {
    let folder = workspace("rust-client")?;
    // Without it, a schema of known values becomes a struct without fields, which decodes no text.
    let simplify = "SIMPLIFY_ANYOF_STRING_AND_ENUM_STRING=true";
    let files = generate("rust", &folder, &["--openapi-normalizer", simplify])?;
    let manifest = folder.join("Cargo.toml");
    // It stands in a folder of this workspace and is no part of it.
    let text = fs::read_to_string(&manifest)? + "\n[workspace]\n";
    fs::write(&manifest, text)?;
    let check = || -> Result<Ended> {
        let mut command = quiet(env!("CARGO"));
        command.args(["check", "--quiet", "--no-default-features"]);
        command.args(["--features", "rustls", "--target-dir"]);
        command.arg(root().join("target/xtask/rust-client"));
        let log = folder.join("cargo.txt");
        process::run("cargo", command.current_dir(&folder), &log, CARGO_LIMIT)
    };
    let ended = check()?;
    ensure!(ended.status.success(), "{}", ended.tail());
    let library = folder.join("src/lib.rs");
    let text = fs::read_to_string(&library)? + "\nconst NEGATIVE_CONTROL: u8 = \"\";\n";
    fs::write(&library, text)?;
    ensure!(
        !check()?.status.success(),
        "negative control: cargo accepted a text for a number"
    );
    Ok(Checked(format!(
        "{files} files, cargo check: 0 errors; 2 mistakes found"
    )))
}

/// openapi-typescript: `tsc --strict` accepts its types, which accept and refuse what they should.
pub(super) fn typescript_types() -> Result<Checked> {
    let folder = workspace("typescript-types")?;
    let generate = |document: &Path, output: &str| -> Result<Ended> {
        let mut command = OPENAPI_TYPESCRIPT.command()?;
        command.arg(document).args(["--output", output]);
        run(&folder, "openapi-typescript", &mut command)
    };
    let ended = generate(&root().join(DOCUMENT), "schema.ts")?;
    ensure!(ended.status.success(), "{}", ended.tail());
    script(&folder, "types.ts")?;
    let mut compile = TYPESCRIPT.command()?;
    compile.args(["--strict", "--noEmit", "schema.ts", "types.ts"]);
    passes(&folder, "tsc", &mut compile)?;

    let mut document = read_document()?;
    document["components"]["schemas"]["Batch"] = json!({ "$ref": "#/components/schemas/Gone" });
    fs::write(folder.join("broken.json"), document.to_string())?;
    let ended = generate(&folder.join("broken.json"), "broken.ts")?;
    ensure!(
        !ended.status.success(),
        "negative control: a reference that leads nowhere was accepted"
    );
    let lines = fs::read_to_string(folder.join("schema.ts"))?
        .lines()
        .count();
    Ok(Checked(format!(
        "{lines} lines, tsc --strict: 0 errors; 4 mistakes found"
    )))
}

/// datamodel-code-generator: mypy accepts its pydantic models, and they decode every example.
pub(super) fn pydantic_models() -> Result<Checked> {
    let folder = workspace("pydantic-models")?;
    let mut command = DATAMODEL_CODEGEN.command()?;
    command.arg("--input").arg(root().join(DOCUMENT));
    command.args(["--input-file-type", "openapi", "--output", "models.py"]);
    command.args(["--output-model-type", "pydantic_v2.BaseModel"]);
    command.args(["--use-annotated", "--formatters", "builtin"]);
    // Without it, a required field is not nullable.
    command.arg("--strict-nullable");
    passes(&folder, "datamodel-codegen", &mut command)?;
    let script = script(&folder, "decode_examples.py")?;
    let mut types = MYPY.command()?;
    types.args(["--strict", "models.py", "decode_examples.py"]);
    passes(&folder, "mypy", &mut types)?;

    let document = folder.join("document.json");
    fs::write(&document, read_document()?.to_string())?;
    let mut command = PYTHON.command()?;
    let command = command.args([&script, &document]);
    let ended = passes(&folder, "decode", command.env("PYTHONPATH", &folder))?;
    let report: Value = serde_json::from_str(&ended.stdout).context(ended.tail())?;
    let examples = report["examples"].as_u64().unwrap_or_default();
    ensure!(examples > 0, "no example was decoded");
    Ok(Checked(format!(
        "mypy --strict: 0 errors; {examples} examples decoded and encoded; 1 mistake found"
    )))
}

/// Lets OpenAPI Generator write a client, and returns the number of its files.
///
/// Negative control: it has to reject a link whose request body is an object.
fn generate(generator: &str, folder: &Path, arguments: &[&str]) -> Result<usize> {
    let generate = |document: &Path, output: &Path| -> Result<Ended> {
        let mut command = OPENAPI_GENERATOR.command()?;
        command.args(["generate", "--generator-name", generator]);
        command.arg("--input-spec").arg(document);
        command.arg("--output").arg(output).args(arguments);
        let log = workspace("openapi-generator-log")?.join("log.txt");
        process::run("OpenAPI Generator", &mut command, &log, LIMIT)
    };
    let ended = generate(&root().join(DOCUMENT), folder)?;
    ensure!(ended.status.success(), "{generator}: {}", ended.tail());

    let mut document = read_document()?;
    let link = json!({ "operationId": "trigger_auto_heal", "requestBody": { "testRunId": "x" } });
    document["components"]["links"]["Wrong"] = link;
    let broken = workspace("openapi-generator-control")?;
    fs::write(broken.join("document.json"), document.to_string())?;
    let ended = generate(&broken.join("document.json"), &broken)?;
    ensure!(
        !ended.status.success(),
        "negative control: {generator} accepted an invalid link"
    );
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    Ok(files.filter(|entry| entry.file_type().is_file()).count())
}

/// Lets a generated client call every operation of the mock server, and returns how many it
/// decoded.
///
/// Negative control: the client has to fail if a required field is missing from a response.
fn drive(folder: &Path, command: impl Fn() -> Result<Command>) -> Result<usize> {
    let mut mock = MockProcess::start(folder)?;
    let wanted = operations()?;
    let drive = |url: &str| -> Result<Ended> {
        let mut command = command()?;
        run(folder, "drive", command.arg(url).args(&wanted))
    };
    let ended = drive(&mock.url)?;
    ensure!(ended.status.success(), "{}", ended.tail());
    let decoded = decoded(&ended);
    ensure!(decoded == wanted, "it decoded only {decoded:?}");
    mock.send_invalid_responses()?;
    let ended = drive(&mock.url)?;
    ensure!(
        !ended.status.success() && self::decoded(&ended) == ["get_project"],
        "negative control: a response without a required field was decoded: {}",
        ended.tail()
    );
    Ok(decoded.len())
}

/// Returns the operations that a driver has printed.
fn decoded(ended: &Ended) -> Vec<&str> {
    let lines = ended.stdout.lines();
    lines
        .filter_map(|line| line.strip_prefix("decoded "))
        .collect()
}

/// Copies a script beside the generated code that it uses.
fn script(folder: &Path, name: &str) -> Result<PathBuf> {
    let target = folder.join(name);
    fs::copy(root().join(SCRIPTS).join(name), &target).context(name.to_owned())?;
    Ok(target)
}

/// Runs a program that has to succeed.
fn passes(folder: &Path, name: &str, command: &mut Command) -> Result<Ended> {
    let ended = run(folder, name, command)?;
    ensure!(ended.status.success(), "{name}: {}", ended.tail());
    Ok(ended)
}

fn run(folder: &Path, name: &str, command: &mut Command) -> Result<Ended> {
    let log = folder.join(format!("{name}.txt"));
    process::run(name, command.current_dir(folder), &log, LIMIT)
}
