//! Makes a client of its own before and after it makes one of ours.

#[path = "../../requests.rs"]
mod requests;

use requests::{by_ours, by_own_client, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let origin = serve();
    by_own_client(&origin).await;
    by_ours(&origin).await;
    by_own_client(&origin).await;
}
