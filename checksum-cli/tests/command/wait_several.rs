//! `checksum wait A B C` and `--from`: several runs and batches at once.

use std::collections::BTreeSet;
use std::fs;

use checksum_mock::{Mock, RunScript};
use serde_json::json;

use crate::invocation::{Ended, checksum, exec, start_mock, wait_until};

const OPTIONS: &str = "--poll-interval 0s";

/// Starts a mock server with a run for each script, `job-name-12345` and following.
async fn mock_with(scripts: impl IntoIterator<Item = RunScript>) -> Mock {
    let mock = start_mock().await;
    for script in scripts {
        mock.next_run(script);
        exec(&mock, "run suite --detach").exits(0);
    }
    mock
}

fn failing() -> RunScript {
    RunScript::new().fail_tests(["test-def-456"])
}

/// Waits for what these lines name.
#[track_caller]
fn wait_from(mock: &Mock, lines: &str, options: &str) -> Ended {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("jobs.txt");
    fs::write(&path, lines).expect("written");
    let wait = checksum(&mock.url(), format!("wait {OPTIONS} {options} --from -"));
    wait.stdin(&path).end()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_runs_have_one_table_and_the_worst_exit_code() {
    for (scripts, code, links) in [
        ([RunScript::new(), RunScript::new().healed()], 0, 0),
        ([RunScript::new(), RunScript::new().cancelled()], 9, 1),
        (
            [
                RunScript::new().process_error(),
                RunScript::new().cancelled(),
            ],
            6,
            2,
        ),
        ([failing(), RunScript::new().process_error()], 1, 2),
        ([RunScript::new().end_state("odd"), RunScript::new()], 5, 1),
    ] {
        let mock = mock_with(scripts).await;
        let names = "job-name-12345 job-name-12346 job-name-12345";
        let ended = exec(&mock, format!("wait {OPTIONS} {names}")).exits(code);
        for (text, count) in [
            ("┆ job-name-12345 ┆", 1),
            ("┆ job-name-12346 ┆", 1),
            (": see https://app.checksum.ai/#/test-runs/", links),
        ] {
            assert_eq!(ended.stdout.matches(text).count(), count, "{ended:?}");
        }
        ended.stderr_has("job-name-12346: queued\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_not_found_does_not_stop_the_others() {
    let mock = mock_with([RunScript::new()]).await;
    let names = "nowhere job-name-12345";
    let ended = exec(&mock, format!("wait {OPTIONS} {names}")).exits(2);
    ended.stdout_has("passed").stdout_has("nowhere");
    ended
        .stderr_has("error: nowhere: ")
        .stderr_lacks("resume with");

    let ended = exec(&mock, format!("wait {OPTIONS} --output ndjson {names}")).exits(2);
    let lines: Vec<_> = ended.lines().collect();
    let (last, events) = lines.split_last().expect("a line");
    let keys = events
        .iter()
        .map(|line| line["key"].as_str().expect("a key"));
    let keys: BTreeSet<_> = keys.collect();
    assert_eq!(keys, ["run:job-name-12345", "run:nowhere"].into());
    assert_eq!(last["type"], "runs");
    assert_eq!(last["exitCode"], 2);
    let types = [&last["runs"][0]["type"], &last["runs"][1]["type"]];
    assert_eq!(types, ["error", "run"]);
    assert_eq!(last["runs"][0]["exitCode"], 2);
    assert_eq!(last["runs"][0]["reason"], "error");
    assert_eq!(last["runs"][1]["outcome"], "passed");
    let handle = &last["runs"][1]["handle"]["run"]["jobName"];
    assert_eq!(handle, "job-name-12345");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_names_keys_handles_and_events() {
    let mock = mock_with([RunScript::new(), RunScript::new()]).await;
    let started = exec(&mock, "run suite --detach --output json");
    let generation = "generate --repo acme-co/webapp --pr 42 --branch a --detach";
    let batch = exec(&mock, generation).exits(0).stdout;
    let lines = format!(
        "# tonight\n\njob-name-12345\r\n{}\n{}generation-batch:{batch}job-name-12345\n{}\n",
        json!({"run": {"jobName": "job-name-12346"}}),
        started.stdout,
        json!({"nothing": {}}),
    );
    let ended = wait_from(&mock, &lines, "--output json").exits(0);
    let last = ended.last_line();
    let keys = last["runs"].as_array().expect("runs").iter();
    let keys: Vec<_> = keys
        .map(|run| run["key"].as_str().expect("a key"))
        .collect();
    let batch = format!("generation-batch:{}", batch.trim());
    let expected = [
        "run:job-name-12345",
        "run:job-name-12346",
        "run:job-name-12347",
        &batch,
    ];
    assert_eq!(keys, expected);
    assert_eq!(last["runs"][3]["type"], "batch");

    wait_from(&mock, "{\"nothing\":{}}\n", "")
        .exits(0)
        .stdout_has("no test is affected");
    let requests = mock.request_count();
    for (lines, code, expected) in [
        (
            "job-1\n\ntwo words\n",
            2,
            "error: --from -, line 3: neither the name",
        ),
        ("{\"run\":\n", 2, "line 1"),
        ("# nothing\n", 2, "--from -: it names no run and no batch"),
        // A command that failed before it knew its run, or that only polled it.
        (
            "{\"version\":1,\"type\":\"error\",\"error\":\"lost\",\"handle\":null,\"started\":\"maybe\",\"exitCode\":5}\n",
            2,
            "line 1: neither the name",
        ),
        (
            "{\"version\":1,\"type\":\"run-changed\",\"state\":\"running\",\"counts\":null}\n",
            2,
            "it names no run and no batch",
        ),
        (
            "{\"notStarted\":null}\n",
            2,
            "line 1: the run was not started",
        ),
        (
            "{\"intent\":{\"operation\":\"run_suite\",\"at\":\"2026-11-25T09:30:00.000Z\",\"fingerprint\":\"0\"}}\n",
            5,
            "line 1",
        ),
    ] {
        let ended = wait_from(&mock, lines, "");
        ended.stderr_has(expected);
        assert_eq!(ended.code, code, "{ended:?}");
    }
    let twice = "wait --from - --api-key-stdin";
    checksum(&mock.url(), twice)
        .without_env("CHECKSUM_API_KEY")
        .end()
        .exits(2);
    assert_eq!(mock.request_count(), requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_a_name_does_not_stop_the_others() {
    let mock = mock_with([RunScript::new()]).await;
    let intent =
        r#"{"intent":{"operation":"run_suite","at":"2026-11-25T09:30:00.000Z","fingerprint":"0"}}"#;
    let lines = format!("{intent}\njob-name-12345\n");
    let ended = wait_from(&mock, &lines, "").exits(5);
    ended.stdout_has("passed");
    ended.stderr_has("error: --from -, line 1: run_suite at 2026-11-25T09:30");

    let ended = wait_from(&mock, &lines, "--output json").exits(5);
    let last = ended.last_line();
    assert_eq!(last["runs"][0]["outcome"], "passed");
    assert_eq!(last["unnamed"][0]["exitCode"], 5);
    wait_from(&mock, &ended.stdout, "").exits(2);
}

/// The result of a command is a list for the next one, and what failed or is unknown stays so.
#[tokio::test(flavor = "multi_thread")]
async fn the_result_of_a_command_that_failed_does_not_pass() {
    let endless = RunScript::new().queued(0).never_finishes();
    let mock = mock_with([failing(), endless]).await;
    for (arguments, first, second) in [
        ("wait --poll-interval 0s job-name-12345", 1, 1),
        (
            "wait --poll-interval 0s job-name-12345 job-name-12345",
            1,
            1,
        ),
        ("wait --timeout 1ms job-name-12346 job-name-12345", 1, 1),
        ("status job-name-12346", 8, 3),
    ] {
        for format in ["json", "ndjson"] {
            let ended = exec(&mock, format!("{arguments} --output {format}"));
            let result = ended.exits(first).stdout;
            wait_from(&mock, &result, "--timeout 1ms").exits(second);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_bounds_all_and_names_what_goes_on() {
    let endless = || RunScript::new().queued(0).never_finishes();
    let passed = RunScript::new().queued(0).running(0);
    let mock = mock_with([endless(), passed, endless()]).await;
    let names = "job-name-12345 job-name-12346 job-name-12347";
    let ended = exec(&mock, format!("wait --timeout 1ms {names}")).exits(3);
    ended.stderr_has("resume with `checksum wait job-name-12345 job-name-12347`");

    let list = "job-name-12345\ngeneration-batch:nowhere\nrun:job-name-12347\ntest-run:none\n";
    let ended = wait_from(&mock, list, "--timeout 1ms").exits(3);
    ended.stderr_has(
        "resume with `printf '%s\\n' run:job-name-12345 generation-batch:nowhere \
         run:job-name-12347 test-run:none | checksum wait --from -`",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_run_has_its_report() {
    let mock = mock_with([RunScript::new(), failing()]).await;
    let names = "job-name-12345 job-name-12346";
    let wait = format!("wait {OPTIONS} {names} --report");
    exec(&mock, format!("{wait} junit=all.xml"))
        .exits(2)
        .stderr_has("--report of several runs needs {run} in its path")
        .stderr_lacks("started");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().display();
    exec(&mock, format!("{wait} junit={path}/{{run}}.xml")).exits(1);
    for (name, failures) in [("job-name-12345", 0), ("job-name-12346", 1)] {
        let report = fs::read_to_string(directory.path().join(format!("{name}.xml")));
        let report = report.expect("a report");
        assert_eq!(report.matches("<failure").count(), failures, "{report}");
    }
    // No failure leaves the report of an earlier command.
    let wait = format!("wait {OPTIONS} {names} --report junit={path}/{{run}}.xml");
    let wait = checksum(&mock.url(), wait).without_env("CHECKSUM_API_KEY");
    wait.end().exits(2);
    let report = fs::read_to_string(directory.path().join("job-name-12345.xml"));
    assert!(report.expect("a report").contains("<error"));

    let ended = exec(
        &mock,
        format!("wait {OPTIONS} a/b a_b --report junit={path}/{{run}}.xml"),
    );
    ended.exits(2).stderr_has("would be the report of two runs");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_stops_the_wait_and_prints_what_is_known() {
    let mock = mock_with([
        RunScript::new(),
        RunScript::new().queued(0).never_finishes(),
    ])
    .await;
    let names = "job-name-12345 job-name-12346";
    let child = checksum(
        &mock.url(),
        format!("wait {OPTIONS} --output ndjson {names}"),
    );
    let mut child = child.spawn();
    let requests = mock.request_count();
    wait_until("both are polled", || {
        assert!(child.try_wait().expect("a child").is_none());
        mock.request_count() >= requests + 40
    });
    crate::signals::signal(&child, "TERM");
    let ended = crate::invocation::ended(child.wait_with_output().expect("an end")).exits(143);
    let last = ended.last_line();
    assert_eq!(last["exitCode"], 143);
    assert_eq!(last["runs"][0]["outcome"], "passed");
    assert_eq!(last["runs"][1]["reason"], "interrupted");
    ended.stderr_has("resume with `checksum wait job-name-12346`");
}
