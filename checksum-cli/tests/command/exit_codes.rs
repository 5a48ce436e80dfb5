//! The table of exit codes, line by line.

use checksum_mock::{Fault, RunScript};

use crate::invocation::{Ended, checksum, exec, start_mock};

/// Runs the suite to the end of that script.
async fn suite(script: RunScript) -> Ended {
    let mock = start_mock().await;
    mock.next_run(script);
    exec(&mock, "run suite --poll-interval 0s")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_terminal_state_has_its_exit_code() {
    for (script, code, outcome) in [
        (RunScript::new(), 0, "passed"),
        (RunScript::new().healed(), 0, "healed"),
        (RunScript::new().fail_tests(["test-def-456"]), 1, "failed"),
        (RunScript::new().process_error(), 6, "process-error"),
        (RunScript::new().cancelled(), 9, "cancelled"),
        (RunScript::new().end_state("evaporated"), 5, "evaporated"),
    ] {
        let ended = suite(script).await.exits(code);
        let verdict = format!("job-name-12345: {outcome} (");
        assert!(ended.stdout.starts_with(&verdict), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_change_a_pass_only_with_strict() {
    let contradicted = || RunScript::new().passed(45).failed(2).recovered(1).bug(0);
    let ended = suite(contradicted()).await.exits(0);
    assert!(
        ended
            .stderr
            .contains("the service says passed, and counts 2 failed"),
        "{ended:?}"
    );

    let mock = start_mock().await;
    mock.next_run(contradicted());
    exec(&mock, "run suite --poll-interval 0s --strict").exits(1);

    // No failed test does not mean a pass. The script in the API's description gets this wrong.
    suite(RunScript::new().process_error().failed(0))
        .await
        .exits(6);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_2_wrong_arguments_and_rejected_requests() {
    let mock = start_mock().await;
    for (arguments, expected) in [
        ("run", "Usage:"),
        ("run tests", "required"),
        ("run tests ..", "would change the request's path"),
        ("run suite --timeout soon", "--timeout"),
        ("run suite --repo acme-co/my-tests", "--auto-heal"),
        ("run suite --auto-heal", "needs the repository"),
        (
            "run suite --auto-heal --no-create-pr --pr 42",
            "needs the repository",
        ),
        (
            "run suite --auto-heal --repo acme-co/my-tests --pr 0",
            "is 1 or more",
        ),
        ("run grep checkout --env =secret", "--env takes NAME=VALUE"),
        ("run collection nowhere", "there is no collection `nowhere`"),
        ("wait nowhere", "there is no run `nowhere`"),
        ("status nowhere", "there is no run `nowhere`"),
        ("results nowhere", "there is no test run `nowhere`"),
    ] {
        let ended = exec(&mock, arguments).exits(2);
        ended.stderr_has(expected);
        assert!(ended.stdout.is_empty(), "{arguments}: {ended:?}");
        ended.stderr_lacks("secret");
    }
    checksum(&mock.url(), "run grep")
        .argument("")
        .end()
        .exits(2);
    // As from a variable that is not set.
    for (arguments, option) in [
        ("run grep x --branch", "--branch"),
        (
            "run suite --auto-heal --no-create-pr --heal-branch",
            "--heal-branch",
        ),
        (
            "run grep x --auto-heal --no-create-pr --heal-branch",
            "--heal-branch",
        ),
        ("heal run-id --no-create-pr --branch", "--branch"),
        ("generate --repo acme-co/x --pr 1 --branch", "--branch"),
    ] {
        for value in ["", " ", "\t"] {
            checksum(&mock.url(), arguments)
                .argument(value)
                .end()
                .exits(2)
                .stderr_has(option)
                .stderr_has("the branch is empty");
        }
    }
    for repo in ["my-tests", "acme-co/x/extra", " /x", "x/", "/x"] {
        checksum(&mock.url(), "generate --pr 1 --branch main --repo")
            .argument(repo)
            .end()
            .exits(2)
            .stderr_has("--repo")
            .stderr_has("OWNER/REPO");
    }
    let started = |request: &checksum_mock::RecordedRequest| request.method == "POST";
    // Only the unknown collection is rejected by the service; nothing else was sent.
    assert_eq!(
        mock.requests()
            .iter()
            .filter(|request| started(request))
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn code_2_wrong_configuration() {
    checksum("", "me")
        .without_env("CHECKSUM_API_KEY")
        .end()
        .exits(2)
        .stderr_has("CHECKSUM_API_KEY");
    for (variable, value) in [
        ("CHECKSUM_API_KEY", "key-with\nline-break"),
        ("CHECKSUM_API_KEY", ""),
        ("CHECKSUM_API_BASE_URL", "ftp://127.0.0.1"),
        ("CHECKSUM_API_BASE_URL", "http://api.example"),
        ("CHECKSUM_LOG", "checksum=loud=louder"),
    ] {
        checksum("http://127.0.0.1:9", "me")
            .env(variable, value)
            .end()
            .exits(2)
            .stderr_lacks("line-break");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_3_timeout() {
    let mock = start_mock().await;
    mock.next_run(RunScript::new().queued(0).never_finishes());
    let ended = exec(&mock, "run suite --poll-interval 0s --timeout 50ms").exits(3);
    ended.stderr_has("it goes on");
    assert!(
        ended
            .stderr
            .ends_with("resume with `checksum wait job-name-12345`\n"),
        "{ended:?}"
    );
    exec(&mock, "wait job-name-12345 --timeout 0s").exits(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_4_unauthorized() {
    for status in [401, 403] {
        let mock = start_mock().await;
        mock.fault(Fault::status(status).always());
        for arguments in ["run suite", "status job-name-12345", "me"] {
            exec(&mock, arguments)
                .exits(4)
                .stderr_has("check the API key");
        }
        let ended = exec(&mock, "wait job-name-12345").exits(4);
        let hint = "dashboard; then resume with `checksum wait job-name-12345`";
        ended.stderr_has(hint);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_8_still_running() {
    let mock = start_mock().await;
    mock.next_run(
        RunScript::new()
            .queued(1)
            .running(1)
            .fail_tests(["test-def-456"]),
    );
    exec(&mock, "run suite --detach");
    let codes: Vec<i32> = (0..4)
        .map(|_| exec(&mock, "status job-name-12345").code)
        .collect();
    assert_eq!(codes, [8, 8, 1, 1]);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn code_10_unwritable_standard_output() {
    let mock = start_mock().await;
    // Writing to this device always fails.
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_checksum"));
    let status = command
        .args(["run", "suite", "--poll-interval", "0s", "--output", "json"])
        .env("CHECKSUM_API_KEY", crate::invocation::KEY)
        .env("CHECKSUM_API_BASE_URL", mock.url())
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .expect("the command ends");
    assert_eq!(status.code(), Some(10));
}
