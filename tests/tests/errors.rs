//! The text of every error that a user can meet: what failed, on which request, what the service
//! said, and whether a retry can help.

use std::error::Error as StdError;
use std::time::Duration;

use checksum_api_ext::JobName;
use checksum_api_ext::{ApiKey, BaseUrl, Checksum, Error, PollPolicy, RetryPolicy, Run, Started};
use checksum_mock::{Fault, Mock};
use checksum_tests::wording::without_json_library;
use checksum_tests::{FakeResponse, FakeTransport, KEY, snapshot};
use serde_json::json;

/// Returns an error with its sources, as a program prints it at the end. No form has the API key.
fn text(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(&format!("\n    because: {source}"));
        cause = source.source();
    }
    assert!(!format!("{text} {error:?}").contains(KEY), "{error:?}");
    text
}

fn run(checksum: &Checksum) -> Run {
    checksum.resume_run(JobName::new("job-name-12345").expect("a name"))
}

/// Returns what a program can learn from an error, and its text without the name of the request.
fn described(error: &Error) -> String {
    let started = match error.started() {
        Started::No => "",
        Started::Maybe => ", may have started",
        Started::Yes => ", started",
    };
    let retry = match (error.is_transient(), error.retry_after()) {
        (false, _) => String::new(),
        (true, None) => ", retryable".to_owned(),
        (true, Some(after)) => format!(", retryable after {after:?}"),
    };
    let request = error
        .request_id()
        .map_or(String::new(), |id| format!(", request {id}"));
    let text = without_json_library(&text(error));
    format!(
        "{:?}{started}{retry}{request}\n        {text}",
        error.kind()
    )
}

/// What a response means for a read, and for a request that starts work.
#[tokio::test(start_paused = true)]
async fn responses() {
    let mut lines = Vec::new();
    for response in [
        FakeResponse::status(400).body(r#"{"message":"testIds must not be empty"}"#),
        FakeResponse::status(401).body(r#"{"error":"Unauthorized"}"#),
        FakeResponse::status(403).body(r#"{"error":{"message":"The key may not run tests"}}"#),
        FakeResponse::status(404).body(r#"{"detail":"No such job"}"#),
        FakeResponse::status(408),
        FakeResponse::status(409).body("a run is under way"),
        FakeResponse::status(422).body(r#"{"errors":["prNumber must be positive","second"]}"#),
        FakeResponse::status(425),
        FakeResponse::status(429)
            .header("retry-after", "17")
            .header("x-request-id", "req-1"),
        FakeResponse::status(429).header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),
        FakeResponse::status(500).body(json!({ "message": KEY }).to_string()),
        FakeResponse::status(502)
            .body("<html>\n<h1>Bad Gateway</h1>\n</html>")
            .header("cf-ray", "8a1"),
        FakeResponse::status(503).header("retry-after", "soon"),
        FakeResponse::status(504).body("x".repeat(1_000_000)),
        FakeResponse::status(302).header("location", "https://login.example.com/?token=secret"),
        FakeResponse::status(204),
        FakeResponse::status(200).body("<html>Welcome to the hotel's network</html>"),
        FakeResponse::status(200).body(r#"{"status":"#),
        FakeResponse::status(200).body(r#"{"state":"running"}"#),
        FakeResponse::status(200).body(r#"{"status":["running"]}"#),
    ] {
        let checksum = FakeTransport::always(response.clone()).client();
        let read = run(&checksum).status().await.expect_err("an error");
        let start = checksum.run_suite().start().await.expect_err("an error");
        lines.push(format!("{response}"));
        lines.push(format!("  read  {}", described(&read)));
        lines.push(format!("  start {}", described(&start)));
    }
    let requests = "get_run_status_v2 (GET /public-api/v2/execution/status/job-name-12345)";
    let lines = lines.join("\n").replace(requests, "GET");
    let lines = lines.replace("run_suite (POST /public-api/v1/execution/suite)", "POST");
    snapshot!(lines.replace(&"x".repeat(80), "[80 × x]"));
}

#[tokio::test]
async fn network_failures() {
    let mut lines = Vec::new();
    // The port was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let url = format!("http://127.0.0.1:{port}");
    for (name, fault) in [
        ("reset before handling", Fault::reset_before_handling()),
        ("reset after handling", Fault::reset_after_handling()),
        ("truncated", Fault::truncated()),
        ("too large", Fault::respond_with("x".repeat(2_000))),
        ("no response", Fault::hang()),
    ] {
        let mock = Mock::builder().api_key(KEY).start().await.expect("a mock");
        mock.fault(fault.always());
        // Long for all that ends by itself, whatever else the machine does.
        let timeout = match name {
            "no response" => Duration::from_millis(200),
            _ => Duration::from_secs(60),
        };
        let checksum = client(&mock.url(), timeout);
        lines.extend(read_and_start(name, &checksum).await);
    }
    let checksum = client(&url, Duration::from_secs(60));
    let nobody_listens = read_and_start("nobody listens", &checksum).await;
    lines.extend(nobody_listens.map(|line| line.replace(&url, "http://[closed]")));
    snapshot!(lines.join("\n"));
}

/// Returns the texts of a read and of a start, without what the operating system and the HTTP
/// library say: their words, and which of them speaks first, are not ours.
async fn read_and_start(name: &str, checksum: &Checksum) -> [String; 2] {
    let read = checksum.project().await.expect_err("an error");
    let start = checksum.run_suite().start().await.expect_err("an error");
    [read, start].map(|error| {
        text(&error);
        let text = error.to_string();
        let mut parts: Vec<String> = text.split("; ").map(str::to_owned).collect();
        let request = parts.iter_mut().find(|part| part.contains("): "));
        let request = request.expect("a request");
        let (who, cause) = request.split_once("): ").expect("a cause");
        let ours = cause.split_once(": ").map_or(cause, |(ours, _)| ours);
        *request = format!("{who}): {ours}");
        format!("{name}: {:?}: {}", error.kind(), parts.join("; "))
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
async fn waits() {
    let mut lines = Vec::new();
    let policy = PollPolicy::fixed(Duration::from_secs(10)).deadline(Duration::from_secs(3600));
    for response in [
        json!({ "status": "running" }).into(),
        FakeResponse::status(503),
        FakeResponse::status(404),
    ] {
        let checksum = FakeTransport::always(response).client();
        let error = run(&checksum).with_poll_policy(policy).await;
        lines.push(described(&error.expect_err("an error")));
    }
    snapshot!(lines.join("\n"));
}

#[test]
fn settings() {
    let mut lines = Vec::new();
    for key in ["", "two words", "line\nbreak", "caf\u{e9}"] {
        lines.push(text(&ApiKey::new(key).expect_err("no key")));
    }
    for url in [
        "checksum.ai",
        "ftp://api.checksum.ai",
        "https://me:secret@api.checksum.ai",
        "https://api.checksum.ai/public-api?key=secret",
        "https://api.checksum.ai/public-api#v1",
        "https://api.checksum.ai/v1",
    ] {
        let error = text(&url.parse::<BaseUrl>().expect_err("no URL"));
        assert!(!error.contains("secret"), "{error}");
        lines.push(error);
    }
    let builder = || Checksum::builder().api_key(ApiKey::new(KEY).expect("a key"));
    let plain_http = builder().base_url("http://checksum.example.com".parse().expect("a URL"));
    lines.push(text(&plain_http.build().expect_err("plain http")));
    lines.push(text(&Checksum::builder().build().expect_err("no key")));
    let agent = builder().user_agent("two\nlines").build();
    lines.push(agent.expect_err("no user agent").to_string());
    snapshot!(lines.join("\n"));
}
