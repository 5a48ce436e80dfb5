//! From where files are downloaded, and who gets the key.

use checksum_api::ErrorKind as RawKind;
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::{KEY, client_at};

#[tokio::test]
async fn the_key_is_sent_to_the_own_origin() {
    let server = server_with_report("/r.html").await;
    page(
        &server,
        "/r.html",
        ResponseTemplate::new(200).set_body_string("own"),
    )
    .await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    assert_eq!((saved.expect("saved").bytes, files), (3, written("own")));
    assert_eq!(keys_at(&server, "/r.html").await, with_key());
}

#[tokio::test]
async fn the_key_is_sent_to_no_other_origin() {
    let elsewhere = MockServer::start().await;
    page(
        &elsewhere,
        "/r.html",
        ResponseTemplate::new(200).set_body_string("foreign"),
    )
    .await;
    let server = server_with_report(&format!("{}/r.html?signature=a", elsewhere.uri())).await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    assert_eq!(
        (saved.expect("saved").bytes, files),
        (7, written("foreign"))
    );
    assert_eq!(keys_at(&elsewhere, "/r.html").await, [None]);
    let requests = elsewhere.received_requests().await.expect("recorded");
    let has_key = |request: &wiremock::Request| format!("{request:?}").contains(KEY);
    assert!(!requests.iter().any(has_key));
}

#[tokio::test]
async fn a_redirect_away_drops_the_key_and_one_back_does_not_bring_it() {
    let elsewhere = MockServer::start().await;
    let server = server_with_report("/r.html").await;
    page(&server, "/r.html", redirect_to("/near")).await;
    page(
        &server,
        "/near",
        redirect_to(&format!("{}/far", elsewhere.uri())),
    )
    .await;
    page(&elsewhere, "/far", redirect_to("/further")).await;
    page(
        &elsewhere,
        "/further",
        redirect_to(&format!("{}/back", server.uri())),
    )
    .await;
    page(
        &server,
        "/back",
        ResponseTemplate::new(200).set_body_string("back"),
    )
    .await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    assert_eq!((saved.expect("saved").bytes, files), (4, written("back")));
    assert_eq!(keys_at(&server, "/r.html").await, with_key());
    assert_eq!(keys_at(&server, "/near").await, with_key());
    assert_eq!(keys_at(&elsewhere, "/far").await, [None]);
    assert_eq!(keys_at(&elsewhere, "/further").await, [None]);
    assert_eq!(keys_at(&server, "/back").await, [None]);
}

#[tokio::test]
async fn redirects_are_limited() {
    let elsewhere = MockServer::start().await;
    Mock::given(any())
        .respond_with(redirect_to("/again"))
        .mount(&elsewhere)
        .await;
    let server = server_with_report(&format!("{}/r.html", elsewhere.uri())).await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    let error = saved.expect_err("no end");
    assert_eq!(
        error.raw().map(|e| e.kind()),
        Some(RawKind::Redirect),
        "{error}"
    );
    assert!(files.is_empty());
}

#[tokio::test]
async fn no_file_is_requested_over_plain_http_from_another_host() {
    for (address, target) in [
        ("http://files.example/r.html?signature=hunter2", None),
        (
            "/r.html",
            Some("http://files.example/r.html?signature=hunter2"),
        ),
        ("/r.html", Some("file:///etc/passwd")),
    ] {
        let server = server_with_report(address).await;
        if let Some(target) = target {
            page(&server, "/r.html", redirect_to(target)).await;
        }
        let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
        let error = saved.expect_err("not sent");
        assert_eq!(error.raw().map(|e| e.kind()), Some(RawKind::InvalidRequest));
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(files.is_empty());
    }
}

#[tokio::test]
async fn an_error_names_the_url_and_the_message() {
    let server = server_with_report("/r.html?signature=hunter2").await;
    let gone = ResponseTemplate::new(410).set_body_json(json!({ "message": "expired" }));
    page(&server, "/r.html", gone).await;
    let (saved, files) = download(&report_of(&client_at(&server.uri())).await).await;
    let error = saved.expect_err("gone");
    let expected = format!("410 Gone: GET {}/r.html: expired", server.uri());
    assert_eq!(error.to_string(), expected);
    assert!(files.is_empty());
}
