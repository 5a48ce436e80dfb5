//! One call, from the request to the decoded response or the error.

use reqwest::Request;
use tokio::time::timeout;
use tracing::Instrument;

use super::Client;
use super::exchange::{address_as_json, exchange};
use super::request::{RequestError, prepare};
use crate::call_state::CallState;
use crate::config::api_key::ApiKey;
use crate::decode::{Arriving, Decoder};
use crate::error::failure::Failure;
use crate::error::{Error, ErrorKind};
use crate::operation::OperationId;
use crate::response::RawResponse;
use crate::telemetry::{add_trace_context, record_failure, record_response, request_span};

impl Client {
    /// Sends the request of an operation, and decodes the response.
    pub(crate) async fn execute<T>(
        &self,
        operation: OperationId,
        request: Result<Request, RequestError>,
        decoder: impl Decoder<T>,
    ) -> Result<(T, RawResponse), Error> {
        let mut call = CallState {
            operation: Some(operation.operation()),
            ..CallState::default()
        };
        let failure = match request {
            Err(error) => error.into(),
            Ok(mut request) => {
                let executed = self.try_execute(&mut call, operation, &mut request, decoder);
                match executed.await {
                    Ok(decoded) => return Ok(decoded),
                    Err(failure) => {
                        request.url().path().clone_into(&mut call.path);
                        failure
                    }
                }
            }
        };
        let secrets = self.redactor(&call);
        Err(Error::new(failure, call, &secrets))
    }

    async fn try_execute<T>(
        &self,
        call: &mut CallState,
        id: OperationId,
        request: &mut Request,
        mut decoder: impl Decoder<T>,
    ) -> Result<(T, RawResponse), Failure> {
        prepare(self, id.operation(), request, call)?;
        let key = self.api_key(call).await?;
        let mut response = self
            .attempt(call, id, request, &key, decoder.arriving())
            .await?;
        // 401 means that the service has not acted on the request.
        if response.status == http::StatusCode::UNAUTHORIZED
            && !call.may_have_taken_effect
            && let Some(key) = self.key_after(&key).await
        {
            response = self
                .attempt(call, id, request, &key, decoder.arriving())
                .await?;
        }
        let RawResponse {
            status, ref body, ..
        } = response;
        let decoded = match status.is_success() {
            false => Err(Failure::from_response(
                status,
                body,
                call,
                &self.redactor(call),
            )),
            true => {
                let json = match id.operation().redirects {
                    true => address_as_json(body.clone()),
                    false => body.clone(),
                };
                decoder.finish(&json).map_err(|error| {
                    Failure::from_decoding(error, &json, call, &self.redactor(call))
                })
            }
        };
        match decoded {
            Ok(decoded) => Ok((decoded, response)),
            Err(failure) => {
                call.response = Some(response);
                Err(failure)
            }
        }
    }

    /// Sends a request with `key`, and reads the response.
    async fn attempt(
        &self,
        call: &mut CallState,
        id: OperationId,
        request: &mut Request,
        key: &ApiKey,
        arriving: Option<&mut dyn Arriving>,
    ) -> Result<RawResponse, Failure> {
        request
            .headers_mut()
            .insert(http::header::AUTHORIZATION, key.header());
        let operation = id.operation();
        let span = request_span(request, operation);
        if let Some(trace) = &self.trace_context {
            add_trace_context(trace, &span, request.headers_mut());
        }
        let limit = self.request_timeout;
        // The request timeout is enforced here, so that the error is the same for every transport.
        let exchanged = timeout(limit, exchange(self, call, operation, request, arriving));
        match exchanged.instrument(span.clone()).await {
            Ok(Ok(response)) => {
                record_response(&span, response.status);
                Ok(response)
            }
            Ok(Err(error)) => {
                record_failure(&span, error.error_type());
                Err(error.into_failure(&self.redactor(call)))
            }
            Err(_) => {
                record_failure(&span, "timeout");
                Err(Failure::timeout(limit))
            }
        }
    }

    /// Returns the key to send.
    pub(crate) async fn api_key(&self, call: &CallState) -> Result<ApiKey, Failure> {
        if let Some(key) = self.key.fixed() {
            return Ok(key.clone());
        }
        match timeout(self.request_timeout, self.key.get(None)).await {
            Ok(Ok(key)) => Ok(key),
            Ok(Err(error)) => Err(Failure::no_api_key(error, &self.redactor(call))),
            Err(_) => {
                let limit = self.request_timeout;
                let message = format!("no API key from its provider within {limit:?}");
                Err(Failure::new(ErrorKind::NoApiKey, message))
            }
        }
    }

    /// Returns the key for repeating a request whose key the service has rejected; `None` if the
    /// provider has no other key.
    pub(crate) async fn key_after(&self, rejected: &ApiKey) -> Option<ApiKey> {
        match timeout(self.request_timeout, self.key.get(Some(rejected))).await {
            Ok(Ok(key)) => (!key.is(rejected)).then_some(key),
            Ok(Err(error)) => {
                let error = error.to_string();
                let error = self.redact(&error);
                tracing::warn!(target: crate::telemetry::TARGET, %error, "the API key provider failed");
                None
            }
            Err(_) => {
                tracing::warn!(target: crate::telemetry::TARGET, "the API key provider timed out");
                None
            }
        }
    }
}
