//! What answers point to: report pages and attachments. They are no part of the API, and are
//! served without a key.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::answer::Refusal;
use crate::run::Run;
use crate::state::State;

/// The path that stands before the paths of files.
pub(crate) const ROOT: &str = "/files";

/// A file that every test of an ended run has.
pub(crate) struct Attachment {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) content_type: &'static str,
    bytes: &'static [u8],
}

/// Small, and yet what their names say: an archive with one member, a picture of one pixel, a film
/// of one frame.
pub(crate) const ATTACHMENTS: &[Attachment] = &[
    Attachment {
        name: "trace.zip",
        kind: "trace",
        content_type: "application/zip",
        bytes: include_bytes!("files/trace.zip"),
    },
    Attachment {
        name: "screenshot.png",
        kind: "screenshot",
        content_type: "image/png",
        bytes: include_bytes!("files/screenshot.png"),
    },
    Attachment {
        name: "video.webm",
        kind: "video",
        content_type: "video/webm",
        bytes: include_bytes!("files/video.webm"),
    },
];

const REPORT: &str = "report.html";

/// Where a test's attachment is. The test is told by its place in the run, which needs no encoding.
pub(crate) fn attachment_path(run: &Run, test: usize, file: &Attachment) -> String {
    format!("{ROOT}/{}/{test}/{}", run.test_run_id, file.name)
}

/// Where a run's report is.
pub(crate) fn report_path(run: &Run) -> String {
    format!("{ROOT}/{}/{REPORT}", run.test_run_id)
}

/// The file at a path below [`ROOT`].
pub(crate) fn find(state: &State, path: &str) -> Result<Response, Refusal> {
    let unknown = || Refusal::not_found("there is no such file");
    let (run, path) = path.split_once('/').ok_or_else(unknown)?;
    let run = state.ended_run(run).ok_or_else(unknown)?;
    if path == REPORT {
        let html = [(CONTENT_TYPE, "text/html; charset=utf-8")];
        return Ok((html, report(run)).into_response());
    }
    let (test, name) = path.split_once('/').ok_or_else(unknown)?;
    let has_test = test
        .parse()
        .is_ok_and(|index: usize| index < run.tests.len());
    let file = ATTACHMENTS
        .iter()
        .find(|file| has_test && file.name == name);
    let file = file.ok_or_else(unknown)?;
    Ok(([(CONTENT_TYPE, file.content_type)], file.bytes).into_response())
}

fn report(run: &Run) -> String {
    let rows: String = run
        .tests
        .iter()
        .map(|test| {
            let (title, status) = (escaped(&test.title), escaped(&test.status));
            format!("<tr><td>{title}<td>{status}\n")
        })
        .collect();
    let (id, end) = (&run.test_run_id, escaped(run.end()));
    format!(
        "<!doctype html>\n<title>Test run {id}</title>\n<h1>{end}</h1>\n<table>\n{rows}</table>\n"
    )
}

/// Text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
