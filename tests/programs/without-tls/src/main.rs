//! Has no TLS: plain http works, and https is an error that says which feature is missing.

#[path = "../../requests.rs"]
mod requests;

use requests::{by_ours, by_own_client, checksum, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let origin = serve();
    by_own_client(&origin).await;
    by_ours(&origin).await;
    by_own_client(&origin).await;

    let checksum = checksum("https://localhost:1").expect("a client");
    let error = checksum.run_suite().start().await.expect_err("no TLS");
    assert_eq!(error.started(), checksum_api_ext::Started::No, "{error}");
    assert!(
        error.to_string().contains("was compiled without TLS"),
        "{error}"
    );
}
