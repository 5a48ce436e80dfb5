//! Redirects: a redirected start is not sent twice, and not reported as not started if it may be.

use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::invocation::{Ended, checksum};

/// The commands that start work, with the paths of their requests.
const STARTS: [(&str, &str); 3] = [
    ("run suite --detach", "/public-api/v1/execution/suite"),
    (
        "heal run-id --no-create-pr --detach",
        "/public-api/v1/auto-heal",
    ),
    (
        "generate --repo acme-co/webapp --pr 42 --branch main --detach",
        "/public-api/v1/auto-generate",
    ),
];

fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

/// Runs the command against a server that redirects its request; returns the received requests.
async fn redirected(
    arguments: &str,
    from: &str,
    redirect: ResponseTemplate,
    then: ResponseTemplate,
) -> (Ended, Vec<String>) {
    let server = MockServer::start().await;
    Mock::given(path(from))
        .respond_with(redirect)
        .mount(&server)
        .await;
    Mock::given(path("/there"))
        .respond_with(then)
        .mount(&server)
        .await;
    let ended = checksum(&server.uri(), arguments).end();
    let requests = server.received_requests().await.expect("recorded");
    let requests = requests
        .iter()
        .map(|request| format!("{} {}", request.method, request.url.path()));
    (ended, requests.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_redirected_to_another_method_may_have_started() {
    for (arguments, start) in STARTS {
        for (code, then) in [
            (301, 400),
            (302, 401),
            (303, 403),
            (302, 404),
            (303, 429),
            (302, 200),
        ] {
            let to = status(code).insert_header("location", "/there?next=private");
            let (ended, requests) = redirected(arguments, start, to, status(then)).await;
            assert_eq!(requests, [format!("POST {start}")], "{code} {then}");
            let ended = ended.exits(5);
            for text in [
                "may have started",
                "/there, which was not followed",
                "base URL",
            ] {
                ended.stderr_has(text);
            }
            ended.stderr_lacks("private");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_redirected_with_the_same_method_has_the_final_response() {
    for (arguments, start) in STARTS {
        for code in [307, 308] {
            for (then, exit, may_have_started) in [(400, 2, false), (401, 4, false), (502, 5, true)]
            {
                let to = status(code).insert_header("location", "/there");
                let (ended, requests) = redirected(arguments, start, to, status(then)).await;
                let posts = [format!("POST {start}"), "POST /there".to_owned()];
                assert_eq!(requests, posts, "{code} {then}");
                let ended = ended.exits(exit);
                let says_so = ended.stderr.contains("may have started");
                assert_eq!(says_so, may_have_started, "{ended:?}");
            }
            let away = status(code).insert_header("location", "https://elsewhere.invalid/there");
            let (ended, requests) = redirected(arguments, start, away, status(200)).await;
            assert_eq!(requests.len(), 1, "{requests:?}");
            ended
                .exits(5)
                .stderr_lacks("may have started")
                .stderr_has("https://elsewhere.invalid/there");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_follows_redirects_within_the_origin() {
    let project = status(200).set_body_raw(r#"{"id": "a", "name": "My Project"}"#, "text/json");
    for code in [301, 302, 303, 307, 308] {
        let server = MockServer::start().await;
        let to = status(code).insert_header("location", "/there");
        Mock::given(method("GET"))
            .and(path("/public-api/v1/me"))
            .respond_with(to)
            .mount(&server)
            .await;
        Mock::given(path("/there"))
            .respond_with(project.clone())
            .mount(&server)
            .await;
        checksum(&server.uri(), "me").end().exits(0);
    }
}
