//! What a person reads after a mistake: a wrong value, a wrong id, a wrong server.

use checksum_mock::{Fault, Mock, RunScript};

use crate::invocation::{Ended, checksum, exec, start_mock};
use crate::transcript::{TEST_RUN, after_a_run};

/// A test run that the mock server does not have.
const OTHER_RUN: &str = "00000000-0000-4000-8000-0000000000ff";

/// Wrong values, none of which is sent.
const WRONG_VALUES: [&str; 44] = [
    "frobnicate",
    "run suit",
    "run collection ..",
    "run grep x --branch=",
    "run grep x --shards 1",
    "run grep x --shards many",
    "run grep x --shards 3 --auto-heal --no-create-pr",
    "run grep x --env A",
    "run grep x --env =hush",
    "run grep x --env-file nowhere",
    "run grep x --env A=1 B=hush",
    "run affected",
    "run suite --auto-heal",
    "run suite --repo acme-co/my-tests",
    "run suite --auto-heal --no-create-pr --metadata x",
    "run suite --field x=hush",
    "run suite --timeout soon",
    "run suite --timeout 45",
    "run suite --report pdf=run.pdf",
    "run suite --report junit",
    "run suite --handle-file /",
    "run suite --handle-file nowhere/run.json",
    "heal",
    "generate --repo webapp --pr 1 --branch main",
    "generate --repo acme-co/webapp --pr 0 --branch main",
    "wait",
    "wait --handle-file nowhere",
    "status job-1 --handle-file nowhere",
    "results id --status fail",
    "results id --status other:",
    "bugs --severity high",
    "bugs --status snoozd",
    "bugs --limit 0",
    "bugs --max many",
    "me --api-key-file nowhere",
    "me --api-key-file /",
    "me --api-key-stdin",
    "me --api-key-stdin=hush",
    "me --output yaml",
    "mock --end-state passd",
    "mock --port 99999",
    "completions bsh",
    "man nothing",
    "me --bogus",
];

/// Wrong base URLs. Nothing is sent.
const WRONG_BASE_URLS: [&str; 12] = [
    "",
    "api.checksum.ai",
    "localhost:4010",
    "/public-api",
    "ftp://checksum.invalid",
    "http://checksum.invalid",
    "https://checksum.invalid/v1",
    "https://checksum.invalid/public-api/v3",
    "https://me:hush@checksum.invalid",
    "me:hush@checksum.invalid",
    "https://checksum.invalid?key=hush",
    "http://[::1",
];

