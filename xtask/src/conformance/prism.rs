//! Checks our client against the document's examples, and our client and the mock server with Prism
//! between them. Prism responds with an error if either violates the document.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::Workspace;
use super::mock_server::{FAULTY, MockServer};
use crate::document::Document;
use crate::process::{self, Ended, Running};
use crate::{root, tool};

const START_LIMIT: Duration = Duration::from_secs(60);

/// The path of the document's server.
const BASE_PATH: &str = "/public-api";

/// The text with which Prism replaces a response that the document does not allow.
const VIOLATION: &str = "Prism is generating this error";

pub(super) fn check() -> Result<String> {
    let workspace = Workspace::new("prism")?;
    // Prism ignores the path of the document's server, and the client does not.
    let document = Document::current()?;
    let text = document
        .text()
        .replace("\n  /v", &format!("\n  {BASE_PATH}/v"));
    workspace.write("document.yaml", &text)?;

    let (examples, url) = start(&workspace, "mock document.yaml")?;
    let of_examples = drive(&workspace, &url)?.success()?;
    drop(examples);

    let mock = MockServer::start()?;
    let upstream = mock.url().replace(BASE_PATH, "");
    let (_proxy, url) = start(
        &workspace,
        &format!("proxy document.yaml {upstream} --errors"),
    )?;
    let proxied = drive(&workspace, &url)?.success()?;
    ensure!(
        proxied.stdout == of_examples.stdout && !proxied.stdout.is_empty(),
        "not every operation was called: {}",
        proxied.stdout
    );

    mock.send_invalid_responses();
    let ended = drive(&workspace, &url)?.rejected("an invalid response")?;
    ensure!(
        ended.stderr.contains(FAULTY) && ended.stderr.contains(VIOLATION),
        "negative control: the client failed for another reason: {}",
        ended.tail()
    );
    let operations = proxied.stdout.lines().count();
    Ok(format!("{operations} operations decoded; 1 mistake found"))
}

/// Starts Prism, and returns its URL.
fn start(workspace: &Workspace, arguments: &str) -> Result<(Running, String)> {
    let port = process::free_port()?;
    let mut command = tool::npm("prism")?;
    command
        .args(arguments.split(' '))
        .args(["--host=127.0.0.1", "--port", &port.to_string()]);
    let mut prism = Running::start(command.current_dir(&workspace.0), &workspace.0)?;
    prism.wait_for_port(port, START_LIMIT)?;
    Ok((prism, format!("http://127.0.0.1:{port}")))
}

/// Calls every operation with our client, in a process of its own.
fn drive(workspace: &Workspace, url: &str) -> Result<Ended> {
    let mut cargo = tool::quiet(env!("CARGO"));
    cargo
        .arg("run")
        .arg("--manifest-path")
        .arg(root().join("tests/Cargo.toml"));
    workspace.run(
        &mut cargo,
        &format!("--quiet --locked --example drive -- --base-url {url}"),
    )
}
