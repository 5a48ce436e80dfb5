use std::time::Duration;

use checksum_api::{ByteStream, Client, ResponseValue};
use serde::de::DeserializeOwned;

use crate::members::Members;
use crate::{Error, RetryPolicy, TARGET};

/// The error of a generated call, which [`Client::call`] turns into [`checksum_api::Error`].
type Sent<T> = Result<ResponseValue<T>, checksum_api::GeneratedError<ByteStream>>;

/// Whether a failed read is sent again.
#[derive(Clone, Copy, Debug)]
pub enum Effort {
    /// A poller decides what follows.
    Once,
    /// As the [`RetryPolicy`] says.
    Persistent,
}

/// Sends requests, and again where that is safe.
#[derive(Clone, Debug)]
pub struct Caller {
    client: Client,
    pub(crate) retry: RetryPolicy,
}

impl Caller {
    pub(crate) fn new(client: Client, retry: RetryPolicy) -> Self {
        Self { client, retry }
    }

    pub(crate) fn api(&self) -> &Client {
        &self.client
    }

    /// A caller whose requests carry members that the document does not know.
    pub(crate) fn with_members(&self, members: Members) -> Self {
        Self {
            client: self.client.with_members(members.0),
            retry: self.retry,
        }
    }

    /// A request that may be repeated.
    pub(crate) async fn read<T, Send, Sending>(
        &self,
        effort: Effort,
        send: Send,
    ) -> Result<T, Error>
    where
        T: DeserializeOwned,
        Send: Fn(Client) -> Sending,
        Sending: Future<Output = Sent<T>>,
    {
        let may_repeat = |error: &checksum_api::Error| match effort {
            Effort::Once => false,
            Effort::Persistent => error.is_transient(),
        };
        Ok(self.repeat(send, may_repeat).await?)
    }

    /// A request that starts work: repeated only where the service cannot have acted on it.
    pub(crate) async fn dispatch<T, Body, Send, Sending>(
        &self,
        body: Body,
        send: Send,
    ) -> Result<T, Error>
    where
        T: DeserializeOwned,
        Body: Clone,
        Send: Fn(Client, Body) -> Sending,
        Sending: Future<Output = Sent<T>>,
    {
        let send = |client| send(client, body.clone());
        let is_safe = |error: &checksum_api::Error| error.is_transient() && !error.may_have_acted();
        self.repeat(send, is_safe).await.map_err(Error::dispatch)
    }

    async fn repeat<T, Send, Sending>(
        &self,
        send: Send,
        may_repeat: impl Fn(&checksum_api::Error) -> bool,
    ) -> Result<T, checksum_api::Error>
    where
        T: DeserializeOwned,
        Send: Fn(Client) -> Sending,
        Sending: Future<Output = Sent<T>>,
    {
        let mut paused = Duration::ZERO;
        let mut attempts = 0;
        loop {
            let error = match self.client.call(&send).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            attempts += 1;
            let pause = self.retry.next(attempts, paused, error.retry_after());
            match pause.filter(|_| may_repeat(&error)) {
                None => return Err(error),
                Some(pause) => {
                    tracing::debug!(target: TARGET, %error, attempts, ?pause, "trying again");
                    tokio::time::sleep(pause).await;
                    paused += pause;
                }
            }
        }
    }
}
