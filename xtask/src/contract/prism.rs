//! The client against a server made of the document alone, and against the stand-in with a judge
//! of every request and answer in between.

use std::fs;
use std::net::TcpListener;

use anyhow::{Context, Result};

use super::stand_in::{self, KEY, Server, drive};
use crate::document::Document;
use crate::root;
use crate::tool::{Registry, Tool};

pub(super) const PRISM: Tool = Tool {
    package: "@stoplight/prism-cli",
    version: "5.16.0",
    program: "prism",
    registry: Registry::Npm,
};

/// The path that all others stand below.
const BASE: &str = "/public-api";

const ROOTED: &str = "target/xtask/rooted.json";

pub(super) fn run() -> Result<String> {
    write_rooted()?;
    let examples = {
        let server = prism(&["mock", ROOTED])?;
        drive(&["examples", &server.url, KEY]).context("against Prism's examples")?
    };
    let stand_in = stand_in::start()?;
    let origin = stand_in.url.trim_end_matches(BASE);
    let proxy = prism(&["proxy", ROOTED, origin, "--errors"])?;
    let story = drive(&["story", &proxy.url, KEY]).context("through Prism's proxy")?;
    Ok(format!("{examples}; {story}"))
}

/// Writes the document with the server's path in front of each path: Prism serves paths from the
/// root, and the client knows no service that does.
fn write_rooted() -> Result<()> {
    let mut value = Document::current()?.value().clone();
    if let Some(paths) = value["paths"].as_object_mut() {
        let rooted = std::mem::take(paths).into_iter();
        paths.extend(rooted.map(|(path, item)| (format!("{BASE}{path}"), item)));
    }
    let path = root().join(ROOTED);
    fs::write(&path, value.to_string()).with_context(|| ROOTED.to_owned())
}

/// Starts Prism on a free port.
fn prism(arguments: &[&str]) -> Result<Server> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = PRISM.command()?;
    command
        .args(arguments)
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .arg("--multiprocess=false");
    let (process, _) = stand_in::until(&mut command, |line| {
        line.contains("Prism is listening").then(String::new)
    })?;
    Ok(Server::new(process, format!("http://127.0.0.1:{port}")))
}
