//! What `tracing` is told of requests, in OpenTelemetry's words for HTTP clients.

use reqwest::{Request, Response};
use tracing::Span;
use tracing::field::Empty;
use url::Url;

use crate::Operation;

/// The target of all of it, which no move of code between modules changes.
pub(crate) const TARGET: &str = "checksum_api";

/// A request of an operation.
pub(crate) fn of_operation(request: &Request, operation_id: &'static str) -> Span {
    let url = request.url();
    tracing::debug_span!(
        target: TARGET,
        "checksum.request",
        otel.kind = "client",
        otel.name = operation_id,
        http.request.method = request.method().as_str(),
        url.template = Operation::find(operation_id).map(|operation| operation.path),
        url.full = url.as_str(),
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        http.response.status_code = Empty,
        http.response.body.size = Empty,
        "error.type" = Empty,
    )
}

/// A request of a file. Its query often is what grants access.
pub(crate) fn of_file(url: &Url) -> Span {
    let mut shown = url.clone();
    if url.query().is_some() {
        shown.set_query(Some("REDACTED"));
    }
    tracing::debug_span!(
        target: TARGET,
        "checksum.file",
        otel.kind = "client",
        otel.name = "GET",
        http.request.method = "GET",
        url.full = shown.as_str(),
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        http.response.status_code = Empty,
        "error.type" = Empty,
    )
}

/// Says what a request has come to.
pub(crate) fn end(span: &Span, outcome: &reqwest::Result<Response>) {
    match outcome {
        Ok(response) => {
            let _entered = span.enter();
            let status = response.status();
            span.record("http.response.status_code", status.as_u16());
            if status.is_client_error() || status.is_server_error() {
                span.record("error.type", status.as_str());
            }
            tracing::debug!(target: TARGET, status = status.as_u16(), "answered");
        }
        Err(error) => no_answer(span, error_type(error)),
    }
}

/// Says that a request was given up, for a reason that is a word of low cardinality.
pub(crate) fn no_answer(span: &Span, reason: &'static str) {
    let _entered = span.enter();
    span.record("error.type", reason);
    tracing::debug!(target: TARGET, reason, "no answer");
}

fn error_type(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "connect"
    } else if error.is_timeout() {
        "timeout"
    } else {
        "interrupted"
    }
}
