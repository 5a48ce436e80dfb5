//! `checksum attachments`.

use std::fs;

use checksum_mock::Fault;

use crate::invocation::{checksum, exec};
use crate::transcript::{FORMATS, TEST_RUN, after_a_run, transcript};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_download_is_listed_and_fails_the_command() {
    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    // A file in the place of a directory.
    fs::write(directory.path().join("test-def-456"), "").expect("a file");
    let arguments = format!("attachments {TEST_RUN} --failed --output json --download");
    let invocation = checksum(&mock.url(), &arguments).argument(directory.path());
    invocation.end().exits(5).stdout_has("cannot write");
    assert!(directory.path().join("test-ghi-789").is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_cannot_be_listed_does_not_stop_the_others() {
    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let mut all = String::new();
    for arguments in [
        format!("attachments {TEST_RUN} --failed"),
        format!("attachments {TEST_RUN} --failed --download {path}"),
    ] {
        for format in FORMATS {
            mock.fault(Fault::status(403).on_operation("get_test_attachments"));
            let arguments = format!("{arguments} --quiet --output {format}");
            all += &transcript(&mock, &arguments, 4).replace(path, "[directory]");
        }
    }
    insta::assert_snapshot!("unlisted_attachments", all);
    assert!(!directory.path().join("test-def-456").exists());
    assert!(directory.path().join("test-ghi-789/trace.zip").is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_test_that_cannot_be_listed_is_an_error() {
    let mock = after_a_run().await;
    let arguments = format!("attachments {TEST_RUN} test-none --output json");
    let ended = exec(&mock, &arguments).exits(2);
    assert_eq!(ended.last_line()["type"], "error");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn links_inside_the_download_directory_are_not_followed() {
    use std::os::unix::fs::symlink;

    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    for name in ["downloads", "outside"] {
        fs::create_dir(at(name)).expect("a directory");
    }
    fs::create_dir(at("downloads/test-ghi-789")).expect("a directory");
    fs::write(at("outside/file"), "old").expect("a file");
    symlink("../outside", at("downloads/test-def-456")).expect("a link");
    symlink("../../outside/file", at("downloads/test-ghi-789/trace.zip")).expect("a link");
    symlink("downloads", at("link")).expect("a link");
    // The directory that the user names may be a link.
    for directory in ["downloads", "link"] {
        let arguments = format!("attachments {TEST_RUN} --failed --output json --download");
        let ended = checksum(&mock.url(), &arguments)
            .argument(at(directory))
            .end()
            .exits(5);
        let last = ended.last_line();
        let listed = last["attachments"].as_array().expect("a list");
        let is_rejected: Vec<bool> = listed
            .iter()
            .map(|one| {
                let error = one["error"].as_str().unwrap_or_default();
                error.contains("symbolic link") && error.contains("not followed")
            })
            .collect();
        assert_eq!(
            is_rejected,
            [true, true, true, true, false, false],
            "{last}"
        );
        assert_eq!(fs::read_dir(at("outside")).expect("a directory").count(), 1);
        assert_eq!(
            fs::read_to_string(at("outside/file")).expect("a file"),
            "old"
        );
        assert!(at("downloads/test-def-456").is_symlink());
    }
}
