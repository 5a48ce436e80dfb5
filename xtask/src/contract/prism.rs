//! The client against the document's examples, and the client and the mock server with Prism between
//! them, which responds with an error if either does what the document does not say.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::mock_process::MockProcess;
use super::{Checked, example, workspace};
use crate::process::{self, Ended, Running};
use crate::tool::PRISM;

const START_LIMIT: Duration = Duration::from_secs(60);
const DRIVE_LIMIT: Duration = Duration::from_secs(120);

/// The document that it serves, in its folder.
const DOCUMENT: &str = "document.json";

/// The path of the document's server.
const BASE_PATH: &str = "/public-api";

/// What the example `drive` prints before the name of each operation.
const DECODED: &str = "decoded ";

/// What Prism responds with in place of a response that the document does not allow. Its log says
/// more, and later.
const VIOLATION: &str = "Prism is generating this error";

pub(super) fn check() -> Result<Checked> {
    let folder = workspace("prism")?;
    let document = with_base_path(super::read_document()?)?;
    fs::write(folder.join(DOCUMENT), document.to_string())?;

    let (examples, url) = start(&folder, "mock", &[])?;
    let ended = drive(&folder, "examples", &url)?;
    ensure!(ended.status.success(), "its examples: {}", ended.tail());
    let of_examples = decoded(&ended.stdout);
    drop(examples);

    let mut mock = MockProcess::start(&folder)?;
    let upstream = mock.url.strip_suffix(BASE_PATH);
    let upstream = upstream.context("the mock server has another base path")?;
    let (proxy, url) = start(&folder, "proxy", &["--errors", upstream])?;
    let ended = drive(&folder, "mock-server", &url)?;
    ensure!(
        ended.status.success(),
        "the mock server: {}\n{}",
        ended.tail(),
        process::tail(&proxy.output())
    );
    let of_mock = decoded(&ended.stdout);

    mock.send_invalid_responses()?;
    let ended = drive(&folder, "invalid", &url)?;
    ensure!(
        is_seen(&ended),
        "negative control: an invalid response passed: {}",
        ended.tail()
    );
    drop(proxy);
    counts(of_examples, of_mock)
}

/// The document with the server's path in front of its own. Prism leaves it away, and the client
/// does not.
fn with_base_path(mut document: Value) -> Result<Value> {
    let server = document["servers"][0]["url"].as_str().unwrap_or_default();
    ensure!(server.ends_with(BASE_PATH), "the server is {server}");
    let paths = document["paths"].as_object_mut().context("no paths")?;
    *paths = std::mem::take(paths)
        .into_iter()
        .map(|(path, item)| (format!("{BASE_PATH}{path}"), item))
        .collect();
    Ok(document)
}

/// Starts Prism over the document, and gives its address.
fn start(folder: &Path, mode: &str, arguments: &[&str]) -> Result<(Running, String)> {
    let port = process::free_port()?;
    let mut command = PRISM.command()?;
    command
        .args([mode, "--host=127.0.0.1", "--port", &port.to_string()])
        .arg(DOCUMENT)
        .args(arguments)
        .current_dir(folder);
    let log = folder.join(format!("{mode}.txt"));
    let mut prism = Running::start("prism", &mut command, &log)?;
    prism.wait_until(START_LIMIT, |_| process::is_open(port).then_some(()))?;
    Ok((prism, format!("http://127.0.0.1:{port}")))
}

/// Lets the client call every operation.
fn drive(folder: &Path, name: &str, url: &str) -> Result<Ended> {
    let mut command = example("checksum-tests", "drive");
    command.args(["--base-url", url]);
    let log = folder.join(format!("drive-{name}.txt"));
    process::run("the client", &mut command, &log, DRIVE_LIMIT)
        .with_context(|| format!("the client against {name}"))
}

/// How many operations were called and decoded.
fn decoded(output: &str) -> usize {
    let lines = output.lines();
    lines.filter(|line| line.starts_with(DECODED)).count()
}

/// Whether the client failed at the operation with the invalid response, and Prism is the reason.
fn is_seen(ended: &Ended) -> bool {
    let mentions = |text| ended.stderr.contains(text);
    !ended.status.success() && mentions("run_suite") && mentions(VIOLATION)
}

fn counts(examples: usize, proxied: usize) -> Result<Checked> {
    ensure!(
        examples == proxied && proxied > 0,
        "{examples} operations with examples, {proxied} with the mock server"
    );
    Ok(Checked(format!(
        "{examples} operations decoded from examples, {proxied} through the proxy; 1 mistake found"
    )))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn ended(code: i32, stderr: &str) -> Ended {
        Ended {
            status: ExitStatus::from_raw(code << 8),
            stdout: String::new(),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn operations_are_counted_by_their_lines() {
        let output = "warning: something\ndecoded get_project\ndecoded run_suite\n";
        assert_eq!(decoded(output), 2);
        assert!(counts(2, 2).is_ok());
        assert!(counts(2, 1).is_err());
        assert!(counts(0, 0).is_err());
    }

    #[test]
    fn the_servers_path_stands_before_the_documents() {
        let document = with_base_path(super::super::read_document().expect("a document"));
        let document = document.expect("paths");
        assert!(document["paths"]["/public-api/v1/me"]["get"].is_object());
        assert!(with_base_path(serde_json::json!({ "paths": {} })).is_err());
    }

    #[test]
    fn an_invalid_response_is_seen_when_prism_is_why_the_client_stops() {
        let said = "error: run_suite: 500 Internal Server Error: Your \
                    request/response is not valid, so Prism is generating this error for you.";
        assert!(is_seen(&ended(1, said)));
        assert!(!is_seen(&ended(0, said)));
        assert!(!is_seen(&ended(
            1,
            "error: run_suite: 500 Internal Server Error"
        )));
        assert!(!is_seen(&ended(1, "error: no connection")));
    }
}
