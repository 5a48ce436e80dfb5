//! Downloading files: reports, traces, screenshots and videos.

mod destination;
mod file_name;
mod range;
mod transfer;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) use destination::Place;
pub(crate) use file_name::FileNames;

use crate::core::Core;

/// Larger than the trace or video of a test should ever be.
const DEFAULT_MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

const DEFAULT_MAX_CONCURRENT: usize = 4;

/// The file that is downloaded.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) url: Url,
    /// The name for progress and errors.
    pub(crate) name: String,
    /// Whether the service says that the file is empty.
    pub(crate) may_be_empty: bool,
}

/// The download of one file. It starts when it is awaited.
///
/// The file appears under its name when it is complete. Until then it is a temporary file in the
/// same directory, which is removed if the download fails or is dropped. The API key is sent only
/// to the configured origin. A transfer that breaks is retried as often as the client's
/// [`RetryPolicy`](crate::RetryPolicy) allows. It continues where it broke if the server gives a
/// strong `ETag` and accepts `Range`; otherwise it starts again.
///
/// # Errors
///
/// Awaiting it fails if
///
/// - the request fails, as for any other;
/// - the response holds no file (202, 204, an empty or a compressed body):
///   [`UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse);
/// - the file is too large: [`FileTooLarge`](crate::ErrorKind::FileTooLarge), or ends too soon:
///   [`TruncatedFile`](crate::ErrorKind::TruncatedFile);
/// - it cannot be written, or something that is not a regular file has its name:
///   [`Io`](crate::ErrorKind::Io).
#[derive(Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct Download {
    core: Core,
    target: Target,
    options: Options,
}

/// The downloads of several files, a few at a time. They start when it is awaited.
///
/// Awaiting it returns one result for each file, in their order; a file that fails does not stop
/// the others. Each is downloaded as [`Download`] describes.
#[derive(Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct DownloadAll {
    core: Core,
    targets: Vec<Target>,
    max_concurrent: usize,
    options: Options,
}

/// The progress of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadProgress<'a> {
    /// The file's name.
    pub name: &'a str,
    /// How many bytes are written. It is reset to 0 if the transfer has to start again.
    pub bytes: u64,
    /// The size of the file in bytes, if the server gives it.
    pub total: Option<u64>,
}

/// A downloaded file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DownloadedFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The size in bytes.
    pub bytes: u64,
    /// The media type, as the server names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// A file, and the place to download it to.
#[derive(Clone)]
struct Target {
    source: Source,
    place: Place,
}

#[derive(Clone)]
struct Options {
    max_bytes: u64,
    on_progress: Option<OnProgress>,
}

type OnProgress = Arc<dyn Fn(DownloadProgress<'_>) + Send + Sync>;

impl Default for Options {
    fn default() -> Self {
        Self {
            max_bytes: DEFAULT_MAX_BYTES,
            on_progress: None,
        }
    }
}

impl Download {
    pub(crate) fn new(core: &Core, source: Source, place: Place) -> Self {
        Self {
            core: core.clone(),
            target: Target { source, place },
            options: Options::default(),
        }
    }

    /// Sets the maximum size of the file, in bytes. Default: 2 GiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.options.max_bytes = bytes;
        self
    }

    /// Calls `call` after each part that has been written. `call` should return quickly.
    pub fn on_progress(
        mut self,
        call: impl Fn(DownloadProgress<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.options.on_progress = Some(Arc::new(call));
        self
    }
}

impl DownloadAll {
    pub(crate) fn new(core: &Core, files: impl IntoIterator<Item = (Source, Place)>) -> Self {
        let target = |(source, place)| Target { source, place };
        Self {
            core: core.clone(),
            targets: files.into_iter().map(target).collect(),
            max_concurrent: DEFAULT_MAX_CONCURRENT,
            options: Options::default(),
        }
    }

    /// Sets how many files are downloaded at a time; at least 1. Default: 4.
    pub fn max_concurrent(mut self, files: usize) -> Self {
        self.max_concurrent = files.max(1);
        self
    }

    /// Sets the maximum size of each file, in bytes. Default: 2 GiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.options.max_bytes = bytes;
        self
    }

    /// Calls `call` after each part of each file that has been written. `call` should return
    /// quickly.
    pub fn on_progress(
        mut self,
        call: impl Fn(DownloadProgress<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.options.on_progress = Some(Arc::new(call));
        self
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the URL, which may contain an access token.
        let path = self.place.path();
        write!(formatter, "{:?} to {path:?}", self.source.name)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
