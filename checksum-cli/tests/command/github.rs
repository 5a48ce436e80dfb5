//! What the command does in a step of GitHub Actions: annotations, outputs, the summary, and the
//! options that it takes from the event.

use std::fs;

use checksum_mock::{Fault, RunScript, TestScript};

use crate::github_step::Step;
use crate::invocation::{Ended, checksum, exec, last_body, observed_mock, start_mock};
use crate::transcript::{TEST_RUN, after_a_run};

const RUN: &str = "run suite --poll-interval 0s";

fn annotations(ended: &Ended) -> Vec<&str> {
    let lines = ended.stderr.lines();
    assert!(!ended.stdout.contains("::"), "{ended:?}");
    lines.filter(|line| line.starts_with("::")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_shown_where_people_look() {
    let mock = start_mock().await;
    let tests = (0..12).map(|number| {
        let test = TestScript::new(format!("test-{number}"));
        let test = test
            .title(format!("Pay, {number}"))
            .file("tests/pay.spec.ts");
        test.fails("expected 1\nreceived 100%")
    });
    mock.next_run(RunScript::new().tests(tests).end_state("failed"));
    let step = Step::of_push();
    let ended = step.exec(&mock, RUN).exits(1);
    let shown = annotations(&ended);
    assert_eq!(shown.len(), 10);
    assert_eq!(
        shown[0],
        "::error file=tests/pay.spec.ts,title=Pay%2C 0::expected 1%0Areceived 100%25"
    );
    ended.stderr_has("note: 2 more tests failed");
    step.has_outputs(&[
        ("job-name", "job-name-12345"),
        ("test-run-id", TEST_RUN),
        ("status", "failed"),
        ("verdict", "fail"),
    ]);
    let summary = step.summary();
    assert!(
        summary.starts_with("## ❌ Checksum: ` failed `"),
        "{summary}"
    );
    assert!(summary.contains("Pay, 11") && summary.contains(TEST_RUN));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_has_its_outputs() {
    let no_tests = || RunScript::new().tests([]);
    for (script, arguments, code, status, verdict, shown) in [
        (RunScript::new(), RUN, 0, "passed", "pass", 0),
        (RunScript::new().healed(), RUN, 0, "healed", "pass", 0),
        (RunScript::new().cancelled(), RUN, 9, "cancelled", "fail", 1),
        (
            RunScript::new().process_error(),
            RUN,
            6,
            "process-error",
            "fail",
            1,
        ),
        (no_tests(), RUN, 1, "passed", "fail", 1),
        (
            RunScript::new().never_finishes(),
            "run suite --timeout 0s",
            3,
            "timeout",
            "pending",
            1,
        ),
    ] {
        let mock = observed_mock().await;
        mock.next_run(script);
        let step = Step::of_push();
        let ended = step.exec(&mock, arguments).exits(code);
        assert_eq!(annotations(&ended).len(), shown, "{status}: {ended:?}");
        step.has_outputs(&[
            ("job-name", "job-name-12345"),
            ("test-run-id", TEST_RUN),
            ("status", status),
            ("verdict", verdict),
        ]);
        let mark = if verdict == "pass" { "✅" } else { "❌" };
        assert!(step.summary().contains(mark), "{}", step.summary());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sharded_detached_and_affected_runs_have_their_outputs() {
    let mock = observed_mock().await;
    let step = Step::of_push();
    step.exec(&mock, "run grep checkout --shards 3 --poll-interval 0s")
        .exits(0);
    let outputs = step.outputs();
    assert!(!outputs.contains_key("job-name") && !outputs["test-run-id"].is_empty());
    assert_eq!(outputs["verdict"], "pass");

    let step = Step::of_push();
    step.exec(&mock, "run suite --detach").exits(0);
    let outputs = step.outputs();
    let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
    assert_eq!(names, ["job-name", "test-run-id"]);
    assert_eq!(step.summary(), "");

    // The next step waits for it.
    let waiting = Step::of_push();
    let wait = format!("wait {} --poll-interval 0s", outputs["job-name"]);
    waiting.exec(&mock, &wait).exits(0);
    assert_eq!(waiting.outputs()["verdict"], "pass");
    assert_eq!(waiting.outputs()["job-name"], outputs["job-name"]);

    let step = Step::of_push();
    step.exec(&mock, "run affected src/cart.ts --poll-interval 0s")
        .exits(0);
    let outputs = step.outputs();
    let ids = r#"["test-abc-123"]"#;
    assert_eq!(outputs["affected-test-ids"], ids);
    assert_eq!(outputs["grep-pattern"], "(test-abc-123)");
    mock.set_affected_tests([""; 0]);
    let step = Step::of_push();
    step.exec(&mock, "run affected README.md").exits(0);
    step.has_outputs(&[("affected-test-ids", "[]")]);
    assert!(step.summary().contains("no test is affected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_have_their_outputs() {
    let mock = after_a_run().await;
    let step = Step::of_pull_request();
    let ended = step.exec(&mock, "generate --poll-interval 0s").exits(0);
    ended.stderr_has(
        "note: from the GitHub event: --repo acme-co/webapp --pr 42 --branch feature/x\n",
    );
    let body = last_body(&mock, "trigger_auto_generate");
    assert_eq!(body["repoName"], "acme-co/webapp");
    assert_eq!(body["prNumber"], 42);
    assert_eq!(body["branch"], "feature/x");
    step.has_outputs(&[
        ("batch-id", "batch-gen-1"),
        ("session-id", "sess-1"),
        ("session-url", "https://app.checksum.ai/#/sessions/sess-1"),
        ("status", "completed"),
        ("verdict", "pass"),
    ]);
    let summary = step.summary();
    assert!(
        summary.contains("## ✅ Checksum: batch-gen-1 `completed`"),
        "{summary}"
    );
    assert!(summary.contains("/pull/"), "{summary}");
    // Beside a run too.
    let step = Step::of_push();
    let list = step.path("list");
    fs::write(&list, "job-name-12345\ngeneration-batch:batch-gen-1\n").expect("written");
    let wait = format!("wait --poll-interval 0s --from {}", list.display());
    step.exec(&mock, &wait);
    for part in ["Checksum: batch-gen-1 `completed`", "4 passed"] {
        assert!(step.summary().contains(part), "{}", step.summary());
    }
    // A push has no pull request.
    let ended = Step::of_push().exec(&mock, "generate").exits(2);
    ended.stderr_has("generation needs a pull request; give --pr.");
}

#[tokio::test(flavor = "multi_thread")]
async fn healing_takes_the_pull_request_and_never_the_branch() {
    let mock = after_a_run().await;
    let step = Step::of_pull_request();
    let heal = format!("heal {TEST_RUN} --poll-interval 0s");
    step.exec(&mock, &heal).exits(0);
    let body = last_body(&mock, "trigger_auto_heal");
    assert_eq!(body["repoName"], "acme-co/webapp");
    assert_eq!(body["prNumber"], 42);
    assert!(body["branch"].is_null(), "{body}");
    step.exec(&mock, &format!("{heal} --no-create-pr")).exits(0);
    let body = last_body(&mock, "trigger_auto_heal");
    assert!(
        body["repoName"].is_null() && body["prNumber"].is_null(),
        "{body}"
    );

    let grep = "run grep checkout --poll-interval 0s";
    step.exec(&mock, &format!("{grep} --auto-heal")).exits(0);
    let body = last_body(&mock, "run_grep_v2");
    assert_eq!(body["branch"], "feature/x");
    assert_eq!(body["autoHeal"]["repoName"], "acme-co/webapp");
    assert_eq!(body["autoHeal"]["prNumber"], 42);
    assert!(body["autoHeal"]["branch"].is_null(), "{body}");
    // What is given stays, and a run that is not healed needs no repository.
    step.exec(&mock, &format!("{grep} --branch main")).exits(0);
    let body = last_body(&mock, "run_grep_v2");
    assert!(
        body["branch"] == "main" && body["autoHeal"].is_null(),
        "{body}"
    );
    // Elsewhere nothing is taken.
    exec(&mock, "generate")
        .exits(2)
        .stderr_has("give --repo, --pr, --branch.");
    exec(&mock, grep).exits(0);
    assert!(last_body(&mock, "run_grep_v2")["branch"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_changes_only_a_pass() {
    for (variable, what) in [
        ("GITHUB_OUTPUT", "the outputs of the step"),
        ("GITHUB_STEP_SUMMARY", "the summary of the step"),
    ] {
        for (script, code) in [(RunScript::new(), 10), (RunScript::new().cancelled(), 9)] {
            let mock = start_mock().await;
            mock.next_run(script);
            let mut step = Step::of_push();
            step.set(variable, "/");
            let ended = step
                .exec(&mock, &format!("{RUN} --output json"))
                .exits(code);
            ended.stderr_has(&format!("warning: {what}: it is not a file"));
            assert_eq!(ended.last_line()["exitCode"], code);
        }
    }
    // Without results, the run still passes: nobody asked for a report.
    let mock = start_mock().await;
    mock.fault(
        Fault::status(404)
            .on_operation("get_test_run_results")
            .always(),
    );
    let step = Step::of_push();
    step.exec(&mock, RUN).exits(0);
    assert_eq!(step.outputs()["verdict"], "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_titles_command_nothing() {
    let hostile = "x\n::error::owned\r::add-mask::a%0A::stop-commands::b ]]> ##[error]c";
    let mock = start_mock().await;
    let test = TestScript::new("test-1").title(hostile).file(hostile);
    let script = RunScript::new().tests([test.fails(hostile)]);
    mock.next_run(script.end_state("failed"));
    let step = Step::of_push();
    let ended = step.exec(&mock, RUN).exits(1);
    let shown = annotations(&ended);
    assert_eq!(shown.len(), 1, "{ended:?}");
    assert!(shown[0].starts_with("::error file=x"), "{shown:?}");
    assert!(
        !ended.stderr.contains("##[") && !ended.stderr.contains('\r'),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_annotated_without_the_key() {
    let mock = start_mock().await;
    mock.fault(Fault::status(401).on_operation("run_suite").always());
    let step = Step::of_push();
    let ended = step.exec(&mock, RUN).exits(4);
    assert_eq!(annotations(&ended).len(), 1, "{ended:?}");
    step.has_outputs(&[]);
    assert!(step.summary().contains("401"));
}

#[tokio::test(flavor = "multi_thread")]
async fn elsewhere_nothing_is_written() {
    let mock = after_a_run().await;
    let mut step = Step::of_push();
    step.set("GITHUB_ACTIONS", "false");
    let ended = step.exec(&mock, RUN);
    assert!(annotations(&ended).is_empty());
    assert!(step.outputs().is_empty() && step.summary().is_empty());
    let directory = step.directory();
    let report = format!(
        "{RUN} --report dotenv={}",
        directory.join("run.env").display()
    );
    checksum(&mock.url(), report).end().exits(0);
    let variables = fs::read_to_string(directory.join("run.env")).expect("variables");
    assert!(variables.contains("CHECKSUM_TEST_RUN_URL=https://app.checksum.ai/#/test-runs/"));
    assert!(
        variables.ends_with("CHECKSUM_STATUS=passed\nCHECKSUM_VERDICT=pass\n"),
        "{variables}"
    );
}