/// Returns what a person reads, without the lines that clap prints after every error.
fn read(arguments: &str, ended: &Ended, mock: &Mock) -> String {
    assert!(ended.stdout.is_empty(), "{arguments}: {ended:?}");
    assert!(!ended.stderr.contains("hush"), "{arguments}: {ended:?}");
    let is_said = |line: &&str| {
        let common = ["Usage: ", "For more information", "poll failed: "];
        !line.is_empty() && !common.iter().any(|begin| line.starts_with(begin))
    };
    let lines: Vec<&str> = ended.stderr.lines().filter(is_said).collect();
    let origin = mock.url().replace("/public-api", "");
    let text = format!(
        "$ checksum {arguments}\n{}\nexit code {}\n\n",
        lines.join("\n"),
        ended.code
    );
    text.replace(&origin, "http://[mock]")
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_values() {
    let mock = start_mock().await;
    let mut all = String::new();
    for arguments in WRONG_VALUES {
        let ended = exec(&mock, arguments).exits(2);
        all += &read(&arguments.replace("hush", "***"), &ended, &mock);
    }
    for url in WRONG_BASE_URLS {
        let ended = checksum(&mock.url(), "me --base-url").argument(url);
        let arguments = format!("me --base-url '{}'", url.replace("hush", "***"));
        all += &read(&arguments, &ended.end().exits(2), &mock);
    }
    let with = |name: &str, value: &str| checksum(&mock.url(), "me").env(name, value);
    for (name, value) in [
        ("CHECKSUM_API_KEY", ""),
        ("CHECKSUM_API_KEY", "two words"),
        ("CHECKSUM_API_BASE_URL", "api.checksum.ai"),
        ("CHECKSUM_LOG", "checksum_api=loud"),
    ] {
        let ended = with(name, value).end().exits(2);
        all += &read(&format!("me # {name}={value}"), &ended, &mock);
    }
    assert_eq!(mock.request_count(), 0);
    insta::assert_snapshot!("wrong_values", all);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_ids() {
    let mock = after_a_run().await;
    let mut all = String::new();
    for arguments in [
        "status nowhere",
        "status job-9",
        &format!("status {OTHER_RUN}"),
        "status batch-9",
        "status sess-9",
        "status test-abc-123",
        "status --heal-batch batch-9",
        "status --heal-batch job-9",
        "status --generation-batch batch-9",
        "status --test-run job-9",
        "wait batch-9",
        &format!("results {OTHER_RUN}"),
        "results job-9",
        "results batch-9",
        "report job-9",
        "attachments job-9",
        &format!("attachments {OTHER_RUN} test-abc-123"),
        "heal job-9 --no-create-pr",
        "run collection nowhere",
    ] {
        let ended = exec(&mock, arguments).exits(2);
        ended.stderr_lacks("resume with");
        all += &read(arguments, &ended, &mock);
    }
    insta::assert_snapshot!("wrong_ids", all);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_servers() {
    let page = "<!DOCTYPE html>\n<html><title>Welcome</title></html>";
    let mut all = String::new();
    for (status, arguments, code) in [
        (200, "me", 5),
        (200, "run suite", 5),
        (404, "status job-9", 2),
        (404, "wait job-9", 2),
        (403, "me", 4),
        (502, "me", 5),
    ] {
        let mock = start_mock().await;
        let html = Fault::status(status).header("content-type", "text/html");
        mock.fault(html.body(page).always());
        let ended = exec(&mock, arguments).exits(code);
        all += &read(&format!("{arguments} # HTML, {status}"), &ended, &mock);
    }
    insta::assert_snapshot!("wrong_servers", all);

    let mock = start_mock().await;
    let https = mock.url().replace("http:", "https:");
    let ended = checksum(&https, "me").end().exits(5);
    ended.stderr_has("no TLS connection to https://127.0.0.1:");
    for (name, value) in [("A", ""), ("HTTPS_PROXY", "http://127.0.0.1:9")] {
        let ended = checksum("https://checksum.invalid", "me").env(name, value);
        let proxy = if value.is_empty() {
            ":"
        } else {
            " (a proxy is set in HTTPS_PROXY):"
        };
        let place = format!("no connection to https://checksum.invalid{proxy}");
        ended.end().exits(5).stderr_has(&place);
    }
    let nobody = checksum("http://127.0.0.1:9", "me").end().exits(5);
    nobody.stderr_has("no connection to http://127.0.0.1:9: ");
}

/// A filter is a known value in any case, or any other value that is marked as such.
#[tokio::test(flavor = "multi_thread")]
async fn filters_are_sent_as_the_service_spells_them() {
    let mock = start_mock().await;
    for (arguments, query) in [
        ("bugs --severity critical", "severity=critical"),
        ("bugs --severity Critical", "severity=critical"),
        ("bugs --status NOT-BUG", "status=not-bug"),
        ("bugs --status other:New", "status=New"),
        (
            &format!("results {TEST_RUN} --status Failed"),
            "status=failed",
        ),
        (
            &format!("results {TEST_RUN} --status other:flaky"),
            "status=flaky",
        ),
    ] {
        exec(&mock, arguments);
        let sent = mock.requests().pop().and_then(|request| request.query);
        let sent = sent.unwrap_or_default();
        assert!(
            sent.split('&').any(|part| part == query),
            "{arguments}: {sent}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_takes_batches_and_handle_files() {
    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("run.json");
    let status = || checksum(&mock.url(), "status --handle-file").argument(&file);
    mock.next_run(RunScript::new().queued(1).running(1));
    let start = checksum(&mock.url(), "run suite --detach --handle-file").argument(&file);
    start.end().exits(0);
    let codes = [(); 3].map(|()| status().end().code);
    assert_eq!(codes, [8, 8, 0]);

    let heal = format!("heal {TEST_RUN} --no-create-pr --detach --output json");
    let started = exec(&mock, &heal).exits(0).last_line();
    let batch = started["batchId"].as_str().expect("an id");
    let mut codes = Vec::new();
    while codes.last().is_none_or(|code| *code == 8) && codes.len() < 20 {
        let arguments = format!("status --heal-batch {batch} --output json");
        let ended = exec(&mock, arguments);
        assert_eq!(ended.last_line()["batchId"], batch);
        codes.push(ended.code);
    }
    assert!(codes.len() > 1 && codes.last() == Some(&0), "{codes:?}");
}
