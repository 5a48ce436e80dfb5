//! The attachments of a test, and their download.

mod decode;
mod kind;
mod list;

use std::fmt;
use std::path::Path;

use checksum_api::OperationId;
use serde::Serialize;
use serde_json::Value;
use url::Url;

pub use kind::AttachmentKind;
pub use list::{ListAttachments, TestAttachments};

use crate::core::Core;
use crate::download::{Download, DownloadAll, FileNames, Place, Source};
use crate::error::Error;
use crate::url::{redacted, serialize};

/// The attachments of a test. Returned by [`TestRun::attachments`](crate::TestRun::attachments).
///
/// The API's description names traces, screenshots and videos, and does not show the response. This
/// crate decodes an array, an object with `attachments`, `items`, `data`, `results` or `files`, and
/// one whose fields are the kinds (`{"traces": […], "screenshots": […]}`); their elements may be
/// objects with `url`, `href` or the like, or bare URLs. Elements without a URL are dropped. The
/// JSON as it came is kept as [`raw`](Self::raw).
#[derive(Clone)]
pub struct Attachments {
    core: Core,
    list: Vec<Attachment>,
    raw: Value,
}

/// One trace, screenshot, video or other file.
///
/// As JSON it has a field for each method, without the raw response.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    #[serde(skip)]
    core: Core,
    name: String,
    file_name: String,
    kind: AttachmentKind,
    content_type: Option<String>,
    #[serde(serialize_with = "serialize")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    url: Url,
    size: Option<u64>,
    #[serde(skip)]
    raw: Value,
}

impl Attachments {
    pub(crate) fn decode(core: &Core, raw: Value) -> Result<Self, Error> {
        let Some(entries) = decode::entries(&raw, core.base_url()) else {
            return Err(Error::unexpected_response(
                OperationId::GetTestAttachments,
                "no list",
                raw,
            ));
        };
        let mut names = FileNames::default();
        let attachment = |entry: decode::Entry<'_>| Attachment {
            core: core.clone(),
            file_name: names.next(&entry.name),
            name: entry.name,
            kind: entry.kind,
            content_type: entry.content_type,
            url: entry.url,
            size: entry.size,
            raw: entry.raw.clone(),
        };
        Ok(Self {
            core: core.clone(),
            list: entries.into_iter().map(attachment).collect(),
            raw,
        })
    }

    /// Returns the attachments, in the order of the response.
    pub fn iter(&self) -> std::slice::Iter<'_, Attachment> {
        self.list.iter()
    }

    /// Returns the attachments of one kind.
    pub fn of_kind(&self, kind: &AttachmentKind) -> impl Iterator<Item = &Attachment> {
        self.list.iter().filter(move |one| one.kind == *kind)
    }

    /// Returns the number of attachments.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns whether there are no attachments.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the response as it came.
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// Downloads all attachments to a directory, a few at a time, each under its
    /// [`file_name`](Attachment::file_name). Nothing is sent before the download is awaited.
    ///
    /// If a symbolic link, or anything else that is not a regular file, has the name of an
    /// attachment, that attachment alone is an error. The directory itself may be a link.
    pub fn download_all(&self, directory: impl AsRef<Path>) -> DownloadAll {
        let directory = directory.as_ref();
        let file = |one: &Attachment| {
            let place = Place::Inside(directory.join(&one.file_name));
            (one.source(), place)
        };
        DownloadAll::new(&self.core, self.list.iter().map(file))
    }
}

impl<'a> IntoIterator for &'a Attachments {
    type Item = &'a Attachment;
    type IntoIter = std::slice::Iter<'a, Attachment>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Attachment {
    /// Returns the name that the service gives, or the last part of the URL if it gives none. It is
    /// not a safe file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the file name for the download: safe in any directory, unique in its list, and the
    /// same each time that the list is the same.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// Returns the kind, derived from the attachment's kind, content type or name.
    pub fn kind(&self) -> &AttachmentKind {
        &self.kind
    }

    /// Returns the media type, if the service gives it.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Returns the URL. It may contain an access token, so that whoever has it can read the file
    /// for a while.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the size in bytes, if the service gives it.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Returns the JSON of this attachment, as it came.
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// Downloads the attachment to a directory under its [`file_name`](Self::file_name), replacing
    /// a file of that name. Nothing is sent before the download is awaited.
    ///
    /// If a symbolic link, or anything else that is not a regular file, has that name, it is an
    /// error. The directory itself may be a link.
    pub fn download(&self, directory: impl AsRef<Path>) -> Download {
        let place = Place::Inside(directory.as_ref().join(&self.file_name));
        Download::new(&self.core, self.source(), place)
    }

    fn source(&self) -> Source {
        Source {
            url: self.url.clone(),
            name: self.file_name.clone(),
            may_be_empty: self.size == Some(0),
        }
    }
}

impl fmt::Debug for Attachments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the raw response, whose URLs may contain access tokens.
        formatter.debug_list().entries(&self.list).finish()
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Attachment")
            .field("file_name", &self.file_name)
            .field("kind", &self.kind)
            .field("content_type", &self.content_type)
            .field("url", &redacted(&self.url))
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
