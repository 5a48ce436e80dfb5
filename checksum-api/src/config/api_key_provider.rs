//! Where a client gets its API key from: a fixed key, or one that rotates.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;

use super::api_key::ApiKey;

/// Provides the API key of a client, for keys that rotate while the program runs.
///
/// An [`ApiKey`] is a provider whose key never changes. A function that returns a future of a key is
/// one too:
///
/// ```
/// use checksum_api::{ApiKey, Client, ParseApiKeyError};
/// # async fn read_secret() -> String { "my-key".to_owned() }
///
/// let provider = || async { ApiKey::new(read_secret().await) };
/// let client = Client::builder(provider).build()?;
/// # Ok::<(), checksum_api::BuildError>(())
/// ```
///
/// The client calls the provider before its first request and keeps the key. After a response of 401
/// it calls it again, and if it gets another key, it repeats the request once. At most one call of the
/// provider is in flight, and it may take no longer than the request timeout of the client.
pub trait ApiKeyProvider: Send + Sync + 'static {
    /// Returns the key that is valid now.
    fn api_key(&self) -> ApiKeyFuture;

    /// Returns the key if it never changes; then [`api_key`](Self::api_key) is never called. The
    /// default is `None`.
    fn fixed(&self) -> Option<ApiKey> {
        None
    }
}

/// The future that [`ApiKeyProvider::api_key`] returns.
pub type ApiKeyFuture =
    Pin<Box<dyn Future<Output = Result<ApiKey, Box<dyn StdError + Send + Sync>>> + Send>>;

impl ApiKeyProvider for ApiKey {
    fn api_key(&self) -> ApiKeyFuture {
        Box::pin(std::future::ready(Ok(self.clone())))
    }

    fn fixed(&self) -> Option<ApiKey> {
        Some(self.clone())
    }
}

impl<F, Key, E> ApiKeyProvider for F
where
    F: Fn() -> Key + Send + Sync + 'static,
    Key: Future<Output = Result<ApiKey, E>> + Send + 'static,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn api_key(&self) -> ApiKeyFuture {
        let key = self();
        Box::pin(async move { key.await.map_err(Into::into) })
    }
}

impl<P: ApiKeyProvider + ?Sized> ApiKeyProvider for Arc<P> {
    fn api_key(&self) -> ApiKeyFuture {
        (**self).api_key()
    }

    fn fixed(&self) -> Option<ApiKey> {
        (**self).fixed()
    }
}
