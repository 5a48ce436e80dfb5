//! Downloads of a report, from servers of the tests.

mod origins;
mod places;
mod transfers;

use checksum_api_ext::{Checksum, DownloadedFile, Error, HtmlReport};
use serde_json::json;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::KEY;
use crate::attachments::names_in;

/// A server whose report is at that address.
pub(super) async fn server_with_report(address: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/public-api/v1/test-runs/run-id/report"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "url": address })))
        .mount(&server)
        .await;
    server
}

pub(super) async fn report_of(checksum: &Checksum) -> HtmlReport {
    let run = checksum.test_run("run-id".parse().expect("an id"));
    run.report().await.expect("a report")
}

/// Downloads the report. Returns the outcome, and the files that are then in the directory.
pub(super) async fn download(
    report: &HtmlReport,
) -> (Result<DownloadedFile, Error>, Vec<(String, String)>) {
    let directory = tempfile::tempdir().expect("a directory");
    let outcome = report.download(directory.path().join("report.html")).await;
    let read = |name: String| {
        let text = std::fs::read_to_string(directory.path().join(&name)).expect("a file");
        (name, text)
    };
    (
        outcome,
        names_in(directory.path()).into_iter().map(read).collect(),
    )
}

pub(super) fn written(text: &str) -> Vec<(String, String)> {
    vec![("report.html".to_owned(), text.to_owned())]
}

/// The `Authorization` of the requests to a path.
pub(super) async fn keys_at(server: &MockServer, at: &str) -> Vec<Option<String>> {
    let requests = server.received_requests().await.expect("recorded");
    let to_path = requests.iter().filter(|request| request.url.path() == at);
    to_path
        .map(|request| {
            let key = request.headers.get("authorization")?;
            Some(key.to_str().expect("text").to_owned())
        })
        .collect()
}

pub(super) async fn page(server: &MockServer, at: &str, response: ResponseTemplate) {
    Mock::given(path(at))
        .respond_with(response)
        .mount(server)
        .await;
}

pub(super) fn redirect_to(target: &str) -> ResponseTemplate {
    ResponseTemplate::new(302).insert_header("location", target)
}

pub(super) fn with_key() -> Vec<Option<String>> {
    vec![Some(format!("Bearer {KEY}"))]
}
