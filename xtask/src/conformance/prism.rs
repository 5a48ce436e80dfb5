//! The client against the document's examples, and the client and the mock server with Prism between
//! them, which responds with an error if either does what the document does not say.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::mock_server::{FAULTY, MockServer};
use crate::document::Document;
use crate::process::{self, Ended, Running, empty_folder};
use crate::{root, tool};

/// The document for Prism, in the folder of the check.
const DOCUMENT: &str = "document.yaml";

/// The path of the document's server.
const BASE_PATH: &str = "/public-api";

const START_LIMIT: Duration = Duration::from_secs(60);

/// Enough for a build of the example.
const DRIVE_LIMIT: Duration = Duration::from_secs(900);

/// What Prism responds with in place of a response that the document does not allow.
const VIOLATION: &str = "Prism is generating this error";

pub(super) fn check() -> Result<String> {
    let folder = empty_folder("conformance/prism")?;
    // Prism ignores the path of the document's server, and the client does not.
    let text = Document::current()?.text().to_owned();
    let text = text.replace("\n  /v", &format!("\n  {BASE_PATH}/v"));
    fs::write(folder.join(DOCUMENT), text)?;
    let (examples, url) = start(&folder, "mock", &[])?;
    let of_examples = drive(&folder, &url)?.success()?;
    drop(examples);

    let mock = MockServer::start()?;
    let upstream = mock.url().replace(BASE_PATH, "");
    let (_proxy, url) = start(&folder, "proxy", &["--errors", &upstream])?;
    let proxied = drive(&folder, &url)?.success()?;
    ensure!(
        proxied.stdout == of_examples.stdout && !proxied.stdout.is_empty(),
        "not every operation was called: {}",
        proxied.stdout
    );

    mock.send_invalid_responses();
    let ended = drive(&folder, &url)?.rejected("an invalid response")?;
    ensure!(
        ended.stderr.contains(FAULTY) && ended.stderr.contains(VIOLATION),
        "negative control: the client failed for another reason: {}",
        ended.tail()
    );
    let operations = proxied.stdout.lines().count();
    Ok(format!("{operations} operations decoded; 1 mistake found"))
}

/// Starts Prism on the document, and returns its URL.
fn start(folder: &Path, mode: &str, arguments: &[&str]) -> Result<(Running, String)> {
    let port = process::free_port()?;
    let mut command = tool::npm("prism")?;
    command
        .args([mode, "--host=127.0.0.1", "--port", &port.to_string()])
        .arg(folder.join(DOCUMENT))
        .args(arguments);
    let mut prism = Running::start(&format!("prism-{mode}"), &mut command, folder)?;
    prism.wait_for_port(port, START_LIMIT)?;
    Ok((prism, format!("http://127.0.0.1:{port}")))
}

/// Calls every operation with our client, in a process of its own.
fn drive(folder: &Path, url: &str) -> Result<Ended> {
    let mut command = tool::quiet(env!("CARGO"));
    command
        .args(["run", "--quiet", "--locked", "-p", "checksum-tests"])
        .args(["--example", "drive", "--", "--base-url", url])
        .current_dir(root());
    process::run("drive", &mut command, folder, DRIVE_LIMIT)
}
