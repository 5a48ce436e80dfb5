//! A JSON response, also one that rejects a request.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct JsonResponse {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

/// A response that rejects a request. Its body is an assumption, because the API's description does
/// not show any.
#[derive(Debug)]
pub(crate) struct Rejection(JsonResponse);

/// What a handler returns.
pub(crate) type OperationResult = Result<JsonResponse, Rejection>;

impl JsonResponse {
    pub(crate) fn ok(body: impl Into<Value>) -> Self {
        Self {
            status: StatusCode::OK,
            body: body.into(),
        }
    }
}

impl Rejection {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let body = json!({ "message": message.into() });
        Self(JsonResponse { status, body })
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// Names a field or query parameter that is missing or invalid.
    pub(crate) fn invalid_field(path: &str, message: &str) -> Self {
        Self(JsonResponse {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            body: json!({ "message": format!("{path}: {message}"), "path": path }),
        })
    }
}

impl IntoResponse for JsonResponse {
    fn into_response(self) -> Response {
        // Several times as fast as the value's `Display`, and cannot fail.
        let body = serde_json::to_vec(&self.body).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}
