use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::error::Failure;
use crate::exchange::Exchange;
use crate::generated::Error as GeneratedError;
use crate::spans;
use crate::{ByteStream, Client, Error, ResponseValue};

impl Client {
    /// Returns how long one request may take.
    pub fn request_timeout(&self) -> Duration {
        self.inner.request_timeout
    }

    /// Returns a client whose requests may take no longer than `timeout`, from connecting to the
    /// last byte of the response.
    #[must_use]
    pub fn with_request_timeout(&self, timeout: Duration) -> Self {
        let mut client = self.clone();
        client.inner.request_timeout = timeout;
        client
    }

    /// Runs one generated call, with everything that can go wrong as one [`Error`].
    ///
    /// The closure gets a client of its own, so that the status and headers of its response are
    /// known however the call ends. A response whose optional members have unexpected types is
    /// decoded without those members; only what the type cannot do without is an error.
    ///
    /// ```
    /// # async fn example(client: checksum_api::Client) -> Result<(), checksum_api::Error> {
    /// let project = client.call(|client| async move { client.get_project().send().await }).await?;
    /// println!("{}", project.name);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request was invalid, no usable answer came, or the service refused.
    pub async fn call<T, Send, Sending>(&self, send: Send) -> Result<T, Error>
    where
        T: DeserializeOwned,
        Send: FnOnce(Client) -> Sending,
        Sending: Future<Output = Result<ResponseValue<T>, GeneratedError<ByteStream>>>,
    {
        let mut client = self.clone();
        let exchange = Exchange::new(self.inner.api_key.secrets());
        client.inner.exchange = exchange.clone();
        // The only time limit of an answer, so that one message tells of it whatever the transport.
        let failure = match tokio::time::timeout(self.inner.request_timeout, send(client)).await {
            Ok(Ok(response)) => return Ok(response.into_inner()),
            Ok(Err(error)) => match Failure::of(error, &exchange.seen()).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            },
            Err(_) => {
                if let Some(span) = exchange.seen().span {
                    spans::no_answer(&span, "timeout");
                }
                Failure::timeout(self.inner.request_timeout)
            }
        };
        Err(Error::new(failure, exchange.seen()))
    }
}
