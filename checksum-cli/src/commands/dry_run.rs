//! The request that a command would send, shown and not sent.

use std::sync::{Arc, Mutex, PoisonError};

use checksum_api::OPERATIONS;
use checksum_api_ext::Checksum;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::arguments::Connection;
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::Message;
use crate::output::{Output, one_line};

/// What stands in the place of everything that must not be shown.
const HIDDEN: &str = "***";

/// A request as it would go out. Neither the key nor the values of variables are in it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    method: String,
    url: String,
    headers: Map<String, Value>,
    body: Option<Value>,
}

/// Lets the command make its request, and shows it.
pub(super) async fn execute<T>(
    connection: &Connection,
    start: impl AsyncFnOnce(&Checksum) -> Result<T, Failure>,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let made = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&made);
    let transport = move |request: reqwest::Request| {
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Request::of(&request));
        async { Ok(http::Response::new("").into()) }
    };
    let ended = start(&credentials::keyless(connection, transport)?).await;
    let request = made.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (request, ended) {
        (Some(request), _) => {
            output.result(&request.text(), &Message::Request(&request));
            Ok(ExitCode::Pass)
        }
        (None, Err(failure)) => Err(failure),
        (None, Ok(_)) => unreachable!("nothing can be started without a request"),
    }
}

impl Request {
    fn of(request: &reqwest::Request) -> Self {
        let header =
            |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                let text = match value.to_str() {
                    Ok(text) if !value.is_sensitive() => text,
                    _ => HIDDEN,
                };
                (name.to_string(), text.into())
            };
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let mut body: Option<Value> = body.and_then(|body| serde_json::from_slice(body).ok());
        let secret = OPERATIONS.iter().flat_map(|one| one.secret_members);
        for name in secret {
            if let Some(value) = body.as_mut().and_then(|body| body.get_mut(*name)) {
                hide(value);
            }
        }
        Self {
            method: request.method().to_string(),
            url: request.url().to_string(),
            headers: request.headers().iter().map(header).collect(),
            body,
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{} {}", self.method, self.url);
        for (name, value) in &self.headers {
            let value = value.as_str().unwrap_or_default();
            text = format!("{text}\n{name}: {}", one_line(value));
        }
        if let Some(body) = &self.body {
            text += &format!("\n\n{body:#}");
        }
        text
    }
}

/// The names that a secret member has stay.
fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(hide),
        value => *value = HIDDEN.into(),
    }
}
