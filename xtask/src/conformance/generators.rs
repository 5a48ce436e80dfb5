//! Code that other generators make of the document: it compiles, it type-checks, and generated
//! clients call the mock server.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::mock_server::MockServer;
use crate::document::{self, Document};
use crate::process::{self, Ended, empty_folder};
use crate::{root, tool};

/// The scripts that use generated code.
const SCRIPTS: &str = "xtask/conformance";

const LIMIT: Duration = Duration::from_secs(120);

/// Cargo downloads and compiles what the generated crate needs.
const CARGO_LIMIT: Duration = Duration::from_secs(1200);

/// OpenAPI Generator's `python`: mypy accepts it, and it calls every operation of the mock server.
pub(super) fn python_client() -> Result<String> {
    let folder = &empty_folder("conformance/python-client")?;
    generate("python", &root().join(document::PATH), folder, &[])?.success()?;
    let broken = folder.join("broken.json");
    let mut document = Document::current()?.value().clone();
    let link = json!({ "operationId": "trigger_auto_heal", "requestBody": { "testRunId": "x" } });
    document["components"]["links"]["Wrong"] = link;
    fs::write(&broken, document.to_string())?;
    generate("python", &broken, &folder.join("broken"), &[])?.rejected("an invalid link")?;

    copy_script("drive.py", folder)?;
    let strict = ["--strict", "--follow-imports=silent", "drive.py"];
    run(folder, "mypy", tool::python("mypy")?.args(strict))?.success()?;
    run(
        folder,
        "mypy",
        tool::python("mypy")?.args(["-p", "openapi_client"]),
    )?
    .success()?;
    drive(folder, || {
        let mut command = tool::python("python")?;
        command.arg("drive.py").env("PYTHONPATH", folder);
        Ok(command)
    })
}

/// OpenAPI Generator's `typescript-fetch`: `tsc --strict` accepts it, and it calls every operation
/// of the mock server.
pub(super) fn typescript_client() -> Result<String> {
    let folder = &empty_folder("conformance/typescript-client")?;
    let document = root().join(document::PATH);
    generate("typescript-fetch", &document, &folder.join("client"), &[])?.success()?;
    copy_script("drive.ts", folder)?;
    let mut compile = tool::npm("tsc")?;
    compile.args(["--strict", "--module", "commonjs", "--target", "es2022"]);
    compile.args(["--lib", "es2022,dom", "--outDir", "js", "drive.ts"]);
    run(folder, "tsc", &mut compile)?.success()?;
    drive(folder, || {
        let mut command = tool::quiet("node");
        command.arg("js/drive.js");
        Ok(command)
    })
}

/// OpenAPI Generator's `rust`: cargo accepts it.
pub(super) fn rust_client() -> Result<String> {
    let folder = &empty_folder("conformance/rust-client")?;
    // Without it, a schema of known values becomes a struct without fields, which decodes no text.
    let simplify = "SIMPLIFY_ANYOF_STRING_AND_ENUM_STRING=true";
    let options = ["--openapi-normalizer", simplify];
    generate("rust", &root().join(document::PATH), folder, &options)?.success()?;
    // It stands in a folder of this workspace and is no part of it.
    append(&folder.join("Cargo.toml"), "\n[workspace]\n")?;
    let check = || {
        let mut command = tool::quiet(env!("CARGO"));
        command.args(["check", "--quiet", "--no-default-features"]);
        command.args(["--features", "rustls", "--target-dir"]);
        command.arg(root().join("target/xtask/rust-client"));
        process::run("cargo", command.current_dir(folder), folder, CARGO_LIMIT)
    };
    check()?.success()?;
    append(&folder.join("src/lib.rs"), "\nconst WRONG: u8 = \"\";\n")?;
    check()?.rejected("a text for a number")?;
    Ok("cargo check: 0 errors; 1 mistake found".to_owned())
}

