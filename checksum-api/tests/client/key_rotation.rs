//! API keys that rotate while the client is used.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checksum_api::{ApiKey, ApiKeyProvider, Client, ErrorKind};
use reqwest::ResponseBuilderExt;
use wiremock::matchers::{any, header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::status_of;

/// Accepts the key `second` only.
async fn server() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer second"))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"status":"queued"}"#))
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(401).set_body_string("first is expired"))
        .with_priority(9)
        .mount(&server)
        .await;
    server
}

/// Gives these keys, the last one again and again, and counts how often it is called.
fn keys(keys: &'static [&'static str]) -> (impl ApiKeyProvider, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let provider = move || {
        let call = counted.fetch_add(1, Ordering::SeqCst);
        std::future::ready(ApiKey::new(keys[call.min(keys.len() - 1)]))
    };
    (provider, calls)
}

fn client(server: &MockServer, provider: impl ApiKeyProvider) -> Client {
    let client = Client::builder(provider).base_url(server.uri().parse().expect("a URL"));
    client.build().expect("a client")
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.expect("recorded").len()
}

#[tokio::test]
async fn a_request_is_repeated_once_with_the_new_key() {
    let server = server().await;
    let (provider, calls) = keys(&["first", "second"]);
    let client = client(&server, provider);
    status_of(&client).await.expect("a status");
    assert_eq!(
        (requests(&server).await, calls.load(Ordering::SeqCst)),
        (2, 2)
    );
    // The new key is kept, also by clones.
    status_of(&client.clone()).await.expect("a status");
    assert_eq!(
        (requests(&server).await, calls.load(Ordering::SeqCst)),
        (3, 2)
    );
    assert_eq!(client.redact("first second third"), "*** *** third");
}

#[tokio::test]
async fn a_start_is_repeated_with_its_body() {
    let server = server().await;
    let client = client(&server, keys(&["first", "second"]).0);
    let started = client
        .run_tests()
        .body_map(|body| body.test_ids(vec!["id".parse().expect("an id")]));
    started.execute().await.expect("accepted");
    let requests = server.received_requests().await.expect("recorded");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests[1].body, br#"{"testIds":["id"]}"#);
}

#[tokio::test]
async fn a_request_is_not_repeated_without_another_key() {
    for provided in [&["first"][..], &["first", "third"]] {
        let server = server().await;
        let client = client(&server, keys(provided).0);
        let error = status_of(&client).await.expect_err("unauthorized");
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(error.message(), "`*** is expired`");
        assert_eq!(requests(&server).await, provided.len());
    }
    let server = server().await;
    let client = client(&server, ApiKey::new("first").expect("a key"));
    status_of(&client).await.expect_err("unauthorized");
    assert_eq!(requests(&server).await, 1);
}

/// A transport that followed a redirect may have sent the request to the service before.
#[tokio::test]
async fn a_start_that_was_redirected_by_the_transport_is_not_repeated() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let client = Client::builder(keys(&["first", "second"]).0)
        .transport(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            let response = http::Response::builder()
                .status(401)
                .url("https://login.example/".parse().expect("a URL"))
                .body("");
            std::future::ready(Ok(response.expect("a response").into()))
        })
        .build()
        .expect("a client");
    let error = client
        .run_suite()
        .execute()
        .await
        .expect_err("unauthorized");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.may_have_taken_effect(), "{error}");
    assert_eq!(sent.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_provider_that_fails_sends_nothing() {
    let server = server().await;
    let provider = || std::future::ready(Err::<ApiKey, _>(io::Error::other("the vault is sealed")));
    let error = status_of(&client(&server, provider))
        .await
        .expect_err("no key");
    assert_eq!(error.kind(), ErrorKind::NoApiKey);
    assert_eq!(
        error.message(),
        "the API key provider failed: the vault is sealed"
    );
    assert!(error.is_transient() && !error.may_have_taken_effect());
    assert_eq!(requests(&server).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_provider_may_take_no_longer_than_a_request() {
    let provider = std::future::pending::<Result<ApiKey, io::Error>>;
    let client = Client::builder(provider).build().expect("a client");
    let error = status_of(&client).await.expect_err("no key");
    assert_eq!(error.kind(), ErrorKind::NoApiKey);
    assert!(!error.may_have_taken_effect());
}

#[tokio::test]
async fn a_download_is_repeated_with_the_new_key() {
    let server = server().await;
    Mock::given(path("/file"))
        .and(header("authorization", "Bearer second"))
        .respond_with(ResponseTemplate::new(200).set_body_string("content"))
        .with_priority(1)
        .mount(&server)
        .await;
    let client = client(&server, keys(&["first", "second"]).0);
    let url = format!("{}/file", server.uri()).parse().expect("a URL");
    let mut file = client
        .download(&url, http::HeaderMap::new())
        .await
        .expect("a file");
    assert_eq!(
        file.chunk().await.expect("a part").expect("a part"),
        "content"
    );
}

/// A provider may take long. Requests that were rejected together do not call it one after the other.
#[tokio::test(start_paused = true)]
async fn requests_that_are_rejected_together_share_one_call_of_the_provider() {
    for (provided, accepted) in [(&["first"][..], false), (&["first", "second"], true)] {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let provider = move || {
            let call = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                ApiKey::new(provided[call.min(provided.len() - 1)])
            }
        };
        let client = Client::builder(provider)
            .transport(|request: reqwest::Request| {
                let key = &request.headers()["authorization"];
                let status = if key == "Bearer second" { 200 } else { 401 };
                let response = http::Response::builder().status(status);
                let response = response.body(r#"{"status":"queued"}"#).expect("a response");
                async { Ok(response.into()) }
            })
            .build()
            .expect("a client");
        let began = tokio::time::Instant::now();
        let requests: Vec<_> = (0..100)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { status_of(&client).await.is_ok() })
            })
            .collect();
        for request in requests {
            assert_eq!(request.await.expect("no panic"), accepted);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 2, "{provided:?}");
        assert_eq!(began.elapsed(), Duration::from_secs(2), "{provided:?}");
    }
}

#[tokio::test]
async fn the_current_key_is_redacted_however_often_keys_alternate() {
    let calls = AtomicUsize::new(0);
    let keys: Vec<String> = (0..4)
        .map(|number| format!("key-{number}-secret"))
        .collect();
    let all = keys.clone();
    let provider = move || {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        std::future::ready(ApiKey::new(keys[call % 2 + call / 40].clone()))
    };
    let client = Client::builder(provider)
        .transport(|_| async {
            let response = http::Response::builder().status(401);
            Ok(response.body("").expect("a response").into())
        })
        .build()
        .expect("a client");
    for _ in 0..60 {
        status_of(&client).await.expect_err("unauthorized");
    }
    for key in &all[..3] {
        assert_eq!(client.redact(key), "***");
    }
}
