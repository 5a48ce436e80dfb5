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
    pub(crate) async fn run<T: DeserializeOwned>(
        &self,
        sending: impl Future<Output = Result<ResponseValue<T>, GeneratedError<ByteStream>>>,
    ) -> Result<T, Error> {
        let exchange = Exchange::new(self.inner.api_key.secrets());
        let limit = self.inner.request_timeout;
        // The only time limit of a response, so that one message tells of it whatever the transport.
        let sent = exchange.scope(tokio::time::timeout(limit, sending)).await;
        let failure = match sent {
            Ok(Ok(response)) => return Ok(response.into_inner()),
            Ok(Err(error)) => match Failure::of(error, &exchange.seen()).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            },
            Err(_) => {
                if let Some(span) = exchange.seen().span {
                    spans::no_answer(&span, "timeout");
                }
                Failure::timeout(limit)
            }
        };
        Err(Error::new(failure, exchange.seen()))
    }
}
