use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use reqwest::{Request, Response};
use tokio::time::timeout;
use tracing::Instrument;
use url::Url;

use crate::error::Failure;
use crate::exchange::Seen;
use crate::redirect::MAX_REDIRECTS;
use crate::spans;
use crate::{Client, Error, ErrorKind};

/// How long a whole file may take. What ends a transfer that hangs is the request time-out, which
/// holds for each part of it.
const MAX_TRANSFER: Duration = Duration::from_secs(24 * 60 * 60);

/// How much of an error response is read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

impl Client {
    /// Gets a file that an answer points to: a report, a trace, a video. It may be anywhere.
    ///
    /// The key goes along where the file is of the configured origin, and to no other: a redirect
    /// away from there goes on without it, and does not get it back. Plain http is refused, unless
    /// it is that of the configured origin or of this machine. The body is not bounded; the
    /// request time-out holds for the response's head and for each part of its body.
    ///
    /// ```no_run
    /// # async fn example(client: checksum_api::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let address = "https://files.example/trace.zip".parse()?;
    /// let mut file = client.get_file(&address, http::HeaderMap::new()).await?;
    /// while let Some(part) = file.chunk().await? {
    ///     println!("{} bytes", part.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// No success was answered. A 416 is an error of [`status`](Error::status) 416.
    pub async fn get_file(&self, url: &Url, headers: HeaderMap) -> Result<FileResponse, Error> {
        let base_url = &self.inner.base_url;
        let mut url = url.clone();
        let mut takes_key = true;
        for _ in 0..=MAX_REDIRECTS {
            takes_key &= base_url.is_same_origin(&url);
            if !base_url.may_be_fetched(&url) {
                let failure = Failure::new(
                    ErrorKind::InvalidRequest,
                    "refusing to get a file over anything but https",
                );
                return Err(self.file_error(failure, &url, self.seen()));
            }
            let response = self.send_for_file(&url, &headers, takes_key).await?;
            let status = response.status();
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
                None => return Err(self.refusal(&url, response).await),
            }
        }
        let failure = Failure::new(ErrorKind::Redirect, "redirected too often");
        Err(self.file_error(failure, &url, self.seen()))
    }

    async fn send_for_file(
        &self,
        url: &Url,
        headers: &HeaderMap,
        takes_key: bool,
    ) -> Result<Response, Error> {
        let connection = &self.inner;
        let mut request = Request::new(Method::GET, url.clone());
        *request.headers_mut() = headers.clone();
        request.headers_mut().remove(AUTHORIZATION);
        *request.timeout_mut() = Some(MAX_TRANSFER);
        if takes_key {
            let key = connection.api_key.header().map_err(|error| {
                let failure = Failure::new(ErrorKind::InvalidRequest, error.to_string());
                self.file_error(failure, url, self.seen())
            })?;
            request.headers_mut().insert(AUTHORIZATION, key);
        }
        if let Err(error) = connection.client_for(url) {
            let failure = Failure::no_client(url, &error);
            return Err(self.file_error(failure, url, self.seen()));
        }
        let span = spans::of_file(url);
        let sending = async {
            let outcome = connection.send(request).await;
            spans::end(&span, &outcome);
            outcome
        };
        let sent = Seen {
            sent: true,
            ..self.seen()
        };
        match timeout(connection.request_timeout, sending.instrument(span.clone())).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.file_error(Failure::network(error, &sent), url, sent)),
            Err(_) => {
                spans::no_answer(&span, "timeout");
                let failure = Failure::timeout(connection.request_timeout);
                Err(self.file_error(failure, url, sent))
            }
        }
    }

    /// What an answer that is no success says.
    async fn refusal(&self, url: &Url, mut response: Response) -> Error {
        let seen = Seen {
            sent: true,
            status: Some(response.status()),
            headers: response.headers().clone(),
            ..self.seen()
        };
        let mut body = Vec::new();
        while let Ok(Ok(Some(part))) = timeout(self.inner.request_timeout, response.chunk()).await {
            body.extend_from_slice(&part);
            if body.len() > MAX_ERROR_BYTES {
                break;
            }
        }
        let failure = Failure::answer(response.status(), &body, &seen);
        self.file_error(failure, url, seen)
    }

    fn file_error(&self, failure: Failure, url: &Url, seen: Seen) -> Error {
        Error::new(failure.at(url, &seen), seen)
    }

    /// Nothing yet.
    fn seen(&self) -> Seen {
        Seen {
            secrets: self.inner.api_key.secrets(),
            ..Seen::default()
        }
    }
}

/// A file on its way, from [`Client::get_file`].
pub struct FileResponse {
    client: Client,
    url: Url,
    response: Response,
}

impl FileResponse {
    /// The status: 200, or 206 for a part that was asked for by a `Range`.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The response's headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    ///
    /// The connection broke, or was silent for longer than the request time-out.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let patience = self.client.inner.request_timeout;
        let failure = match timeout(patience, self.response.chunk()).await {
            Ok(Ok(chunk)) => return Ok(chunk),
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let seen = Seen {
            sent: true,
            status: Some(self.response.status()),
            headers: self.response.headers().clone(),
            ..self.client.seen()
        };
        let failure = match failure {
            Some(error) => Failure::network(error, &seen),
            None => Failure::timeout(patience),
        };
        Err(self.client.file_error(failure, &self.url, seen))
    }
}

impl fmt::Debug for FileResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the address nor the headers: both may hold what grants access.
        formatter
            .debug_struct("FileResponse")
            .field("status", &self.response.status())
            .finish_non_exhaustive()
    }
}
