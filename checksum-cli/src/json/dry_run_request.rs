//! The JSON form and the text of a request that `--dry-run` does not send.

use std::fmt;

use checksum_api::OPERATIONS;
use reqwest::header::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::output::text::one_line;

const REDACTED: &str = "***";

/// A request as it would be sent, with the API key and the values of variables redacted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DryRunRequest {
    method: String,
    url: String,
    headers: Map<String, Value>,
    body: Option<Value>,
}

impl From<&reqwest::Request> for DryRunRequest {
    fn from(request: &reqwest::Request) -> Self {
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            let text = match value.to_str() {
                Ok(text) if !value.is_sensitive() => text,
                _ => REDACTED,
            };
            (name.to_string(), text.into())
        };
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let mut body: Option<Value> = body.and_then(|body| serde_json::from_slice(body).ok());
        for name in OPERATIONS.iter().flat_map(|one| one.redacted_fields) {
            if let Some(value) = body.as_mut().and_then(|body| body.get_mut(*name)) {
                redact_values(value);
            }
        }
        Self {
            method: request.method().to_string(),
            url: request.url().to_string(),
            headers: request.headers().iter().map(header).collect(),
            body,
        }
    }
}

impl fmt::Display for DryRunRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.url)?;
        for (name, value) in &self.headers {
            let value = value.as_str().unwrap_or_default();
            write!(formatter, "\n{name}: {}", one_line(value))?;
        }
        match &self.body {
            None => Ok(()),
            Some(body) => write!(formatter, "\n\n{body:#}"),
        }
    }
}

/// Redacts every value and keeps the names of fields.
fn redact_values(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(redact_values),
        value => *value = REDACTED.into(),
    }
}
