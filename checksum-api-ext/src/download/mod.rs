mod destination;
mod file_name;
mod range;
mod transfer;

use std::fmt;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) use destination::Place;
pub(crate) use file_name::FileNames;
use transfer::save;

use crate::core::Core;
use crate::error::Error;

/// Larger than any trace or video of a test should be.
const DEFAULT_MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

const DEFAULT_AT_ONCE: usize = 4;

/// What is downloaded.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) url: Url,
    /// What progress and errors call it.
    pub(crate) name: String,
    /// Whether the service has said that the file is empty.
    pub(crate) may_be_empty: bool,
}

/// One file on its way to disk; begun when it is awaited.
///
/// The file appears under its name when it is complete: until then it is a temporary one in the
/// same directory, which is gone when the download fails or is dropped. The key goes along only
/// to the configured origin. A transfer that breaks goes on where it stopped, as often as the
/// client's [`RetryPolicy`](crate::RetryPolicy) says, where the server has named the version of
/// the file (a strong `ETag`) and takes `Range`; otherwise it starts again.
///
/// # Errors
///
/// Awaiting it fails where
///
/// - the service refused or could not be reached: [`Error::Request`];
/// - the response holds no file (202, 204, an empty or a compressed body): [`Error::UnfitFile`];
/// - the file is too large: [`Error::FileTooLarge`], or ended too soon: [`Error::FileCutShort`];
/// - it could not be written, or something that is no file stands in the place of an attachment:
///   [`Error::File`].
#[derive(Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct Download {
    core: Core,
    target: Target,
    options: Options,
}

/// Several files on their way to disk, a few at once; begun when it is awaited.
///
/// Awaiting it gives one result for each file, in their order: a file that fails does not keep the
/// others from arriving. See [`Download`] for how each is treated.
#[derive(Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct DownloadAll {
    core: Core,
    targets: Vec<Target>,
    max_concurrent: usize,
    options: Options,
}

/// How far a download has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadProgress<'a> {
    /// The file's name.
    pub name: &'a str,
    /// How many bytes are on disk. Falls back to 0 where a transfer has to start again.
    pub bytes: u64,
    /// How many there will be, where the server has said so.
    pub total: Option<u64>,
}

/// A file that has arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DownloadedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its type, as its server names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// What is to be put where.
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

    /// The size above which the file is refused; 2 GiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.options.max_bytes = bytes;
        self
    }

    /// Called with each part that has been written. It should return soon.
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
            max_concurrent: DEFAULT_AT_ONCE,
            options: Options::default(),
        }
    }

    /// How many files are on their way at the same time; 4, and no fewer than 1.
    pub fn max_concurrent(mut self, files: usize) -> Self {
        self.max_concurrent = files.max(1);
        self
    }

    /// The size above which a file is refused; 2 GiB. It holds for each.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.options.max_bytes = bytes;
        self
    }

    /// Called with each part of each file that has been written. It should return soon.
    pub fn on_progress(
        mut self,
        call: impl Fn(DownloadProgress<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.options.on_progress = Some(Arc::new(call));
        self
    }
}

impl IntoFuture for Download {
    type Output = Result<DownloadedFile, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(save(self.core, self.target, self.options))
    }
}

impl IntoFuture for DownloadAll {
    type Output = Vec<Result<DownloadedFile, Error>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            core,
            targets,
            max_concurrent,
            options,
        } = self;
        let downloads = targets
            .into_iter()
            .map(move |target| save(core.clone(), target, options.clone()));
        Box::pin(stream::iter(downloads).buffered(max_concurrent).collect())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may grant access to whoever has it.
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
