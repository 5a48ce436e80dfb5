//! Downloads of files.

use checksum_api::ErrorKind;
use reqwest::ResponseBuilderExt;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{KEY, builder};

#[tokio::test]
async fn the_key_is_sent_to_the_own_origin_only() {
    let elsewhere = MockServer::start().await;
    Mock::given(path("/file"))
        .respond_with(ResponseTemplate::new(200).set_body_string("content"))
        .mount(&elsewhere)
        .await;
    let server = MockServer::start().await;
    let target = format!("{}/file", elsewhere.uri());
    Mock::given(path("/file"))
        .respond_with(ResponseTemplate::new(302).insert_header("location", target.as_str()))
        .mount(&server)
        .await;

    let client = builder(&server.uri()).build().expect("a client");
    let address = format!("{}/file", server.uri()).parse().expect("a URL");
    // A caller's own header does not bring the key elsewhere either.
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", "Bearer mine".parse().expect("a header"));
    let mut file = client.download(&address, headers).await.expect("a file");
    let mut content = Vec::new();
    while let Some(part) = file.chunk().await.expect("a part") {
        content.extend_from_slice(&part);
    }
    assert_eq!(content, b"content");
    assert!(!format!("{file:?}").contains(KEY));
    let own = server.received_requests().await.expect("recorded");
    assert_eq!(own[0].headers["authorization"], format!("Bearer {KEY}"));
    let foreign = elsewhere.received_requests().await.expect("recorded");
    assert!(!foreign[0].headers.contains_key("authorization"));
}

/// The transport should not follow redirects, and may.
#[tokio::test]
async fn no_file_is_taken_from_plain_http_that_a_transport_was_redirected_to() {
    for (from, is_taken) in [
        ("http://files.example/file", false),
        ("https://files.example/file", true),
    ] {
        let client = builder("https://api.example")
            .transport(move |_| {
                let response = http::Response::builder().url(from.parse().expect("a URL"));
                let response = response.body("content").expect("a response");
                std::future::ready(Ok(response.into()))
            })
            .build()
            .expect("a client");
        let url = "https://api.example/file".parse().expect("a URL");
        let file = client.download(&url, http::HeaderMap::new()).await;
        assert_eq!(file.is_ok(), is_taken, "{from}");
        if let Err(error) = file {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        }
    }
}
