//! `--report`: what the files say of each outcome, and that they change no verdict.

use std::fs;
use std::path::{Path, PathBuf};

use checksum_mock::{Fault, Mock, RunScript, TestScript};
use serde_json::Value;

use crate::invocation::{Ended, KEY, checksum, exec, observed_mock, start_mock, wait_until};
use crate::transcript::{TEST_RUN, after_a_run};

const RUN: &str = "run suite --poll-interval 0s";

/// The files of one invocation.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    /// A path in a directory that does not exist yet.
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("new").join(name)
    }

    /// Runs a command that writes every report.
    #[track_caller]
    fn exec(&self, mock: &Mock, arguments: &str) -> Ended {
        let mut invocation = checksum(&mock.url(), arguments);
        for format in ["junit", "ctrf", "markdown", "html"] {
            let report = format!("{format}={}", self.path(format).display());
            invocation = invocation.argument("--report").argument(report);
        }
        let ended = invocation.end();
        for name in ["junit", "ctrf", "markdown", "html"] {
            assert!(!self.read(name).contains(KEY), "{name}");
        }
        ended
    }

    #[track_caller]
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    /// The counts of JUnit: tests, skipped, failures, errors. Those of CTRF are the same.
    #[track_caller]
    fn counts(&self) -> [usize; 4] {
        let junit = self.read("junit");
        let (_, counts) = junit.split_once("<testsuites ").expect("JUnit");
        let count = |name: &str| {
            let (_, value) = counts.split_once(&format!(" {name}=\"")).expect(name);
            value.split('"').next().and_then(|text| text.parse().ok())
        };
        let counts =
            ["tests", "skipped", "failures", "errors"].map(|name| count(name).expect(name));
        let [tests, skipped, failures, errors] = counts;
        let ctrf: Value = serde_json::from_str(&self.read("ctrf")).expect("JSON");
        let summary = &ctrf["results"]["summary"];
        assert_eq!(summary["tests"], tests);
        assert_eq!(summary["failed"], failures + errors);
        assert_eq!(summary["other"], skipped);
        assert_eq!(
            self.read("html").matches("<li class=").count(),
            tests - errors
        );
        counts
    }

    #[track_caller]
    fn has(&self, name: &str, text: &str) -> &Self {
        let written = self.read(name);
        assert!(written.contains(text), "no {text:?} in {written}");
        self
    }
}

