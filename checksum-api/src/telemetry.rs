//! The spans and events of requests. Their fields follow OpenTelemetry's conventions for HTTP
//! clients.

use http::StatusCode;
use reqwest::Request;
use tracing::Span;
use tracing::field::Empty;
use url::Url;

use crate::operation::Operation;

/// The target of all spans and events. It stays the same when code moves between modules.
pub(crate) const TARGET: &str = "checksum_api";

/// Returns the span of a request to an operation.
pub(crate) fn request_span(request: &Request, operation: &Operation) -> Span {
    let url = request.url();
    tracing::debug_span!(
        target: TARGET,
        "checksum.request",
        otel.kind = "client",
        otel.name = operation.id.as_str(),
        http.request.method = request.method().as_str(),
        url.template = operation.path,
        url.full = url.as_str(),
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        http.response.status_code = Empty,
        http.response.body.size = Empty,
        "error.type" = Empty,
    )
}

/// Returns the span of a request for a file. It does not record the query, which often contains an
/// access token.
pub(crate) fn download_span(url: &Url) -> Span {
    let mut shown = url.clone();
    if url.query().is_some() {
        shown.set_query(Some("REDACTED"));
    }
    tracing::debug_span!(
        target: TARGET,
        "checksum.download",
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

/// Records a response.
pub(crate) fn record_response(span: &Span, status: StatusCode) {
    let _entered = span.enter();
    span.record("http.response.status_code", status.as_u16());
    if status.is_client_error() || status.is_server_error() {
        span.record("error.type", status.as_str());
    }
    tracing::debug!(target: TARGET, status = status.as_u16(), "response");
}

/// Records that no response came. `reason` is one of a few fixed words.
pub(crate) fn record_failure(span: &Span, reason: &'static str) {
    let _entered = span.enter();
    span.record("error.type", reason);
    tracing::debug!(target: TARGET, reason, "request failed");
}
