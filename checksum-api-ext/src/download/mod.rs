//! Downloading files: reports, traces, screenshots and videos.

mod destination;
mod file_name;
mod range;
mod throughput;
mod transfer;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use url::Url;

pub(crate) use destination::Place;
pub(crate) use file_name::FileNames;

use crate::core::Core;
use throughput::MinThroughput;

/// Larger than the trace or video of a test should ever be.
const DEFAULT_MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// As many as curl has with `--parallel`. With fewer, 100 small files take more round trips.
pub(crate) const DEFAULT_MAX_CONCURRENT: usize = 50;

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
/// to the configured origin. A transfer that breaks, or falls below its
/// [`min_throughput`](Self::min_throughput), is retried as often as the client's
/// [`RetryPolicy`](crate::RetryPolicy) allows. It continues where it broke if the server gives a
/// strong `ETag` and accepts `Range`; otherwise it starts again. Attempts that make progress are not
/// counted. There is no limit on the time of a download that makes progress.
///
/// # Errors
///
/// Awaiting it fails if
///
/// - the request fails, as for any other;
/// - the response holds no file (202, 204, an empty or a compressed body):
///   [`UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse);
/// - the file is too large: [`FileTooLarge`](crate::ErrorKind::FileTooLarge), or ends too soon:
///   [`TruncatedFile`](crate::ErrorKind::TruncatedFile), or arrives too slowly:
///   [`StalledDownload`](crate::ErrorKind::StalledDownload);
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
    limit: Arc<Semaphore>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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

/// The settings of each file.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) max_bytes: u64,
    pub(crate) min_throughput: MinThroughput,
    pub(crate) on_progress: Option<OnProgress>,
}

pub(crate) type OnProgress = Arc<dyn Fn(DownloadProgress<'_>) + Send + Sync>;

impl Default for Options {
    fn default() -> Self {
        Self {
            max_bytes: DEFAULT_MAX_BYTES,
            min_throughput: MinThroughput::default(),
            on_progress: None,
        }
    }
}

/// The methods that set the `options` of a download, whether of one file or of many.
macro_rules! settings {
    () => {
        /// Sets the maximum size of a file, in bytes. Default: 2 GiB.
        pub fn max_bytes(mut self, bytes: u64) -> Self {
            self.options.max_bytes = bytes;
            self
        }

        /// Sets the minimum throughput of a transfer: it is broken off and resumed if fewer than
        /// `bytes` arrive while the client waits for `window`. With 0 bytes there is no minimum.
        /// Default: 4 KiB in 30 s.
        pub fn min_throughput(mut self, bytes: u64, window: std::time::Duration) -> Self {
            self.options.set_min_throughput(bytes, window);
            self
        }

        /// Calls `call` after each part of a file that has been written. `call` should return
        /// quickly.
        pub fn on_progress(
            mut self,
            call: impl Fn($crate::DownloadProgress<'_>) + Send + Sync + 'static,
        ) -> Self {
            self.options.on_progress = Some(std::sync::Arc::new(call));
            self
        }
    };
}
pub(crate) use settings;

impl Options {
    pub(crate) fn set_min_throughput(&mut self, bytes: u64, window: Duration) {
        self.min_throughput = MinThroughput { bytes, window };
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

    settings!();
}

impl DownloadAll {
    pub(crate) fn new(core: &Core, files: impl IntoIterator<Item = (Source, Place)>) -> Self {
        let target = |(source, place)| Target { source, place };
        Self {
            core: core.clone(),
            targets: files.into_iter().map(target).collect(),
            limit: Arc::new(Semaphore::new(DEFAULT_MAX_CONCURRENT)),
            options: Options::default(),
        }
    }

    /// Sets how many files are downloaded at a time; at least 1. Default: 50. A large file takes
    /// about 2 MB of memory while it is downloaded.
    pub fn max_concurrent(self, files: usize) -> Self {
        self.within(Arc::new(Semaphore::new(files.max(1))))
    }

    settings!();

    /// Shares the limit on concurrent requests with others.
    pub(crate) fn within(mut self, limit: Arc<Semaphore>) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn options(mut self, options: Options) -> Self {
        self.options = options;
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
