//! The attachments of many tests, listed and downloaded as one stream.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use checksum_api::types::TestId;
use futures_core::Stream;
use futures_util::{StreamExt, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::Semaphore;

use super::Attachments;
use crate::download::{DEFAULT_MAX_CONCURRENT, DownloadedFile, Options, settings};
use crate::error::Error;
use crate::test_run::TestRun;

/// The characters to escape in the name of a test's directory, so that no two ids share one.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// How many tests are begun for each request that may be in flight, so that one large file does not
/// hold up the tests after it.
const TESTS_PER_REQUEST: usize = 4;

/// The attachments of several tests, before they are listed. Returned by
/// [`TestRun::attachments_of`].
#[derive(Debug)]
#[must_use = "nothing is sent before the stream is polled"]
pub struct ListAttachments {
    test_run: TestRun,
    tests: Vec<TestId>,
    directory: Option<PathBuf>,
    max_concurrent: usize,
    options: Options,
}

/// The attachments of one test of several.
#[derive(Debug)]
#[non_exhaustive]
pub struct TestAttachments {
    /// The test.
    pub test_id: TestId,
    /// The attachments, or why they could not be listed.
    pub attachments: Result<Attachments, Error>,
    /// With [`ListAttachments::download_to`], the result of each attachment's download, in their
    /// order; otherwise empty.
    pub files: Vec<Result<DownloadedFile, Error>>,
}

impl ListAttachments {
    pub(crate) fn new(test_run: TestRun, tests: impl IntoIterator<Item = TestId>) -> Self {
        Self {
            test_run,
            tests: tests.into_iter().collect(),
            directory: None,
            max_concurrent: DEFAULT_MAX_CONCURRENT,
            options: Options::default(),
        }
    }

    /// Downloads the files too, as [`Attachments::download_all`] does, each test's into a
    /// subdirectory with the name of its id. Characters other than letters, digits, `-` and `_` are
    /// percent-encoded in that name.
    ///
    /// A subdirectory that is a symbolic link is an error of its files, because somebody else could
    /// have created it. `directory` itself may be a link.
    pub fn download_to(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets how many requests are in flight at a time, whether for lists or for files; at least 1.
    /// Default: 50.
    pub fn max_concurrent(mut self, requests: usize) -> Self {
        self.max_concurrent = requests.max(1);
        self
    }

    settings!();

    /// Returns the attachments of each test, in the order of the tests. Files are downloaded while
    /// other tests are listed. Nothing is sent before the stream is polled, and dropping it stops
    /// the downloads.
    pub fn into_stream(self) -> impl Stream<Item = TestAttachments> + Send + Unpin + 'static {
        let limit = Arc::new(Semaphore::new(self.max_concurrent));
        let tests_at_once = self.max_concurrent.saturating_mul(TESTS_PER_REQUEST);
        let Self {
            test_run,
            tests,
            directory,
            options,
            ..
        } = self;
        let fetch = move |test_id| {
            let (test_run, limit) = (test_run.clone(), limit.clone());
            let directory = directory
                .as_deref()
                .map(|root| directory_of(root, &test_id));
            let options = options.clone();
            async move {
                let listed = async {
                    // The semaphore is never closed.
                    let _permit = limit.acquire().await;
                    test_run.attachments(TestId::clone(&test_id)).await
                };
                let attachments = listed.await;
                let files = match (&attachments, directory) {
                    (Ok(attachments), Some(directory)) => {
                        download(attachments, &directory, limit, options).await
                    }
                    _ => Vec::new(),
                };
                TestAttachments {
                    test_id,
                    attachments,
                    files,
                }
            }
        };
        Box::pin(stream::iter(tests).map(fetch).buffered(tests_at_once))
    }
}

fn directory_of(root: &Path, test_id: &TestId) -> PathBuf {
    root.join(utf8_percent_encode(test_id.as_str(), ESCAPED).to_string())
}

async fn download(
    attachments: &Attachments,
    directory: &Path,
    limit: Arc<Semaphore>,
    options: Options,
) -> Vec<Result<DownloadedFile, Error>> {
    if directory.is_symlink() {
        let reason = "it is a symbolic link, which is not followed out of the download directory; \
                      remove it first";
        let error = Error::io(directory, &io::Error::other(reason));
        return attachments.iter().map(|_| Err(error.clone())).collect();
    }
    let downloads = attachments.download_all(directory);
    downloads.within(limit).options(options).await
}
