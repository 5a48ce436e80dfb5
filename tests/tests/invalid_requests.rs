//! Requests that the service would certainly reject. None of them is sent.

use checksum_api_ext::{Checksum, Error, ErrorKind, Grep, HealOptions, PrNumber, Started};
use checksum_mock::{Mock, RunScript};
use checksum_tests::{FakeTransport, client_of, snapshot};
use serde_json::json;

fn repo<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    "acme-co/my-tests".parse().expect("a repository")
}

async fn errors_of_runs(checksum: &Checksum) -> Vec<(&'static str, Error)> {
    let suite = |heal| checksum.run_suite().auto_heal(heal).start();
    let run = |grep: Grep| checksum.run_grep(grep).start();
    let grep = || Grep::new("a");
    let heal = || HealOptions::open_pull_request(repo());
    let mut errors = Vec::new();
    for (name, started) in [
        ("no test ids", checksum.run_tests([]).start().await),
        ("no suite ids", checksum.run_suites([]).start().await),
        ("an empty pattern", run(Grep::new("")).await),
        ("an empty branch", run(grep().branch("")).await),
        ("a blank branch", run(grep().branch("\u{a0}\r\n")).await),
        ("one shard", run(grep().shards(1)).await),
        ("41 shards", run(grep().shards(41)).await),
        (
            "shards and healing",
            checksum
                .run_grep(grep().shards(2))
                .auto_heal(heal())
                .start()
                .await,
        ),
        (
            "healing: a pull request without its repository",
            suite(HealOptions::no_pull_request().report_to(number())).await,
        ),
        (
            "healing: an empty branch",
            suite(heal().target_branch("")).await,
        ),
        (
            "healing: a blank branch",
            suite(heal().target_branch(" \t")).await,
        ),
        (
            "healing of a grep: a blank branch",
            checksum
                .run_grep("a")
                .auto_heal(heal().target_branch(" "))
                .start()
                .await,
        ),
    ] {
        errors.push((name, started.expect_err(name)));
    }
    errors
}

fn number() -> PrNumber {
    PrNumber::new(1).expect("a number")
}

async fn errors_of_batches(checksum: &Checksum) -> Vec<(&'static str, Error)> {
    let mut errors = Vec::new();
    for (name, options) in [
        (
            "heal: a pull request without its repository",
            HealOptions::no_pull_request().report_to(number()),
        ),
        (
            "heal: an empty branch",
            HealOptions::open_pull_request(repo()).target_branch(""),
        ),
        (
            "heal: a blank branch",
            HealOptions::no_pull_request().target_branch(" \t\n"),
        ),
    ] {
        let heal = checksum.heal("run-id".parse().expect("an id"), options);
        errors.push((name, heal.start().await.expect_err(name)));
    }
    let name = "generate: a blank branch";
    let generate = checksum.generate(repo(), number(), " ");
    errors.push((name, generate.start().await.expect_err(name)));
    errors
}

#[tokio::test]
async fn no_invalid_request_is_sent() {
    let transport = FakeTransport::without_requests();
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

#[test]
fn a_pull_request_has_a_number_of_one_or_more() {
    PrNumber::new(0).expect_err("no number");
    number();
}

#[tokio::test]
async fn generation_needs_the_owner_of_the_repository() {
    let transport = FakeTransport::without_requests();
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
        let error = transport
            .client()
            .generate(name, number(), "main")
            .start()
            .await;
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
        .auto_heal(HealOptions::open_pull_request(bare()));
    drop(run.start().await.expect("a run"));
    let options = HealOptions::open_pull_request(bare());
    let heal = checksum.heal("run-id".parse().expect("an id"), options);
    drop(heal.start().await.expect("a batch"));
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
    let error = report
        .heal(HealOptions::no_pull_request())
        .expect_err("no id");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert_eq!(mock.request_count(), sent);
}