/// openapi-typescript: `tsc --strict` accepts its types, which accept and reject what they should.
pub(super) fn typescript_types() -> Result<String> {
    let folder = &empty_folder("conformance/typescript-types")?;
    let mut generate = tool::npm("openapi-typescript")?;
    generate
        .arg(root().join(document::PATH))
        .args(["--output", "schema.ts"]);
    run(folder, "openapi-typescript", &mut generate)?.success()?;
    copy_script("types.ts", folder)?;
    let mut compile = tool::npm("tsc")?;
    compile.args(["--strict", "--noEmit", "schema.ts", "types.ts"]);
    run(folder, "tsc", &mut compile)?.success()?;
    Ok("tsc --strict: 0 errors; 3 mistakes found".to_owned())
}

/// datamodel-code-generator: mypy accepts its pydantic models, and they decode every example.
pub(super) fn pydantic_models() -> Result<String> {
    let folder = &empty_folder("conformance/pydantic-models")?;
    let mut generate = tool::python("datamodel-codegen")?;
    generate.arg("--input").arg(root().join(document::PATH));
    generate.args(["--input-file-type", "openapi", "--output", "models.py"]);
    generate.args(["--output-model-type", "pydantic_v2.BaseModel"]);
    generate.args(["--use-annotated", "--formatters", "builtin"]);
    // Without it, a required field is not nullable.
    generate.arg("--strict-nullable");
    run(folder, "datamodel-codegen", &mut generate)?.success()?;
    copy_script("decode_examples.py", folder)?;
    let strict = ["--strict", "models.py", "decode_examples.py"];
    run(folder, "mypy", tool::python("mypy")?.args(strict))?.success()?;

    let document = Document::current()?.value().to_string();
    fs::write(folder.join("document.json"), document)?;
    let mut decode = tool::python("python")?;
    decode.args(["decode_examples.py", "document.json"]);
    let ended = run(folder, "decode", decode.env("PYTHONPATH", folder))?.success()?;
    let report: Value = serde_json::from_str(&ended.stdout).with_context(|| ended.tail())?;
    let examples = report["examples"].as_u64().unwrap_or_default();
    ensure!(examples > 0, "no example was decoded");
    Ok(format!(
        "{examples} examples decoded and encoded; 1 mistake found"
    ))
}

/// Generates a client with OpenAPI Generator.
fn generate(generator: &str, document: &Path, output: &Path, options: &[&str]) -> Result<Ended> {
    let mut command = tool::python("openapi-generator-cli")?;
    command.args(["generate", "--generator-name", generator]);
    command.arg("--input-spec").arg(document);
    command.arg("--output").arg(output).args(options);
    let folder = empty_folder("conformance/openapi-generator")?;
    run(&folder, generator, &mut command)
}

/// Calls every operation of the mock server with a generated client.
///
/// Negative control: the client has to fail if a required field is missing from a response.
fn drive(folder: &Path, command: impl Fn() -> Result<Command>) -> Result<String> {
    let mock = MockServer::start()?;
    let document = Document::current()?;
    let operations: Vec<&str> = document
        .operations()
        .map(|operation| operation.id())
        .collect();
    let drive = || -> Result<Ended> {
        let mut command = command()?;
        command.arg(mock.url()).args(&operations);
        run(folder, "drive", &mut command)
    };
    let decoded = drive()?.success()?.stdout;
    ensure!(
        decoded.lines().eq(operations.iter().copied()),
        "it decoded only {decoded}"
    );
    mock.send_invalid_responses();
    let ended = drive()?.rejected("a response without a required field")?;
    ensure!(ended.stdout.trim() == operations[0], "{}", ended.tail());
    Ok(format!(
        "{} operations decoded; 1 mistake found",
        operations.len()
    ))
}

/// Copies a script into the folder of the generated code that it uses.
fn copy_script(name: &str, folder: &Path) -> Result<()> {
    let script = root().join(SCRIPTS).join(name);
    fs::copy(script, folder.join(name)).context(name.to_owned())?;
    Ok(())
}

fn append(path: &Path, text: &str) -> Result<()> {
    Ok(fs::write(path, fs::read_to_string(path)? + text)?)
}

fn run(folder: &Path, name: &str, command: &mut Command) -> Result<Ended> {
    process::run(name, command.current_dir(folder), folder, LIMIT)
}
