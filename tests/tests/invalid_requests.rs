//! Requests that the service would certainly reject. None of them is sent.

use checksum_api_ext::{AutoHeal, Checksum, Error, ErrorKind, Started};
use checksum_mock::{Mock, RunScript};
use checksum_tests::{FakeTransport, client_of, snapshot};
use serde_json::json;

fn repo<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    "acme-co/my-tests".parse().expect("a repository")
}

async fn errors_of_runs(checksum: &Checksum) -> Vec<(&'static str, Error)> {
    let suite = |heal| checksum.run_suite().auto_heal(heal).start();
    let grep = || checksum.run_grep("a");
    let heal = || AutoHeal::pull_request(repo());
    let mut errors = Vec::new();
    for (name, started) in [
        ("no test ids", checksum.run_tests([]).start().await),
        ("an empty pattern", checksum.run_grep("").start().await),
        ("an empty branch", grep().branch("").start().await),
        ("a blank branch", grep().branch("\u{a0}\r\n").start().await),
        ("one shard", grep().shards(1).start().await),
        ("41 shards", grep().shards(41).start().await),
        (
            "shards and healing",
            grep().shards(2).auto_heal(heal()).start().await,
        ),
        (
            "healing: a pull request without its repository",
            suite(AutoHeal::without_pull_request().pr(42)).await,
        ),
        ("healing: pull request 0", suite(heal().pr(0)).await),
        ("healing: an empty branch", suite(heal().branch("")).await),
        ("healing: a blank branch", suite(heal().branch(" \t")).await),
        (
            "healing of a grep: a blank branch",
            grep().auto_heal(heal().branch(" ")).start().await,
        ),
    ] {
        errors.push((name, started.expect_err(name)));
    }
    errors
}

async fn errors_of_batches(checksum: &Checksum) -> Vec<(&'static str, Error)> {
    let heal = || checksum.heal("run-id".parse().expect("an id"));
    let mut errors = Vec::new();
    for (name, heal) in [
        ("heal: no repository", heal()),
        ("heal: a branch alone", heal().branch("main")),
        (
            "heal: a pull request without its repository",
            heal().without_pull_request().pr(1),
        ),
        ("heal: pull request 0", heal().pull_request(repo()).pr(0)),
        (
            "heal: an empty branch",
            heal().pull_request(repo()).branch(""),
        ),
        (
            "heal: a blank branch",
            heal().without_pull_request().branch(" \t\n"),
        ),
    ] {
        errors.push((name, heal.start().await.expect_err(name)));
    }
    for (name, pr_number, branch) in [
        ("generate: pull request 0", 0, "main"),
        ("generate: a blank branch", 1, " "),
    ] {
        let generate = checksum.generate(repo(), pr_number, branch);
        errors.push((name, generate.start().await.expect_err(name)));
    }
    errors
}

#[tokio::test]
async fn no_invalid_request_is_sent() {
    let transport = FakeTransport::in_order([json!({}); 0]);
    let checksum = transport.client();
    let mut errors = errors_of_runs(&checksum).await;
    errors.extend(errors_of_batches(&checksum).await);
    let mut lines = Vec::new();
    for (name, error) in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}: {error}");
        assert_eq!(error.started(), Started::No, "{name}: {error}");
        lines.push(format!("{name}: {error}"));
    }
    assert_eq!(transport.requests(), Vec::<String>::new());
    snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn generation_needs_the_owner_of_the_repository() {
    let transport = FakeTransport::in_order([json!({}); 0]);
    for repo in [
        "my-tests",
        "/my-tests",
        "acme-co/",
        "/",
        " /my-tests",
        "acme-co/ ",
        "acme co/x",
        "acme-co/x/extra",
        "acme-co//x",
        "../x",
        "acme-co/..",
        "https://github.com/acme-co/x",
    ] {
        let name = repo.parse().expect("a name");
        let error = transport.client().generate(name, 1, "main").start().await;
        let error = error.expect_err(repo);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{repo}: {error}");
    }
    assert_eq!(transport.requests(), Vec::<String>::new());
}

/// The vendor's own clients name the repository of a test suite without its owner.
#[tokio::test]
async fn healing_does_not_need_the_owner_of_the_repository() {
    let transport = FakeTransport::always(json!({
        "name": "job", "batchId": "batch", "sessionIds": [], "failureCount": 0, "testIds": [],
    }));
    let checksum = transport.client();
    let bare = || "my-tests".parse().expect("a repository");
    let run = checksum
        .run_suite()
        .auto_heal(AutoHeal::pull_request(bare()));
    drop(run.start().await.expect("a run"));
    let heal = checksum.heal("run-id".parse().expect("an id"));
    drop(heal.pull_request(bare()).start().await.expect("a batch"));
    let log = transport.log();
    assert_eq!(log[0].body["autoHeal"]["repoName"], "my-tests");
    assert_eq!(log[1].body["repoName"], "my-tests");
}

/// A run that v2 does not know has no test run id, which healing needs.
#[tokio::test(start_paused = true)]
async fn a_report_without_a_test_run_id_cannot_be_healed() {
    let mock = Mock::builder().without_socket();
    let script = RunScript::new().fail_tests(["test-def-456"]);
    mock.next_run(script.only_api_version("v1"));
    let run = client_of(&mock).run_suite().start().await.expect("a run");
    let report = run.await.expect("a report");
    let sent = mock.request_count();
    let error = report.heal().without_pull_request().start().await;
    let error = error.expect_err("no id");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert_eq!(mock.request_count(), sent);
}
