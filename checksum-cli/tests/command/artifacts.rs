//! `--artifacts`: what is downloaded after a run, and that it changes no verdict.

use std::fs;
use std::path::Path;

use checksum_mock::{Fault, RunScript, TestScript};
use serde_json::Value;

use crate::invocation::{checksum, exec, observed_mock, start_mock};
use crate::transcript::{FORMATS, TEST_RUN, after_a_run, transcript};

const RUN: &str = "run suite --poll-interval 0s";

/// A run with a test of each status.
fn mixed_run() -> RunScript {
    let statuses = ["passed", "failed", "recovered", "bug"];
    let tests = statuses.map(|status| TestScript::new(format!("test-{status}")).status(status));
    RunScript::new().end_state("failed").tests(tests)
}

#[track_caller]
fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_attachments_of_failed_or_all_tests_are_downloaded() {
    let mock = start_mock().await;
    let tests = ["test-bug", "test-failed", "test-passed", "test-recovered"];
    for (wanted, expected) in [("failed", &tests[..2]), ("all", &tests[..])] {
        mock.next_run(mixed_run());
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("new/artifacts");
        let artifacts = format!("{wanted}={}", root.display());
        let run = checksum(&mock.url(), RUN).argument("--artifacts");
        let ended = run.argument(artifacts).end().exits(1);
        assert_eq!(names_in(&root), expected, "{wanted}");
        for test in expected {
            let names = names_in(&root.join(test));
            assert_eq!(names, ["screenshot.png", "trace.zip", "video.webm"]);
            let trace = root.join(test).join("trace.zip");
            ended.stderr_has(&format!(
                "\nnpx playwright show-trace {}\n",
                trace.display()
            ));
            ended.stdout_lacks("npx");
        }
        let verdict = ended.stdout.lines().next().expect("a line");
        assert!(verdict.contains("failed (1 passed, 1 failed, 1 recovered, 1 bug)"));
        let saved = format!("{} attachments saved in ", expected.len() * 3);
        ended.stderr_has(&saved).stderr_lacks("warning");
    }
}

/// `wait` and `results` download the same, and every form of the output has the files.
#[tokio::test(flavor = "multi_thread")]
async fn the_result_for_programs_has_the_files() {
    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let mut all = String::new();
    for (arguments, code) in [
        ("wait job-name-12345".to_owned(), 1),
        (format!("results {TEST_RUN} --status failed"), 0),
    ] {
        for format in FORMATS {
            let arguments = format!("{arguments} --artifacts failed={path} --output {format}");
            all += &transcript(&mock, &arguments, code).replace(path, "[directory]");
        }
    }
    insta::assert_snapshot!("artifacts", all);
    assert_eq!(names_in(directory.path()), ["test-def-456", "test-ghi-789"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_download_changes_only_a_pass() {
    let no_list = || {
        Fault::status(403)
            .on_operation("get_test_attachments")
            .always()
    };
    let no_results = || {
        Fault::status(404)
            .on_operation("get_test_run_results")
            .always()
    };
    for (script, fault, code, warning) in [
        (RunScript::new(), None, 0, ""),
        (
            RunScript::new(),
            Some(no_list()),
            10,
            "cannot list the attachments",
        ),
        (
            RunScript::new(),
            Some(no_results()),
            10,
            "there are no results",
        ),
        (
            mixed_run(),
            Some(no_list()),
            1,
            "cannot list the attachments",
        ),
        (mixed_run(), Some(no_results()), 1, "there are no results"),
        (RunScript::new().cancelled(), Some(no_list()), 9, ""),
    ] {
        let mock = start_mock().await;
        mock.next_run(script);
        if let Some(fault) = fault {
            mock.fault(fault);
        }
        let directory = tempfile::tempdir().expect("a directory");
        let run = checksum(&mock.url(), format!("{RUN} --output json --artifacts"));
        let wanted = format!("all={}", directory.path().display());
        let ended = run.argument(wanted).end();
        assert_eq!(ended.code, code, "{ended:?}");
        ended.stderr_has(warning);
        // There is one object, and it has the exit code of the command.
        assert_eq!(ended.lines().count(), 1);
        assert_eq!(ended.last_line()["exitCode"], code);
    }
    // A file in the place of the directory.
    let mock = start_mock().await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    let wanted = format!(
        "{RUN} --output json --artifacts all={}",
        file.path().display()
    );
    let ended = exec(&mock, wanted).exits(10);
    let artifacts = &ended.last_line()["artifacts"]["attachments"];
    let attachments = artifacts.as_array().expect("a list");
    assert_eq!(attachments.len(), 18);
    let has_failed = |one: &Value| one["path"].is_null() && one["error"].is_string();
    assert!(attachments.iter().all(has_failed), "{attachments:?}");
    ended.stderr_has("warning: test-abc-123 trace trace.zip: cannot write ");
}

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_are_of_a_run_that_is_waited_for() {
    let mock = observed_mock().await;
    for arguments in [
        "run suite --artifacts failed",
        "run suite --artifacts =a",
        "run suite --artifacts failed=",
        "run suite --artifacts passed=a",
        "run suite --detach --artifacts all=a",
        "run suite --dry-run --artifacts all=a",
        "wait --heal-batch batch-1 --artifacts all=a",
    ] {
        exec(&mock, arguments).exits(2);
    }
    assert_eq!(mock.request_count(), 0);
    // Nothing ran, so that nothing is downloaded.
    exec(
        &mock,
        "run affected README.md --artifacts all=no-such-place",
    )
    .exits(0);
    assert!(!Path::new("no-such-place").exists());
}
