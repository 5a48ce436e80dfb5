//! The client, and the settings that its calls share.

mod body;
pub(crate) mod builder;
mod exchange;
mod execute;
pub(crate) mod request;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::call_state::CallState;
use crate::config::base_url::BaseUrl;
use crate::config::current_key::CurrentKey;
use crate::redaction::Redactor;
use crate::response::{Inspector, RawResponse};
use crate::telemetry::TraceContext;
use crate::transport::Transport;

/// The client of the API, with a method for each operation. Cheap to clone.
///
/// [`Client::builder`] creates one. Each method returns a builder, which takes the operation's
/// parameters and body. Its `execute()` sends the request and returns the decoded body;
/// `execute_with_response()` returns the response as it came as well.
///
/// ```
/// # async fn example(client: checksum_api::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use checksum_api::types::JobName;
///
/// let status = client.get_run_status().job_name(JobName::new("job-name")?).execute().await?;
/// let (project, response) = client.get_project().execute_with_response().await?;
/// println!("{}: {} ({:?})", project.name, status.status, response.request_id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    // The generated code builds requests with the first two, under these names.
    pub(crate) baseurl: BaseUrl,
    pub(crate) client: reqwest::Client,
    pub(crate) key: Arc<CurrentKey>,
    pub(crate) request_timeout: Duration,
    pub(crate) max_response_bytes: usize,
    pub(crate) transport: Arc<dyn Transport>,
    /// Fields to add to every JSON body.
    pub(crate) extra_fields: Arc<Map<String, Value>>,
    pub(crate) inspector: Option<Inspector>,
    pub(crate) trace_context: Option<TraceContext>,
}

impl Client {
    /// Returns the address of the API.
    pub fn base_url(&self) -> &BaseUrl {
        &self.baseurl
    }

    /// Returns whether the API key never changes. A key from an
    /// [`ApiKeyProvider`](crate::ApiKeyProvider) may change.
    pub fn has_fixed_api_key(&self) -> bool {
        self.key.fixed().is_some()
    }

    /// Returns how long one request may take, from connecting to the last byte of the response.
    pub fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// Returns a client whose requests may take no longer than `timeout`, from connecting to the
    /// last byte of the response.
    #[must_use]
    pub fn with_request_timeout(&self, timeout: Duration) -> Self {
        Self {
            request_timeout: timeout,
            ..self.clone()
        }
    }

    /// Returns a client that adds `fields` to each request that has a JSON body.
    ///
    /// Use it for fields that the API has and the document does not. Objects are merged:
    /// `{"autoHeal": {"metadata": {…}}}` adds to the `autoHeal` that the request has.
    ///
    /// ```
    /// # async fn example(client: checksum_api::Client) -> Result<(), checksum_api::Error> {
    /// let fields = serde_json::json!({ "shardCount": 8 });
    /// let sharding = client.with_extra_fields(fields.as_object().cloned().unwrap_or_default());
    /// let run = sharding.run_suite().execute().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_extra_fields(&self, fields: Map<String, Value>) -> Self {
        Self {
            extra_fields: Arc::new(fields),
            ..self.clone()
        }
    }

    /// Returns a client that calls `inspect` with each response before it decodes the response, for
    /// example to record what the service sent. `inspect` is not called for a response that is
    /// incomplete or too large.
    ///
    /// `execute_with_response()` returns the response of a single request.
    ///
    /// ```
    /// # async fn example(client: checksum_api::Client) -> Result<(), checksum_api::Error> {
    /// let inspected = client.inspect_responses(|response| println!("{} bytes", response.body.len()));
    /// let project = inspected.get_project().execute().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn inspect_responses(
        &self,
        inspect: impl Fn(&RawResponse) + Send + Sync + 'static,
    ) -> Self {
        Self {
            inspector: Some(Arc::new(inspect)),
            ..self.clone()
        }
    }

    /// Returns `text` with the API key replaced by `***`. Use it before you print a response body, since
    /// a service may repeat the key. Errors are redacted already.
    ///
    /// ```
    /// # use checksum_api::{ApiKey, Client};
    /// let client = Client::builder(ApiKey::new("my-key")?).build()?;
    /// assert_eq!(client.redact("Authorization: Bearer my-key"), "Authorization: Bearer ***");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.key.redact(text)
    }

    /// Returns a redactor of the API key and of the secrets of a call.
    pub(crate) fn redactor(&self, call: &CallState) -> Redactor {
        let mut redactor = self.key.redactor();
        redactor.add_all(&call.secrets);
        redactor
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("base_url", &self.baseurl)
            .field("request_timeout", &self.request_timeout)
            .field("max_response_bytes", &self.max_response_bytes)
            .finish_non_exhaustive()
    }
}
