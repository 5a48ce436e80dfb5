use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::Client;

/// One answer of the service as it came, before anything of it is decoded or mended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RawResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: of a success the whole, of anything else its first 64 KiB.
    pub body: Bytes,
}

/// What looks at answers on their way.
pub(crate) type Tap = Arc<dyn Fn(&RawResponse) + Send + Sync>;

impl Client {
    /// A client that shows each answer to `tap` before it decodes it.
    ///
    /// The generated types mend what they can and leave out what they cannot hold; this is how to
    /// see what the service really said, with the same key, base URL and limits. An answer that
    /// breaks off or is too large is not shown.
    ///
    /// ```
    /// # async fn example(client: checksum_api::Client) -> Result<(), checksum_api::Error> {
    /// let tapped = client.inspect_responses(|answer| println!("{} bytes", answer.body.len()));
    /// let project = tapped.get_project().execute().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn inspect_responses(&self, tap: impl Fn(&RawResponse) + Send + Sync + 'static) -> Self {
        let mut client = self.clone();
        client.inner.tap = Some(Arc::new(tap));
        client
    }
}
