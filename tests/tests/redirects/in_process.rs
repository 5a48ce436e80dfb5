//! Without a socket: every status, target and chain.

use checksum_api::ErrorKind;
use checksum_api_ext::{Checksum, RetryPolicy};
use checksum_tests::{FakeResponse, FakeTransport, KEY};
use serde_json::json;

use crate::{Known, STARTS, known, start};

/// What becomes of one request.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A redirect with that status to that address.
    To(u16, &'static str),
    /// A redirect that names no address.
    Nowhere(u16),
    Status(u16),
    /// The response that each of the starts takes for a success.
    Started,
    /// No connection is made.
    NotSent,
    /// No response comes.
    Never,
    /// A transport that follows redirects by itself ends there, with that status.
    Elsewhere(&'static str, u16),
}

use Step::{Elsewhere, Never, NotSent, Nowhere, Started, Status, To};

impl From<Step> for FakeResponse {
    fn from(step: Step) -> Self {
        match step {
            To(status, target) => Self::status(status).header("location", target),
            Nowhere(status) | Status(status) => Self::status(status),
            Started => json!({
                "name": "job", "batchId": "batch", "sessionId": "session", "sessionIds": [],
                "failureCount": 0, "testIds": [],
            })
            .into(),
            NotSent => Self::not_sent(),
            Never => Self::never(),
            Elsewhere(url, status) => Self::status(status).body(r#"{"name":1}"#).url(url),
        }
    }
}

fn transport(steps: &[Step]) -> FakeTransport {
    FakeTransport::in_order(steps.iter().copied())
}

fn client(transport: &FakeTransport) -> Checksum {
    let builder = transport.builder().retry_policy(RetryPolicy::default());
    builder.build().expect("a client")
}

/// Starts work of each kind, and compares the requests, as paths after the first (`.` for the
/// start's own), and what is known then.
async fn check(steps: &[Step], expected: Known, requests: &[&str]) {
    for (kind, own) in STARTS {
        let transport = transport(steps);
        let outcome = start(&client(&transport), kind).await;
        assert_eq!(known(&outcome), expected, "{kind} {steps:?}: {outcome:?}");
        let log = transport.log();
        let sent: Vec<&str> = log.iter().map(|request| request.url.path()).collect();
        let paths = requests
            .iter()
            .map(|path| if *path == "." { own } else { path });
        assert_eq!(sent, paths.collect::<Vec<_>>(), "{kind} {steps:?}");
        for request in &log {
            assert_eq!(request.method, "POST");
            assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
            assert!(request.body.is_object() && request.body == log[0].body);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_to_another_method_is_not_followed_and_may_have_started_the_work() {
    for status in [300, 301, 302, 303, 304, 305, 306, 399] {
        check(&[To(status, "/login")], Known::MayHaveStarted, &["."]).await;
        check(&[Nowhere(status)], Known::MayHaveStarted, &["."]).await;
        let elsewhere = To(status, "https://elsewhere.invalid/");
        check(&[elsewhere], Known::MayHaveStarted, &["."]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_that_keeps_the_method_is_followed_with_the_body() {
    for status in [307, 308] {
        let there = To(status, "/there");
        check(&[there, Started], Known::Started, &[".", "/there"]).await;
        let absolute = To(status, "https://user:pw@checksum.invalid/there#part");
        check(&[absolute, Started], Known::Started, &[".", "/there"]).await;
        let chain = [there, To(308, "/a"), To(307, "/b"), Started];
        check(&chain, Known::Started, &[".", "/there", "/a", "/b"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_redirects_may_have_taken_effect_if_any_request_may() {
    for status in [307, 308] {
        let there = To(status, "/there");
        let both = [".", "/there"];
        for end in [
            Status(500),
            Status(502),
            Status(503),
            Status(408),
            Never,
            To(302, "/login"),
        ] {
            check(&[there, end], Known::MayHaveStarted, &both).await;
        }
        for end in [
            Status(400),
            Status(401),
            Status(403),
            Status(404),
            Status(422),
        ] {
            check(&[there, end], Known::NotStarted, &both).await;
        }
        // Certainly not acted on, and sent again from the start.
        for end in [Status(429), NotSent] {
            let again = [there, end, Started];
            check(&again, Known::Started, &[".", "/there", "."]).await;
            let never = [there, end, there, end, there, end, there, end];
            let requests = [".", "/there", ".", "/there", ".", "/there", ".", "/there"];
            check(&never, Known::NotStarted, &requests).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_that_is_not_followed_and_keeps_the_method_has_started_nothing() {
    for status in [307, 308] {
        for target in [
            "https://elsewhere.invalid/",
            "http://checksum.invalid/",
            "//a.invalid/b",
        ] {
            check(&[To(status, target)], Known::NotStarted, &["."]).await;
        }
        check(&[Nowhere(status)], Known::NotStarted, &["."]).await;
        check(&[To(status, "https://[")], Known::NotStarted, &["."]).await;
        let around = [To(status, "/a"); 6];
        let requests = [".", "/a", "/a", "/a", "/a", "/a"];
        check(&around, Known::NotStarted, &requests).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_follows_redirects_by_itself_may_have_started_the_work() {
    for status in [400, 401, 403, 404, 429, 500, 307, 302, 200] {
        let login = Elsewhere("https://checksum.invalid/login", status);
        let away = Elsewhere("https://elsewhere.invalid/", status);
        for step in [login, away] {
            check(&[step], Known::MayHaveStarted, &["."]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_message_says_who_redirected_where_and_what_to_check() {
    let target = "https://login.invalid/sign-in?next=private#private";
    for (step, reason) in [
        (
            To(302, target),
            "since the service may have acted on it before",
        ),
        (
            To(307, target),
            "since the API key is for the origin of the base URL alone",
        ),
    ] {
        let checksum = client(&transport(&[step]));
        let error = start(&checksum, "run").await.expect_err("redirected");
        let request = error.raw().expect("a request");
        assert_eq!(request.kind(), ErrorKind::Redirect);
        assert!(!request.is_transient());
        assert_eq!(
            request.message(),
            format!(
                "https://checksum.invalid/public-api/v1/execution/tests redirected the request to \
                 https://login.invalid/sign-in, which was not followed, {reason}; \
                 check the base URL"
            )
        );
    }
}

#[tokio::test(start_paused = true)]
async fn reads_follow_every_redirect_within_the_origin() {
    for status in [301, 302, 303, 307, 308] {
        let chain = transport(&[To(status, "/a"), To(302, "b"), Started]);
        // The body is none of a project, which shows that it was reached.
        let error = chain.client().project().await.expect_err("no project");
        let kind = error.raw().map(checksum_api::Error::kind);
        assert_eq!(kind, Some(ErrorKind::UnexpectedBody));
        assert_eq!(chain.requests(), ["0 GET /v1/me", "0 GET /a", "0 GET /b"]);

        for (steps, sent) in [
            (&[To(status, "https://elsewhere.invalid/")][..], 1),
            (&[Nowhere(status)], 1),
            (&[To(status, "/a"); 6], 6),
        ] {
            let transport = transport(steps);
            let error = transport.client().project().await.expect_err("redirected");
            let kind = error.raw().map(checksum_api::Error::kind);
            assert_eq!(kind, Some(ErrorKind::Redirect));
            assert_eq!(transport.log().len(), sent, "{steps:?}");
        }
    }
}
