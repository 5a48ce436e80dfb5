//! The text of every error that a user can meet: what failed, on which request, what the service
//! said, and whether to try again.

use std::error::Error as StdError;
use std::time::Duration;

use checksum_api_ext::types::{JobName, RepoName, TestRunId};
use checksum_api_ext::{
    ApiKey, AutoHeal, BaseUrl, Checksum, ConfigurationError, Error, PollPolicy, RetryPolicy, Run,
};
use checksum_mock::{Fault, Mock};
use checksum_tests::{Answer, Answers};
use serde_json::json;

const KEY: &str = "key-that-nobody-may-see";

/// An error with its sources, as a program prints it at the end.
fn text(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(&format!("\n    because: {source}"));
        cause = source.source();
    }
    assert!(!text.contains(KEY), "{text}");
    text
}

fn run(checksum: &Checksum) -> Run {
    checksum.resume_run(JobName::new("job-name-12345").expect("a name"))
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_refusals_or_worse() {
    let answers = [
        Answer::status(400).body(r#"{"message":"testIds must not be empty"}"#),
        Answer::status(401).body(r#"{"error":"Unauthorized"}"#),
        Answer::status(403).body(r#"{"error":{"message":"The key may not run tests"}}"#),
        Answer::status(404).body(r#"{"detail":"No such job"}"#),
        Answer::status(408),
        Answer::status(409).body("a run is under way"),
        Answer::status(422).body(r#"{"errors":["prNumber must be positive","second"]}"#),
        Answer::status(425),
        Answer::status(429)
            .header("retry-after", "17")
            .header("x-request-id", "req-1"),
        Answer::status(429).header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),
        Answer::status(500).body(json!({ "message": KEY }).to_string()),
        Answer::status(502)
            .body("<html>\n<h1>Bad Gateway</h1>\n</html>")
            .header("cf-ray", "8a1"),
        Answer::status(503).header("retry-after", "soon"),
        Answer::status(504).body("x".repeat(1_000_000)),
        Answer::status(302).header("location", "https://login.example.com/?token=secret"),
        Answer::status(204),
        Answer::status(200).body("<html>Welcome to the hotel's network</html>"),
        Answer::status(200).body(r#"{"status":"#),
        Answer::status(200).body(r#"{"state":"running"}"#),
        Answer::status(200).body(r#"{"status":["running"]}"#),
    ];
    let count = answers.len();
    let checksum = Answers::new(answers.clone()).client_with(KEY);
    let mut told = Vec::new();
    for _ in 0..count {
        let error = run(&checksum).status().await.expect_err("an error");
        told.push(text(&error));
    }
    insta::assert_snapshot!("status", told.join("\n"));

    // The same for a request that starts work, where the question is whether it has started.
    let checksum = Answers::new(answers).client_with(KEY);
    let mut told = Vec::new();
    for _ in 0..count {
        told.push(match checksum.run_suite().start().await {
            Ok(run) => format!("no error: {run:?}"),
            Err(error) => text(&error),
        });
    }
    insta::assert_snapshot!("dispatch", told.join("\n"));
}

#[tokio::test]
async fn networks() {
    let mut told = Vec::new();
    // Nobody listens: the port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr();
    let port = port.expect("an address").port();
    let url = format!("http://127.0.0.1:{port}");
    for (what, fault) in [
        ("reset before", Fault::reset_before_handling()),
        ("reset after", Fault::reset_after_handling()),
        ("cut off", Fault::truncated()),
        ("too large", Fault::respond_with("x".repeat(2_000))),
        ("never", Fault::hang()),
    ] {
        let mock = Mock::builder().api_key(KEY).start().await.expect("a mock");
        mock.fault(fault.always());
        let checksum = client(&mock.url(), Duration::from_millis(200));
        told.extend(read_and_dispatch(what, &checksum).await);
    }
    let checksum = client(&url, Duration::from_secs(5));
    told.extend(read_and_dispatch("nobody", &checksum).await);
    insta::assert_snapshot!(told.join("\n"));
}

/// What a read and a dispatch come to, without what the operating system and HTTP library say:
/// their words, and which of them speaks first, are not ours.
async fn read_and_dispatch(what: &str, checksum: &Checksum) -> [String; 2] {
    let read = checksum.project().await.expect_err("an error");
    let dispatch = checksum.run_suite().start().await.expect_err("an error");
    [read, dispatch].map(|error| {
        let text = error.to_string();
        assert!(!text.contains(KEY), "{text}");
        let mut parts: Vec<String> = text.split("; ").map(str::to_owned).collect();
        let request = parts
            .iter_mut()
            .find(|part| part.contains("): "))
            .expect("a request");
        let (who, cause) = request.split_once("): ").expect("a cause");
        let ours = cause.split_once(": ").map_or(cause, |(ours, _)| ours);
        *request = format!("{who}): {ours}");
        format!("{what}: {}", parts.join("; "))
    })
}

fn client(url: &str, timeout: Duration) -> Checksum {
    Checksum::builder()
        .api_key(ApiKey::new(KEY).expect("a key"))
        .base_url(url.parse().expect("a URL"))
        .request_timeout(timeout)
        .max_response_bytes(1_000)
        .retry_policy(RetryPolicy::none())
        .build()
        .expect("a client")
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sent() {
    let answers = Answers::new([json!({ "name": null, "runId": null })]);
    let checksum = answers.client();
    let heal = |heal| checksum.run_suite().auto_heal(heal).start();
    let repository: RepoName = "acme-co/my-tests".parse().expect("a name");
    let refused: Vec<Error> = vec![
        checksum.run_tests([]).start().await.expect_err("refused"),
        checksum.run_grep("").start().await.expect_err("refused"),
        heal(AutoHeal::without_pull_request().pr(42))
            .await
            .expect_err("refused"),
        heal(AutoHeal::pull_request(repository).pr(0))
            .await
            .expect_err("refused"),
    ];
    assert_eq!(answers.requests(), Vec::<String>::new());
    let mut told: Vec<String> = refused.iter().map(|error| text(error)).collect();
    // Sent, and answered with nothing to follow.
    told.push(text(
        &checksum.run_suite().start().await.expect_err("no name"),
    ));
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn waits() {
    let policy = PollPolicy::fixed(Duration::from_secs(10));
    let mut told = Vec::new();
    let running = Answers::new([json!({ "status": "running" })]).client();
    let hour = policy.deadline(Duration::from_secs(3600));
    let error = run(&running)
        .poll_policy(hour)
        .await
        .expect_err("a deadline");
    told.push(text(&error));
    let broken = Answers::new([Answer::status(503)]).client();
    told.push(text(&run(&broken).await.expect_err("an end of patience")));
    let unknown = Answers::new([Answer::status(404)]).client();
    told.push(text(&run(&unknown).await.expect_err("no such run")));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn settings() {
    let mut told = Vec::new();
    for key in ["", "two words", "line\nbreak", "caf\u{e9}"] {
        told.push(text(&ApiKey::new(key).expect_err("no key")));
    }
    for url in [
        "",
        "checksum.ai",
        "ftp://api.checksum.ai",
        "https://me:secret@api.checksum.ai",
        "https://api.checksum.ai/public-api?key=secret",
        "https://api.checksum.ai/public-api#v1",
        "https://api.checksum.ai/v1",
    ] {
        let error = text(&url.parse::<BaseUrl>().expect_err("no URL"));
        assert!(!error.contains("secret"), "{error}");
        told.push(error);
    }
    for id in ["", ".", "..", "a\\b", "a\nb"] {
        told.push(text(&TestRunId::new(id).expect_err("no id")));
    }
    let plain = Checksum::builder()
        .api_key(ApiKey::new(KEY).expect("a key"))
        .base_url("http://checksum.example.com".parse().expect("a URL"));
    told.push(text(&plain.build().expect_err("plain http")));
    let no_key: ConfigurationError = Checksum::builder().build().expect_err("no key");
    told.push(text(&no_key));
    let agent = Checksum::builder()
        .api_key(ApiKey::new(KEY).expect("a key"))
        .user_agent("two\nlines");
    told.push(text(&agent.build().expect_err("no user agent")));
    insta::assert_snapshot!(told.join("\n"));
}