fn mixed_run() -> RunScript {
    let test = |status: &str| TestScript::new(format!("test-{status}")).status(status);
    let failing = TestScript::new("test-failed")
        .title("Pay & go")
        .tags(["smoke"]);
    RunScript::new().end_state("failed").tests([
        test("passed"),
        failing.fails(format!(
            "<b>\u{1b}[31mno button\u{1b}[0m ]]>\n::error::x {KEY}"
        )),
        test("recovered"),
        test("bug"),
        test("timedout"),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_show_each_test() {
    let mock = start_mock().await;
    mock.next_run(mixed_run());
    let files = Files::new();
    files.exec(&mock, RUN).exits(1).stderr_lacks("warning");
    assert_eq!(files.counts(), [5, 1, 2, 0]);
    let page = format!("https://app.checksum.ai/#/test-runs/{TEST_RUN}");
    for name in ["junit", "ctrf", "markdown", "html"] {
        files.has(name, &page).has(name, "timedout");
    }
    files
        .has(
            "junit",
            "<testcase name=\"Pay &amp; go\" classname=\"checksum/tests/scripted.spec.ts\"",
        )
        .has(
            "junit",
            "&lt;b&gt;no button ]]&gt;\n: :error::x ***</failure>",
        )
        .has(
            "junit",
            "<flakyFailure message=\"it failed at first\" type=\"recovered\">",
        )
        .has("junit", "type=\"bug\"")
        .has("ctrf", r#""flaky":true"#)
        .has(
            "markdown",
            "## ❌ Checksum: ` failed `\n\n1 passed, 1 failed, 1 recovered, 1 bug",
        )
        .has(
            "markdown",
            "- ` Pay & go ` · ` checksum/tests/scripted.spec.ts `",
        )
        .has("html", "<span class=name>Pay &amp; go</span><i>#smoke</i>")
        .has("html", "&lt;b&gt;no button ]]&gt;\n: :error::x ***</pre>");

    // The same from the two commands that follow a run.
    for arguments in [
        format!("results {TEST_RUN}"),
        "wait job-name-12345".to_owned(),
    ] {
        let files = Files::new();
        let code = i32::from(arguments.starts_with("wait"));
        files.exec(&mock, &arguments).exits(code);
        assert_eq!(files.counts(), [5, 1, 2, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_has_no_failure() {
    let mock = start_mock().await;
    let files = Files::new();
    files.exec(&mock, &format!("{RUN} --strict")).exits(0);
    assert_eq!(files.counts(), [6, 0, 0, 0]);
    files.has("markdown", "✅").has("html", "<h1 class=pass>");
}

/// A run whose results cannot be had, or in which no test ran, is one error.
#[tokio::test(flavor = "multi_thread")]
async fn no_reader_takes_another_end_for_a_pass() {
    let no_results = |fault: Fault| fault.on_operation("get_test_run_results").always();
    let no_run = |fault: Fault| fault.on_operation("run_suite").always();
    let no_tests = || RunScript::new().tests([]);
    for (script, fault, arguments, code, expected) in [
        (
            RunScript::new().process_error(),
            None,
            RUN,
            6,
            "process-error",
        ),
        (RunScript::new().cancelled(), None, RUN, 9, "cancelled"),
        (
            RunScript::new().end_state("failed"),
            None,
            RUN,
            1,
            "no test that failed",
        ),
        (
            RunScript::new().end_state("odd"),
            None,
            RUN,
            5,
            "outcome is odd",
        ),
        (
            RunScript::new().failed(2),
            None,
            "run suite --poll-interval 0s --strict",
            1,
            "counts 2 failed",
        ),
        (no_tests(), None, RUN, 1, "no test ran"),
        (
            RunScript::new().never_finishes(),
            None,
            "run suite --timeout 0s",
            3,
            "unknown",
        ),
        (
            RunScript::new(),
            Some(no_results(Fault::status(404))),
            RUN,
            10,
            "404",
        ),
        (
            RunScript::new().passed(3).tests([]),
            None,
            RUN,
            0,
            "list no test",
        ),
        (
            mixed_run(),
            Some(no_results(Fault::status(401))),
            RUN,
            1,
            "401",
        ),
        (
            RunScript::new(),
            Some(no_run(Fault::status(401))),
            RUN,
            4,
            "401",
        ),
        (
            RunScript::new(),
            Some(no_run(Fault::status(500))),
            RUN,
            5,
            "may have",
        ),
    ] {
        let mock = start_mock().await;
        mock.next_run(script);
        if let Some(fault) = fault {
            mock.fault(fault);
        }
        let files = Files::new();
        let ended = files.exec(&mock, arguments);
        assert_eq!(ended.code, code, "{expected}: {ended:?}");
        let [_, _, failures, errors] = files.counts();
        assert_eq!((failures, errors), (0, 1), "{expected}");
        for name in ["junit", "ctrf", "markdown", "html"] {
            files.has(name, expected);
        }
        files.has("markdown", "❌").has("html", "<h1 class=fail>");
    }
    // With permission, and if there is nothing to run, it is no error.
    let mock = start_mock().await;
    mock.next_run(no_tests());
    let files = Files::new();
    files
        .exec(&mock, &format!("{RUN} --allow-no-tests"))
        .exits(0);
    assert_eq!(files.counts(), [0, 0, 0, 0]);
    let files = Files::new();
    files
        .exec(&observed_mock().await, "run affected README.md")
        .exits(0);
    assert_eq!(files.counts(), [0, 0, 0, 0]);
    files.has("markdown", "no test is affected");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_written_changes_only_a_pass() {
    let directory = tempfile::tempdir().expect("a directory");
    let report = format!("junit={}", directory.path().display());
    for (script, code) in [(RunScript::new(), 10), (mixed_run(), 1)] {
        let mock = start_mock().await;
        mock.next_run(script);
        let files = Files::new();
        let arguments = format!("{RUN} --report {report}");
        let ended = files.exec(&mock, &arguments).exits(code);
        ended.stderr_has("warning: --report junit=");
        assert!(files.counts()[0] > 0, "the others are written");
    }
    let mock = after_a_run().await;
    exec(&mock, format!("results {TEST_RUN} --report {report}")).exits(10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_command_leaves_no_report_of_an_earlier_run() {
    let mock = start_mock().await;
    let files = Files::new();
    files.exec(&mock, RUN).exits(0);
    mock.next_run(RunScript::new().never_finishes());
    let before = mock.request_count();
    let report = format!("junit={}", files.path("junit").display());
    let start = checksum(&mock.url(), format!("{RUN} --report {report}"));
    let mut child = start.spawn();
    wait_until("the run starts", || mock.request_count() > before + 1);
    child.kill().expect("killed");
    child.wait().expect("gone");
    files
        .has("junit", "errors=\"1\"")
        .has("junit", "before it knew the result");
}

/// The files are found before anything is started, and reports are prepared before that.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_before_the_start_leaves_no_report_of_an_earlier_run() {
    let mock = start_mock().await;
    let files = Files::new();
    files.exec(&mock, RUN).exits(0);
    let affected = "run affected --base no-such-revision";
    let ended = files.exec(&mock, affected);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(files.counts(), [1, 0, 0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_of_a_run_and_has_a_format() {
    let mock = start_mock().await;
    let directory = tempfile::tempdir().expect("a directory");
    let handle: &Path = &directory.path().join("handle.json");
    fs::write(handle, r#"{"healBatch":{"batchId":"batch-1"}}"#).expect("written");
    let wait = format!("wait --handle-file {} --report junit=", handle.display());
    let path = directory.path().join("junit.xml");
    let ended = exec(&mock, format!("{wait}{}", path.display())).exits(2);
    ended.stderr_has("--report and --artifacts are of a run");
    for report in ["junit", "junit=", "xml=a"] {
        exec(&mock, format!("run suite --report {report}")).exits(2);
    }
    exec(&mock, "run suite --detach --report junit=a").exits(2);
    assert_eq!(mock.request_count(), 0);
}

/// A pipe or device gets one report, after the verdict.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_report_can_go_to_standard_output() {
    let mock = start_mock().await;
    let ended = exec(&mock, format!("{RUN} --report markdown=/dev/stdout")).exits(0);
    assert_eq!(
        ended.stdout.matches("## ✅ Checksum").count(),
        1,
        "{ended:?}"
    );
}
