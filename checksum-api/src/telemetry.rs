//! The spans and events of requests, and the headers that connect them with the service's. The fields
//! follow OpenTelemetry's conventions for HTTP clients.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Request;
use tracing::Span;
use tracing::field::Empty;
use url::Url;

use crate::operation::Operation;

/// The target of all spans and events. It stays the same when code moves between modules.
pub(crate) const TARGET: &str = "checksum_api";

/// The headers of W3C's Trace Context. No other header that a [`TraceContext`] inserts is sent.
const TRACE_HEADERS: [&str; 2] = ["traceparent", "tracestate"];

/// A function that inserts the trace context of the current span.
pub(crate) type TraceContext = Arc<dyn Fn(&mut HashMap<String, String>) + Send + Sync>;

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
        otel.status_code = Empty,
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
        otel.status_code = Empty,
    )
}

/// Records a response.
pub(crate) fn record_response(span: &Span, status: StatusCode) {
    let _entered = span.enter();
    span.record("http.response.status_code", status.as_u16());
    if status.is_client_error() || status.is_server_error() {
        record_error(span, status.as_str());
    }
    tracing::debug!(target: TARGET, status = status.as_u16(), "response");
}

/// Records that no response came. `reason` is one of a few fixed words.
pub(crate) fn record_failure(span: &Span, reason: &'static str) {
    let _entered = span.enter();
    record_error(span, reason);
    tracing::debug!(target: TARGET, reason, "request failed");
}

fn record_error(span: &Span, error_type: &str) {
    span.record("error.type", error_type);
    span.record("otel.status_code", "ERROR");
}

/// Adds the headers of the trace context, as it is within `span`.
pub(crate) fn add_trace_context(trace: &TraceContext, span: &Span, headers: &mut HeaderMap) {
    let mut inserted = HashMap::new();
    span.in_scope(|| trace(&mut inserted));
    for name in TRACE_HEADERS {
        let value = inserted
            .get(name)
            .and_then(|value| HeaderValue::from_str(value).ok());
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
}
