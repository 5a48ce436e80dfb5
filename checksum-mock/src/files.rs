//! What answers point to: report pages and attachments. They are no part of the API, and are
//! served without a key.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE};
use http::{HeaderMap, StatusCode};
use http_range_header::parse_range_header;

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

/// A file as it is served.
pub(crate) struct File {
    content_type: &'static str,
    bytes: Bytes,
}

/// What of a file is asked for.
enum Part {
    Whole,
    /// From the first byte to the last.
    Of(usize, usize),
    /// Nothing that it has.
    None,
}

/// The file at a path below [`ROOT`].
pub(crate) fn find(state: &State, path: &str) -> Result<File, Refusal> {
    let unknown = || Refusal::not_found("there is no such file");
    let (run, path) = path.split_once('/').ok_or_else(unknown)?;
    let run = state.ended_run(run).ok_or_else(unknown)?;
    if path == REPORT {
        return Ok(File {
            content_type: "text/html; charset=utf-8",
            bytes: report(run).into(),
        });
    }
    let (test, name) = path.split_once('/').ok_or_else(unknown)?;
    let has_test = test
        .parse()
        .is_ok_and(|index: usize| index < run.tests.len());
    let file = ATTACHMENTS
        .iter()
        .find(|file| has_test && file.name == name);
    let file = file.ok_or_else(unknown)?;
    Ok(File {
        content_type: file.content_type,
        bytes: Bytes::from_static(file.bytes),
    })
}

impl File {
    /// The file, or the part of it that is asked for, as the stores of files answer.
    pub(crate) fn answer(&self, asked: &HeaderMap) -> http::Result<Response> {
        let tag = self.tag();
        let length = self.bytes.len();
        let response = Response::builder()
            .header(CONTENT_TYPE, self.content_type)
            .header(ETAG, &tag)
            .header(ACCEPT_RANGES, "bytes");
        match self.part(asked, &tag) {
            Part::Whole => response.body(Body::from(self.bytes.clone())),
            Part::Of(start, end) => response
                .status(StatusCode::PARTIAL_CONTENT)
                .header(CONTENT_RANGE, format!("bytes {start}-{end}/{length}"))
                .body(Body::from(self.bytes.slice(start..=end))),
            Part::None => response
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(CONTENT_RANGE, format!("bytes */{length}"))
                .body(Body::empty()),
        }
    }

    /// Names this version of the file.
    fn tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.bytes.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }

    fn part(&self, asked: &HeaderMap, tag: &str) -> Part {
        let text = |name| asked.get(name)?.to_str().ok();
        let is_same = text(IF_RANGE).is_none_or(|known| known == tag);
        // What is no range, or several, is left out of account (RFC 9110, section 14.2).
        let ranges = text(RANGE).filter(|_| is_same).map(parse_range_header);
        let Some(Ok(ranges)) = ranges else {
            return Part::Whole;
        };
        match ranges.validate(self.bytes.len() as u64).as_deref() {
            Ok([range]) => Part::Of(*range.start() as usize, *range.end() as usize),
            Ok(_) => Part::Whole,
            Err(_) => Part::None,
        }
    }
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
