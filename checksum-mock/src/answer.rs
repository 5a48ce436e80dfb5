use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::{Value, json};

/// What the service says: a status and a JSON body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<Value>) -> Self {
        Self {
            status: StatusCode::OK,
            body: body.into(),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let json = [(CONTENT_TYPE, "application/json")];
        let mut response = (self.status, json, self.body.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = http::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// Why a request is refused. The body says what is wrong and, where it is in the body, at which
/// member; the API's description does not say what its error bodies look like.
#[derive(Debug)]
pub(crate) struct Refusal(Answer);

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self(Answer {
            status,
            body: json!({ "message": message.into() }),
        })
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// A member that is missing or wrong.
    pub(crate) fn member(path: &str, message: &str) -> Self {
        Self(Answer {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            body: json!({ "message": format!("{path}: {message}"), "path": path }),
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}
