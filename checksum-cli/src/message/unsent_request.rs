use std::fmt;

use checksum_api::OPERATIONS;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::output::one_line;

/// What stands in the place of everything that must not be shown.
const HIDDEN: &str = "***";

/// A request as it would go out. Neither the key nor the values of variables are in it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnsentRequest {
    method: String,
    url: String,
    headers: Map<String, Value>,
    body: Option<Value>,
}

impl UnsentRequest {
    pub(crate) fn of(request: &reqwest::Request) -> Self {
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
        let secret = OPERATIONS.iter().flat_map(|one| one.redacted_fields);
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
}

impl fmt::Display for UnsentRequest {
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

/// The names that a secret member has stay.
fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(hide),
        value => *value = HIDDEN.into(),
    }
}
