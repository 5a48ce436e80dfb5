//! The client against servers that respond with what a test needs.

mod downloads;
mod key_rotation;
mod network;
mod operations;
mod redirects;
mod requests;
mod responses;
mod transports;
mod unusual_responses;

use std::time::Duration;

use checksum_api::types::{JobName, RunStatus};
use checksum_api::{ApiKey, Client, ClientBuilder, Error};
use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const KEY: &str = "key-that-must-not-show";

fn builder(origin: &str) -> ClientBuilder {
    Client::builder(ApiKey::new(KEY).expect("a key")).base_url(origin.parse().expect("a URL"))
}

/// Starts a server with one response for everything, and makes a client for it.
async fn server(response: ResponseTemplate) -> (MockServer, Client) {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let client = builder(&server.uri())
        .request_timeout(Duration::from_secs(20))
        .build()
        .expect("a client");
    (server, client)
}

fn json(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn job() -> JobName {
    JobName::new("job-name-12345").expect("a job name")
}

async fn status_of(client: &Client) -> Result<RunStatus, Error> {
    client.get_run_status().job_name(job()).execute().await
}
