//! Checks the code that other generators make from the document: it compiles or type-checks, and
//! generated clients can call the mock server.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::mock_server::MockServer;
use super::{DOCUMENT, Workspace};
use crate::document::Document;
use crate::process::Ended;
use crate::{root, tool};

/// The link to healing, and the same with a request body that no link may have.
const WRONG_LINK: (&str, &str) = (
    "    Heal:\n",
    "    Heal:\n      requestBody: {testRunId: x}\n",
);

/// OpenAPI Generator's `python`: mypy accepts it, and it calls every operation of the mock server.
pub(super) fn python_client() -> Result<String> {
    let workspace = Workspace::new("python-client")?;
    generate(&workspace, DOCUMENT, "python --output .")?.success()?;
    let wrong = workspace.write_with_mistakes(&[WRONG_LINK])?;
    generate(&workspace, wrong, "python --output wrong")?.rejected("an invalid link")?;

    copy_script("drive.py", &workspace)?;
    workspace
        .python("mypy --strict --follow-imports=silent drive.py")?
        .success()?;
    workspace.python("mypy -p openapi_client")?.success()?;
    drive(&workspace, "drive.py", || tool::python("python"))
}

/// OpenAPI Generator's `typescript-fetch`: `tsc --strict` accepts it, and it calls every operation
/// of the mock server.
pub(super) fn typescript_client() -> Result<String> {
    let workspace = Workspace::new("typescript-client")?;
    generate(&workspace, DOCUMENT, "typescript-fetch --output client")?.success()?;
    copy_script("drive.ts", &workspace)?;
    let options = "--module commonjs --target es2022 --lib es2022,dom";
    workspace
        .npm(&format!("tsc --strict {options} --outDir js drive.ts"))?
        .success()?;
    drive(&workspace, "js/drive.js", || Ok(tool::quiet("node")))
}

/// OpenAPI Generator's `rust`: cargo accepts it.
pub(super) fn rust_client() -> Result<String> {
    let workspace = Workspace::new("rust-client")?;
    // Without it, a schema of known values becomes a struct without fields, which decodes no text.
    let simplify = "--openapi-normalizer SIMPLIFY_ANYOF_STRING_AND_ENUM_STRING=true";
    generate(&workspace, DOCUMENT, &format!("rust --output . {simplify}"))?.success()?;
    let append = |file, text| workspace.write(file, &(workspace.read(file)? + text));
    // The folder is inside this workspace, but the crate is not a member.
    append("Cargo.toml", "\n[workspace]\n")?;
    let check = || {
        let options =
            "check --quiet --no-default-features --features rustls --target-dir ../../rust";
        workspace.run(&mut tool::quiet(env!("CARGO")), options)
    };
    check()?.success()?;
    append("src/lib.rs", "\nconst WRONG: u8 = \"\";\n")?;
    check()?.rejected("a text for a number")?;
    Ok("cargo check: 0 errors; 1 mistake found".to_owned())
}

/// openapi-typescript: `tsc --strict` accepts its types, which accept and reject what they should.
pub(super) fn typescript_types() -> Result<String> {
    let workspace = Workspace::new("typescript-types")?;
    workspace
        .npm(&format!("openapi-typescript {DOCUMENT} --output schema.ts"))?
        .success()?;
    copy_script("types.ts", &workspace)?;
    workspace
        .npm("tsc --strict --noEmit schema.ts types.ts")?
        .success()?;
    Ok("tsc --strict: 0 errors; 3 mistakes found".to_owned())
}

/// datamodel-code-generator: mypy accepts its pydantic models, and they decode every example.
pub(super) fn pydantic_models() -> Result<String> {
    let workspace = Workspace::new("pydantic-models")?;
    // Without `--strict-nullable`, a required field is not nullable.
    let generate = format!(
        "datamodel-codegen --input {DOCUMENT} --input-file-type openapi --output models.py \
         --output-model-type pydantic_v2.BaseModel --use-annotated --formatters builtin \
         --strict-nullable"
    );
    workspace.python(&generate)?.success()?;
    copy_script("decode_examples.py", &workspace)?;
    workspace
        .python("mypy --strict models.py decode_examples.py")?
        .success()?;

    workspace.write("document.json", &Document::current()?.value().to_string())?;
    let ended = workspace
        .python("python decode_examples.py document.json")?
        .success()?;
    let report: Value = serde_json::from_str(&ended.stdout).with_context(|| ended.tail())?;
    let examples = report["examples"].as_u64().unwrap_or_default();
    ensure!(examples > 0, "no example was decoded");
    Ok(format!(
        "{examples} examples decoded and encoded; 1 mistake found"
    ))
}

/// Runs OpenAPI Generator. The arguments begin with the name of the generator.
fn generate(workspace: &Workspace, document: &str, arguments: &str) -> Result<Ended> {
    let generate = "openapi-generator-cli generate --input-spec";
    workspace.python(&format!(
        "{generate} {document} --generator-name {arguments}"
    ))
}

/// Calls every operation of the mock server with a generated client.
///
/// Negative control: the client has to fail if a required field is missing from a response.
fn drive(
    workspace: &Workspace,
    script: &str,
    interpreter: impl Fn() -> Result<Command>,
) -> Result<String> {
    let mock = MockServer::start()?;
    let document = Document::current()?;
    let operations: Vec<&str> = document
        .operations()
        .map(|operation| operation.id())
        .collect();
    let arguments = format!("{script} {} {}", mock.url(), operations.join(" "));
    let drive = || workspace.run(interpreter()?.env("PYTHONPATH", "."), &arguments);
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

/// Copies a script to the generated code that it uses.
pub(super) fn copy_script(name: &str, workspace: &Workspace) -> Result<()> {
    let script = root().join("xtask/conformance").join(name);
    workspace.write(
        name,
        &std::fs::read_to_string(script).context(name.to_owned())?,
    )
}
