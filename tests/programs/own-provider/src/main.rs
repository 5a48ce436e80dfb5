//! Installs a provider of TLS. Before it has, our client is an error and not a panic.

#[path = "../../requests.rs"]
mod requests;

use requests::{by_ours, by_own_client, checksum, serve};
use rustls::crypto::{CryptoProvider, ring};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let origin = serve();
    let error = checksum(&origin).expect_err("no provider");
    assert!(
        error.to_string().contains("no TLS provider is installed"),
        "{error}"
    );
    assert!(CryptoProvider::get_default().is_none(), "we install none");

    ring::default_provider()
        .install_default()
        .expect("the first");
    by_own_client(&origin).await;
    by_ours(&origin).await;
    by_own_client(&origin).await;
}
