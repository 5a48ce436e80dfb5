//! The table of exit codes, line by line.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use checksum_mock::{Fault, Mock, RunScript};

use crate::invocation::{Ended, checksum, for_programs};

/// Runs the suite to the end of that script.
async fn suite(script: RunScript) -> Ended {
    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(script);
    checksum(&mock.url(), "run suite --poll-interval 0s").end()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_terminal_state_has_its_code() {
    for (script, code, outcome) in [
        (RunScript::new().passes(), 0, "passed"),
        (RunScript::new().healed(), 0, "healed"),
        (RunScript::new().fail_tests(["test-def-456"]), 1, "failed"),
        (RunScript::new().process_error(), 6, "infrastructure error"),
        (RunScript::new().cancelled(), 9, "cancelled"),
        (RunScript::new().end_state("evaporated"), 5, "evaporated"),
    ] {
        let ended = suite(script).await;
        assert_eq!(ended.code, code, "{ended:?}");
        let verdict = format!("job-name-12345: {outcome} (");
        assert!(ended.stdout.starts_with(&verdict), "{ended:?}");
    }
}

#[test]
fn a_stand_in_in_another_process_is_as_good() {
    for (end, code) in [
        ("passed", 0),
        ("healed", 0),
        ("failed", 1),
        ("process-error", 6),
        ("cancelled", 9),
    ] {
        let arguments = format!("mock --port 0 --end {end} --output json");
        let mut server = checksum("", &arguments).spawn();
        let mut line = String::new();
        let stdout = server.stdout.take().expect("standard output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let serving = for_programs(&line);
        assert_eq!(serving["type"], "mock");
        let url = serving["url"].as_str().expect("an address");
        let ended = checksum(url, "run suite --poll-interval 0s").end();
        server.kill().expect("killed");
        server.wait().expect("gone");
        assert_eq!(ended.code, code, "{ended:?}");
    }
}

/// A stand-in that runs out of file descriptors closes slow connections and goes on serving.
#[cfg(unix)]
#[test]
fn a_stand_in_serves_beside_slow_connections() {
    let mut server = checksum("", "mock --port 0")
        .by_shell("ulimit -n 64")
        .spawn();
    let mut url = String::new();
    let stdout = server.stdout.take().expect("standard output");
    BufReader::new(stdout).read_line(&mut url).expect("a line");
    let address = url.trim().strip_prefix("http://").expect("an address");
    let address = address.strip_suffix("/public-api").expect("an address");
    let address = address.parse().expect("an address");
    let connect = |_| {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.write_all(b"GET /public-api/v1/me HTTP/1.1\r\n")?;
        Ok(stream)
    };
    let slow: std::io::Result<Vec<TcpStream>> = (0..200).map(connect).collect();
    let ended = slow.as_ref().map(|_| checksum(url.trim(), "me").end());
    server.kill().expect("killed");
    server.wait().expect("gone");
    let ended = ended.expect("connections");
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_do_not_make_or_break_a_pass_unless_asked() {
    let contradicted = || RunScript::new().passed(45).failed(2).recovered(1).bug(0);
    let ended = suite(contradicted()).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("the service says passed, and counts 2 failed"),
        "{ended:?}"
    );

    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(contradicted());
    let ended = checksum(&mock.url(), "run suite --poll-interval 0s --strict").end();
    assert_eq!(ended.code, 1, "{ended:?}");

    // What the description's own script gets wrong: no failed test, and no pass either.
    let ended = suite(RunScript::new().process_error().failed(0)).await;
    assert_eq!(ended.code, 6, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_2_what_was_asked_for_is_wrong() {
    let mock = Mock::start().await.expect("a stand-in");
    for (arguments, said) in [
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
        let ended = checksum(&mock.url(), arguments).end();
        assert_eq!(ended.code, 2, "{arguments}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments}: {ended:?}");
        assert!(ended.stdout.is_empty(), "{arguments}: {ended:?}");
        assert!(!ended.stderr.contains("secret"), "{arguments}: {ended:?}");
    }
    let empty = checksum(&mock.url(), "run grep").argument("").end();
    assert_eq!(empty.code, 2, "{empty:?}");
    // A variable that is not set.
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
            let ended = checksum(&mock.url(), arguments).argument(value).end();
            assert_eq!(ended.code, 2, "{arguments}: {ended:?}");
            assert!(ended.stderr.contains(option), "{arguments}: {ended:?}");
            assert!(ended.stderr.contains("the branch is empty"), "{ended:?}");
        }
    }
    for repo in ["my-tests", "acme-co/x/extra", " /x", "x/", "/x"] {
        let ended = checksum(&mock.url(), "generate --pr 1 --branch main --repo")
            .argument(repo)
            .end();
        assert_eq!(ended.code, 2, "{repo}: {ended:?}");
        assert!(ended.stderr.contains("--repo"), "{ended:?}");
        assert!(ended.stderr.contains("OWNER/REPO"), "{ended:?}");
    }
    let started = |request: &checksum_mock::RecordedRequest| request.method == "POST";
    // The unknown collection is the service's to refuse; everything else was not sent.
    assert_eq!(
        mock.requests()
            .iter()
            .filter(|request| started(request))
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn code_2_the_configuration_is_wrong() {
    let missing = checksum("", "me").without_env("CHECKSUM_API_KEY").end();
    assert_eq!(missing.code, 2, "{missing:?}");
    assert!(missing.stderr.contains("CHECKSUM_API_KEY"), "{missing:?}");
    for (variable, value) in [
        ("CHECKSUM_API_KEY", "key-with\nline-break"),
        ("CHECKSUM_API_KEY", ""),
        ("CHECKSUM_API_BASE_URL", "ftp://127.0.0.1"),
        ("CHECKSUM_API_BASE_URL", "http://api.example"),
        ("CHECKSUM_LOG", "checksum=loud=louder"),
    ] {
        let ended = checksum("http://127.0.0.1:9", "me")
            .env(variable, value)
            .end();
        assert_eq!(ended.code, 2, "{variable}: {ended:?}");
        assert!(!ended.stderr.contains("line-break"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_3_the_wait_timed_out_and_the_run_goes_on() {
    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(RunScript::new().queued(0).never_finishes());
    let ended = checksum(&mock.url(), "run suite --poll-interval 0s --timeout 50ms").end();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("it goes on"), "{ended:?}");
    assert!(
        ended
            .stderr
            .ends_with("come back with `checksum wait job-name-12345`\n"),
        "{ended:?}"
    );
    // A deadline of nothing does not even look, and loses nothing either.
    let ended = checksum(&mock.url(), "wait job-name-12345 --timeout 0s").end();
    assert_eq!(ended.code, 3, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_4_the_service_refuses_the_key() {
    for status in [401, 403] {
        let mock = Mock::start().await.expect("a stand-in");
        mock.fault(Fault::status(status).always());
        for arguments in ["run suite", "status job-name-12345", "me"] {
            let ended = checksum(&mock.url(), arguments).end();
            assert_eq!(ended.code, 4, "{arguments}: {ended:?}");
            assert!(ended.stderr.contains("check the API key"), "{ended:?}");
        }
        let ended = checksum(&mock.url(), "wait job-name-12345").end();
        assert_eq!(ended.code, 4, "{ended:?}");
        let hint = "dashboard; then come back with `checksum wait job-name-12345`";
        assert!(ended.stderr.contains(hint), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_8_status_of_a_run_that_has_not_finished() {
    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(
        RunScript::new()
            .queued(1)
            .running(1)
            .fail_tests(["test-def-456"]),
    );
    checksum(&mock.url(), "run suite --detach").end();
    let codes: Vec<i32> = (0..4)
        .map(|_| checksum(&mock.url(), "status job-name-12345").end().code)
        .collect();
    assert_eq!(codes, [8, 8, 1, 1]);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn code_10_the_pass_could_not_be_written() {
    let mock = Mock::start().await.expect("a stand-in");
    // Nothing can be written to this device.
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

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_its_owner_is_noted_and_sent_for_healing() {
    let mock = Mock::start().await.expect("a stand-in");
    let note = "note: --repo my-tests is not OWNER/REPO";
    for (arguments, is_noted) in [
        ("run suite --detach --auto-heal --repo my-tests", true),
        ("run grep x --detach --auto-heal --repo my-tests", true),
        (
            "run suite --detach --auto-heal --repo my-tests --quiet",
            false,
        ),
        (
            "run suite --detach --auto-heal --repo acme-co/my-tests",
            false,
        ),
        ("heal run-id --repo my-tests --dry-run", true),
    ] {
        let ended = checksum(&mock.url(), arguments).end();
        assert_eq!(ended.code, 0, "{arguments}: {ended:?}");
        assert_eq!(
            ended.stderr.contains(note),
            is_noted,
            "{arguments}: {ended:?}"
        );
    }
    let named = mock.requests();
    let named = named
        .iter()
        .map(|one| one.body["autoHeal"]["repoName"].as_str());
    let bare = Some("my-tests");
    let expected = [bare, bare, bare, Some("acme-co/my-tests")];
    assert_eq!(named.collect::<Vec<_>>(), expected);
}
