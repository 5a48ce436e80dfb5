//! Starts a run and waits for it, with reqwest alone.

use std::env;
use std::time::Duration;

use reqwest::{Client, Error, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Started {
    name: String,
}

#[derive(Deserialize)]
struct Status {
    status: String,
    passed: Option<u64>,
    failed: Option<u64>,
}

async fn call<T: DeserializeOwned>(
    client: &Client,
    method: Method,
    path: &str,
) -> Result<T, Error> {
    let key = env::var("CHECKSUM_API_KEY").unwrap_or_default();
    let url = format!("https://api.checksum.ai/public-api/v1/execution/{path}");
    let request = client.request(method, url).bearer_auth(key);
    request.send().await?.error_for_status()?.json().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::builder().timeout(Duration::from_secs(30)).build()?;
    let run: Started = call(&client, Method::POST, "suite").await?;
    loop {
        let path = format!("status/{}", run.name);
        let status: Status = call(&client, Method::GET, &path).await?;
        if !["queued", "running"].contains(&status.status.as_str()) {
            println!("{}: {:?} {:?}", status.status, status.passed, status.failed);
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}
