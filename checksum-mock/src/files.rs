//! What answers point to: report pages and attachments. They are no part of the API, and are
//! served without a key.

/// A file that every test has.
pub(crate) struct Attachment {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// An empty archive: the end-of-central-directory record alone.
const ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// One transparent pixel.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
    \0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

/// The head of a WebM file, without frames.
const WEBM: &[u8] = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\
    \x42\xf3\x81\x08\x42\x82\x84webm\x42\x87\x81\x02\x42\x85\x81\x02";

pub(crate) const ATTACHMENTS: &[Attachment] = &[
    Attachment {
        name: "trace.zip",
        kind: "trace",
        content_type: "application/zip",
        bytes: ZIP,
    },
    Attachment {
        name: "screenshot.png",
        kind: "screenshot",
        content_type: "image/png",
        bytes: PNG,
    },
    Attachment {
        name: "video.webm",
        kind: "video",
        content_type: "video/webm",
        bytes: WEBM,
    },
];

pub(crate) fn attachment_path(test_run_id: &str, file: &Attachment) -> String {
    format!("/files/{test_run_id}/{}", file.name)
}

pub(crate) fn report_path(test_run_id: &str) -> String {
    format!("/files/{test_run_id}/report.html")
}

/// The content type and bytes of a file, by its name.
pub(crate) fn find(name: &str) -> Option<(&'static str, &'static [u8])> {
    const REPORT: &[u8] = b"<!doctype html><title>Test run</title><h1>Test run</h1>\n";
    if name == "report.html" {
        return Some(("text/html; charset=utf-8", REPORT));
    }
    let file = ATTACHMENTS.iter().find(|file| file.name == name)?;
    Some((file.content_type, file.bytes))
}
