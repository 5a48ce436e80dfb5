//! Downloads files that responses point to, from the service or from anywhere else.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use reqwest::{Request, Response};
use tokio::time::timeout;
use tracing::Instrument;
use url::Url;

use crate::call_state::CallState;
use crate::client::Client;
use crate::config::api_key::ApiKey;
use crate::error::failure::Failure;
use crate::error::{Error, ErrorKind};
use crate::network::redirect::{MAX_REDIRECTS, is_elsewhere};
use crate::response::{MAX_ERROR_BYTES, RawResponse};
use crate::telemetry::{add_trace_context, download_span, record_failure, record_response};
use crate::transport::TransportError;

/// The time limit of a whole download. A transfer that hangs ends sooner, by the request timeout,
/// which applies to each part of the body.
const MAX_TRANSFER: Duration = Duration::from_secs(24 * 60 * 60);

impl Client {
    /// Downloads a file that a response points to, such as a report, a trace or a video.
    ///
    /// The file may be on any host. The API key is sent to the origin of the base URL only; after a
    /// redirect to another origin it is no longer sent. Plain http is an error, except to the
    /// origin of the base URL and to this machine. The size is not limited. The request timeout
    /// limits the wait for the head of the response and for each part of its body.
    ///
    /// ```no_run
    /// # async fn example(client: checksum_api::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let url = "https://files.example/trace.zip".parse()?;
    /// let mut file = client.download(&url, http::HeaderMap::new()).await?;
    /// while let Some(part) = file.chunk().await? {
    ///     println!("{} bytes", part.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// No response came, or its status code is not a success. So 416, for a range that the file
    /// does not have, is an error whose [`status`](Error::status) is 416.
    pub async fn download(&self, url: &Url, headers: HeaderMap) -> Result<FileResponse, Error> {
        let mut url = url.clone();
        let mut send_api_key = true;
        for _ in 0..=MAX_REDIRECTS {
            send_api_key &= self.base_url().is_same_origin(&url);
            if !self.base_url().allows_download_from(&url) {
                return Err(self.only_over_https(&url));
            }
            let sent = match send_api_key {
                true => self.get_with_key(&url, &headers).await,
                false => self.get(&url, &headers, None).await,
            };
            let response = sent.map_err(|failure| self.download_error(failure, &url, None))?;
            let status = response.status();
            // The transport has followed a redirect by itself.
            if is_elsewhere(&url, response.url())
                && !self.base_url().allows_download_from(response.url())
            {
                return Err(self.only_over_https(response.url()));
            }
            if status.is_success() {
                return Ok(FileResponse {
                    url: response.url().clone(),
                    client: self.clone(),
                    response,
                });
            }
            let target = (status.is_redirection() && status != StatusCode::NOT_MODIFIED)
                .then(|| response.headers().get(LOCATION)?.to_str().ok())
                .flatten()
                .and_then(|target| response.url().join(target).ok());
            match target {
                Some(target) => url = target,
                None => return Err(self.error_response(&url, response).await),
            }
        }
        let failure = Failure::new(ErrorKind::Redirect, "redirected too often");
        Err(self.download_error(failure, &url, None))
    }

    fn only_over_https(&self, url: &Url) -> Error {
        let message = "files are only downloaded over https";
        let failure = Failure::new(ErrorKind::InvalidRequest, message);
        self.download_error(failure, url, None)
    }

    /// Sends one request with the API key, and once more if the key has rotated.
    async fn get_with_key(&self, url: &Url, headers: &HeaderMap) -> Result<Response, Failure> {
        let key = self.api_key(&CallState::default()).await?;
        let response = self.get(url, headers, Some(&key)).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match self.key_after(&key).await {
            Some(key) => self.get(url, headers, Some(&key)).await,
            None => Ok(response),
        }
    }

    async fn get(
        &self,
        url: &Url,
        headers: &HeaderMap,
        key: Option<&ApiKey>,
    ) -> Result<Response, Failure> {
        let mut request = Request::new(Method::GET, url.clone());
        *request.headers_mut() = headers.clone();
        request.headers_mut().remove(AUTHORIZATION);
        *request.timeout_mut() = Some(MAX_TRANSFER);
        let span = download_span(url);
        // Only requests to the origin of the base URL have a key.
        if let Some(key) = key {
            request.headers_mut().insert(AUTHORIZATION, key.header());
            if let Some(trace) = &self.trace_context {
                add_trace_context(trace, &span, request.headers_mut());
            }
        }
        let sending = timeout(self.request_timeout(), self.transport.send(request));
        match sending.instrument(span.clone()).await {
            Ok(Ok(response)) => {
                record_response(&span, response.status());
                Ok(response)
            }
            Ok(Err(error)) => {
                record_failure(&span, error.error_type());
                let secrets = self.redactor(&CallState::default());
                Err(Failure::from_transport(error, &secrets))
            }
            Err(_) => {
                record_failure(&span, "timeout");
                Err(Failure::timeout(self.request_timeout()))
            }
        }
    }

    /// Reads a response whose status code is not a success.
    async fn error_response(&self, url: &Url, mut response: Response) -> Error {
        let mut head = head(&response);
        let mut body = Vec::new();
        while let Ok(Ok(Some(part))) = timeout(self.request_timeout(), response.chunk()).await {
            body.extend_from_slice(&part);
            if body.len() > MAX_ERROR_BYTES {
                break;
            }
        }
        let call = CallState::default();
        let failure = Failure::from_response(head.status, &body, &call, &self.redactor(&call));
        head.body = body.into();
        self.download_error(failure, url, Some(head))
    }

    fn download_error(&self, failure: Failure, url: &Url, response: Option<RawResponse>) -> Error {
        let call = CallState {
            response,
            ..CallState::default()
        };
        let secrets = self.redactor(&call);
        Error::new(failure.with_url(url, &secrets), call, &secrets)
    }
}

fn head(response: &Response) -> RawResponse {
    RawResponse {
        status: response.status(),
        headers: response.headers().clone(),
        body: Bytes::new(),
    }
}

/// A file that is being downloaded. Returned by [`Client::download`].
pub struct FileResponse {
    client: Client,
    url: Url,
    response: Response,
}

impl FileResponse {
    /// Returns the status code: 200, or 206 if a part was requested with `Range`.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the response's headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns the next bytes; `None` at the end.
    ///
    /// # Errors
    ///
    /// The connection was lost, or no bytes arrived for longer than the request timeout.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let limit = self.client.request_timeout();
        let failure = match timeout(limit, self.response.chunk()).await {
            Ok(Ok(chunk)) => return Ok(chunk),
            Ok(Err(error)) => {
                let error = TransportError::connection_lost(error.without_url());
                let secrets = self.client.redactor(&CallState::default());
                Failure::from_transport(error, &secrets)
            }
            Err(_) => Failure::timeout(limit),
        };
        let head = head(&self.response);
        Err(self.client.download_error(failure, &self.url, Some(head)))
    }
}

impl fmt::Debug for FileResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the URL and the headers, which may contain access tokens.
        formatter
            .debug_struct("FileResponse")
            .field("status", &self.response.status())
            .finish_non_exhaustive()
    }
}
