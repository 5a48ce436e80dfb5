//! The download of attachments from a server that is already running: `checksum-bench serve`.

use checksum_api::ApiKey;
use checksum_api::types::TestId;
use checksum_api_ext::Checksum;
use futures_util::StreamExt;

use crate::{Error, KEY};

/// Downloads this many files of each of these tests to a directory, and returns how many that were.
pub(crate) async fn run(
    url: &str,
    tests: usize,
    files: usize,
    directory: &str,
) -> Result<usize, Error> {
    let checksum = Checksum::builder().api_key(ApiKey::new(KEY)?);
    let checksum = checksum.base_url(url.parse()?).build()?;
    // The server reads the number of a test's files from its id.
    let tests = (0..tests).map(|test| TestId::new(format!("{files}-{test}")));
    let tests = tests.collect::<Result<Vec<_>, _>>()?;
    let run = checksum.test_run("run-id".parse()?);
    let mut lists = run
        .attachments_of(tests)
        .download_to(directory)
        .into_stream();
    let mut downloaded = 0;
    while let Some(test) = lists.next().await {
        test.attachments?;
        for file in test.files {
            file?;
            downloaded += 1;
        }
    }
    Ok(downloaded)
}
