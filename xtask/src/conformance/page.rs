//! The mock server's page and API reference in headless Chromium, driven by Playwright: every
//! operation is listed, a run is started and seen to finish, the console has no error, and nothing
//! is loaded from another origin.

use anyhow::Result;
use checksum_mock::Mock;

use super::Workspace;
use super::generators::copy_script;
use super::mock_server::{API_KEY, MockServer};
use crate::document::Document;
use crate::tool;

pub(super) fn check() -> Result<String> {
    let workspace = Workspace::new("page")?;
    copy_script("page.cjs", &workspace)?;
    let mock = MockServer::start_with(Mock::builder().api_key(API_KEY).observed().page())?;
    let url = mock.url();
    let origin = url.trim_end_matches("/public-api");
    let document = Document::current()?;
    let operations: Vec<&str> = document.operations().map(|one| one.id()).collect();
    let chromium = tool::chromium()?;
    let arguments = format!(
        "page.cjs {origin} {API_KEY} {} {}",
        chromium.display(),
        operations.join(" ")
    );
    let ended = workspace.run(&mut tool::node()?, &arguments)?.success()?;
    Ok(ended.stdout.trim().to_owned())
}
