//! The report pages and attachments of finished runs. They are not part of the API.

use std::borrow::Cow;

use super::run::Run;

/// The path that stands before the paths of files.
pub(crate) const ROOT: &str = "/files/";

/// A file that every test of a finished run has.
pub(crate) struct Attachment {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) content_type: &'static str,
    bytes: &'static [u8],
}

/// The smallest valid files of their kinds.
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

/// A content type and the bytes.
pub(crate) type File = (&'static str, Cow<'static, [u8]>);

/// Returns the path of an attachment. It has the test's index, which needs no encoding.
pub(crate) fn attachment_path(run: &Run, test: usize, file: &Attachment) -> String {
    format!("{ROOT}{}/{test}/{}", run.test_run_id, file.name)
}

pub(crate) fn report_path(run: &Run) -> String {
    format!("{ROOT}{}/{REPORT}", run.test_run_id)
}

/// Returns the file of a finished run at a path below its test run id.
pub(crate) fn find(run: &Run, path: &str) -> Option<File> {
    if path == REPORT {
        let page = report(run).into_bytes();
        return Some(("text/html; charset=utf-8", page.into()));
    }
    let (test, name) = path.split_once('/')?;
    run.tests.get(test.parse::<usize>().ok()?)?;
    let file = ATTACHMENTS.iter().find(|file| file.name == name)?;
    Some((file.content_type, file.bytes.into()))
}

fn report(run: &Run) -> String {
    let rows: String = run
        .tests
        .iter()
        .map(|test| {
            let (title, status) = (escape(&test.title), escape(&test.status));
            format!("<tr><td>{title}<td>{status}\n")
        })
        .collect();
    let (id, end) = (&run.test_run_id, escape(run.end_state()));
    format!(
        "<!doctype html>\n<title>Test run {id}</title>\n<h1>{end}</h1>\n<table>\n{rows}</table>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
