//! Redirects of operations.

use checksum_api::ErrorKind;
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{KEY, builder, server, status_of};

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    let elsewhere = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&elsewhere)
        .await;
    let server = MockServer::start().await;
    let target = format!("{}/login?next=private", elsewhere.uri());
    let redirect = ResponseTemplate::new(307).insert_header("location", target.as_str());
    Mock::given(any())
        .respond_with(redirect)
        .mount(&server)
        .await;

    let client = builder(&server.uri()).build().expect("a client");
    let error = status_of(&client).await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(error.to_string().contains(&elsewhere.uri()), "{error}");
    assert!(!error.to_string().contains("private"), "{error}");
    assert!(
        elsewhere
            .received_requests()
            .await
            .expect("recorded")
            .is_empty()
    );
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_with_the_key() {
    let server = MockServer::start().await;
    let status = ResponseTemplate::new(200).set_body_raw("{\"status\":\"queued\"}", "text/json");
    Mock::given(path("/elsewhere"))
        .respond_with(status)
        .mount(&server)
        .await;
    let redirect = ResponseTemplate::new(302).insert_header("location", "/elsewhere");
    Mock::given(any())
        .respond_with(redirect)
        .with_priority(9)
        .mount(&server)
        .await;

    let client = builder(&server.uri()).build().expect("a client");
    status_of(&client).await.expect("a status");
    let requests = server.received_requests().await.expect("recorded");
    assert_eq!(
        requests[1].headers["authorization"],
        format!("Bearer {KEY}")
    );
}

#[tokio::test]
async fn a_redirected_start_may_have_taken_effect_unless_it_is_forwarded_unchanged() {
    for (status, target, followed, may_have_taken_effect) in [
        (301, "/there", false, true),
        (302, "/there", false, true),
        (303, "/there", false, true),
        (307, "/there", true, false),
        (308, "/there", true, false),
        (302, "https://elsewhere.invalid/", false, true),
        (307, "https://elsewhere.invalid/", false, false),
    ] {
        let server = MockServer::start().await;
        Mock::given(path("/there"))
            .respond_with(ResponseTemplate::new(401))
            .mount(&server)
            .await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(status).insert_header("location", target))
            .with_priority(9)
            .mount(&server)
            .await;
        let client = builder(&server.uri()).build().expect("a client");
        let tests = serde_json::json!({ "testIds": ["id"] });
        let tests: checksum_api::types::RunTestsRequest =
            serde_json::from_value(tests).expect("a body");
        let run = client.run_tests().body(tests).execute();
        let error = run.await.expect_err("redirected");
        assert_eq!(
            error.may_have_taken_effect(),
            may_have_taken_effect,
            "{status} {error}"
        );
        let kind = match followed {
            true => ErrorKind::Unauthorized,
            false => ErrorKind::Redirect,
        };
        assert_eq!(error.kind(), kind, "{status} {error}");
        let requests = server.received_requests().await.expect("recorded");
        assert_eq!(requests.len(), 1 + usize::from(followed), "{status}");
        for request in requests {
            assert_eq!(request.method.as_str(), "POST", "{status}");
            assert_eq!(request.body, br#"{"testIds":["id"]}"#, "{status}");
        }
    }
}

/// The redirect is the response, with all that it says of the request.
#[tokio::test]
async fn a_redirect_that_is_an_address_keeps_its_request_id() {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(302)
        .insert_header("location", "https://files.example/report.html")
        .insert_header("x-request-id", "req-7")
        .insert_header("content-encoding", "gzip")
        .set_body_string("see there");
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let client = builder(&server.uri()).build().expect("a client");
    let report = client.get_test_run_report().id("run-id");
    let (address, response) = report.execute_with_response().await.expect("an address");
    assert_eq!(address.0, "https://files.example/report.html");
    assert_eq!(response.request_id(), Some("req-7"));
}

#[tokio::test]
async fn an_address_may_come_as_plain_text() {
    for (body, address) in [
        (
            " https://files.example/a\n",
            Some("https://files.example/a"),
        ),
        ("http://files.example/a", Some("http://files.example/a")),
        ("https://files.example/a is not ready", None),
        ("ftp://files.example/a", None),
    ] {
        let (_server, client) = server(ResponseTemplate::new(200).set_body_string(body)).await;
        let report = client.get_test_run_report().id("run-id").execute().await;
        match address {
            Some(address) => assert_eq!(report.expect("an address").0, address),
            None => {
                let error = report.expect_err("no address");
                assert_eq!(error.kind(), ErrorKind::InvalidJson, "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_read_does_not_follow_what_a_person_has_to_choose() {
    for status in [300, 304, 305] {
        let redirect = ResponseTemplate::new(status).insert_header("location", "/there");
        let (server, client) = server(redirect).await;
        let error = status_of(&client).await.expect_err("redirected");
        assert_eq!(error.kind(), ErrorKind::Redirect, "{status}");
        assert!(error.message().contains("for a person"), "{error}");
        let requests = server.received_requests().await.expect("recorded");
        assert_eq!(requests.len(), 1, "{status}");
    }
}
