use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::Client;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// A shorter value is no secret, and hiding it would tear other words apart.
const MIN_VALUE_BYTES: usize = 4;

/// What no text may repeat: the key, and the values of a request's secret members.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<SecretString>);

impl Secrets {
    pub(crate) fn key(key: &SecretString) -> Self {
        Self(vec![key.clone()])
    }

    /// Learns the value of a secret member of a request: a text, or several by name.
    pub(crate) fn learn(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.len() >= MIN_VALUE_BYTES => {
                self.0.push(SecretString::from(text.as_str()));
                // As it stands in a body that is repeated.
                let escaped = value.to_string();
                let escaped = escaped.trim_matches('"');
                if escaped != text {
                    self.0.push(SecretString::from(escaped));
                }
            }
            Value::Object(members) => members.values().for_each(|value| self.learn(value)),
            _ => {}
        }
    }

    /// A text without them, should somebody have repeated one.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.0.iter().fold(text.into(), |text, secret| {
            let secret = secret.expose_secret();
            match text.contains(secret) {
                true => text.replace(secret, HIDDEN).into(),
                false => text,
            }
        })
    }
}

impl Client {
    /// A text without the key, should the service, or an echo in its place, have repeated it: for
    /// answers that are shown. Errors do so by themselves.
    ///
    /// ```
    /// # use checksum_api::{ApiKey, Client};
    /// let client = Client::builder(ApiKey::new("my-key")?).build()?;
    /// assert_eq!(client.redact("Authorization: Bearer my-key"), "Authorization: Bearer ***");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.inner.api_key.secrets().redact(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hides_the_key_and_what_it_has_learnt_however_it_is_written() {
        let mut secrets = Secrets::key(&SecretString::from("my-key"));
        secrets.learn(&json!({ "A": "two\nlines", "B": "1", "C": null, "D": ["listed"] }));
        secrets.learn(&json!("alone"));
        for (text, redacted) in [
            ("Bearer my-key, my-key", "Bearer ***, ***"),
            ("two\nlines", "***"),
            (r#"{"A":"two\nlines","B":"1"}"#, r#"{"A":"***","B":"1"}"#),
            ("leave me alone", "leave me ***"),
            ("listed", "listed"),
        ] {
            assert_eq!(secrets.redact(text), redacted);
        }
    }
}
