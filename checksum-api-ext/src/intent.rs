//! The record of a request to start work that is about to be sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::Hasher;
use std::time::SystemTime;

use checksum_api::{OperationId, Redactor};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use siphasher::sip::SipHasher13;

use crate::extra_fields::ExtraFields;
use crate::timestamp;

/// A record of work that is about to be started: store it before the request is sent, and replace
/// it by the handle of what was started.
///
/// Between the moment at which the service accepts a request and the moment at which the caller has
/// stored the handle, a crash loses the name of the work. With an intent in the store it does not
/// lose the knowledge that the work may have started, so that nobody starts it a second time or
/// reports that it never began.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mock = checksum_mock::Mock::start().await?;
/// # let checksum = checksum_api_ext::Checksum::builder()
/// #     .api_key("my-key".parse()?)
/// #     .base_url(mock.url().parse()?)
/// #     .build()?;
/// use checksum_api_ext::Started;
///
/// # let mut stored = String::new();
/// # let mut store = |value: String| stored = value;
/// let start = checksum.run_suite();
/// store(serde_json::to_string(&start.intent()?)?);
/// match start.start().await {
///     Ok(run) => store(serde_json::to_string(&run.handle())?),
///     Err(error) => match error.started() {
///         Started::No => store("not started".to_owned()),
///         // The intent stays: check the dashboard before this is started again.
///         _ => eprintln!("{error}"),
///     },
/// }
/// # assert!(stored.contains("job-name-12345"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(
    feature = "schemars",
    schemars(description = "A record of work that was about to be started, and may have started.")
)]
pub struct Intent {
    /// The operation that was about to be called.
    operation: String,
    /// When the request was about to be sent, in UTC.
    #[serde(with = "timestamp")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    at: SystemTime,
    /// Equal for equal requests.
    fingerprint: String,
}

impl Intent {
    /// Creates the record of `request`. The fingerprint ignores the values of variables and of
    /// fields that the document does not have, since they may be secret.
    pub(crate) fn new(
        operation: OperationId,
        request: &impl Serialize,
        extra: &ExtraFields,
    ) -> Self {
        let request = serde_json::to_value(request).unwrap_or_default();
        let secret = operation.operation().redacted_fields;
        let extra: BTreeSet<&String> = extra.0.keys().collect();
        let mut hasher = SipHasher13::new();
        hash(
            &json!([operation.as_str(), request, extra]),
            secret,
            &mut hasher,
        );
        Self {
            operation: operation.to_string(),
            at: timestamp::now(),
            fingerprint: format!("{:016x}", hasher.finish()),
        }
    }

    /// Returns the operation that was about to be called, such as `run_suite`.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns when the request was about to be sent, to the millisecond.
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// Returns 16 hexadecimal digits that are equal for equal requests, whatever the values of
    /// their environment variables.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// Formats the record as in `run_suite at 2026-11-25T09:30:00.000Z (request 3f2a…)`.
impl fmt::Display for Intent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            fingerprint,
            ..
        } = self;
        let at = timestamp::text(self.at);
        write!(formatter, "{operation} at {at} (request {fingerprint})")
    }
}

/// Returns the values in a request that no message may repeat.
pub(crate) fn secrets_of(operation: OperationId, request: &impl Serialize) -> Redactor {
    fn add(value: &Value, fields: &[&str], is_secret: bool, redactor: &mut Redactor) {
        match value {
            // A shorter value is not a secret, and replacing it would change other words.
            Value::String(text) if is_secret && text.len() >= 4 => redactor.add(text),
            Value::Array(values) => values
                .iter()
                .for_each(|value| add(value, fields, is_secret, redactor)),
            Value::Object(object) => object.iter().for_each(|(name, value)| {
                let is_secret = is_secret || fields.contains(&name.as_str());
                add(value, fields, is_secret, redactor);
            }),
            _ => {}
        }
    }
    let fields = operation.operation().redacted_fields;
    let mut redactor = Redactor::new();
    let request = serde_json::to_value(request).unwrap_or_default();
    add(&request, fields, false, &mut redactor);
    redactor
}

/// Hashes JSON independently of the order of its fields. Only the names of fields with secret
/// values count.
fn hash(value: &Value, secret: &[&str], hasher: &mut SipHasher13) {
    match value {
        Value::Array(elements) => {
            hasher.write(b"[");
            elements.iter().for_each(|one| hash(one, secret, hasher));
            hasher.write(b"]");
        }
        Value::Object(fields) => {
            hasher.write(b"{");
            for (name, value) in fields.iter().collect::<BTreeMap<_, _>>() {
                hash(&name.as_str().into(), secret, hasher);
                if secret.contains(&name.as_str()) {
                    let fields = value.as_object().into_iter().flatten();
                    let names: BTreeSet<&String> = fields.map(|(name, _)| name).collect();
                    hash(&json!(names), secret, hasher);
                } else {
                    hash(value, secret, hasher);
                }
            }
            hasher.write(b"}");
        }
        plain => hasher.write(format!("{plain},").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(request: Value) -> String {
        Intent::new(OperationId::RunGrepV2, &request, &ExtraFields::default()).fingerprint
    }

    #[test]
    fn a_fingerprint_differs_between_requests_and_ignores_values_of_variables() {
        let one = of(json!({ "grep": "a", "envOverrides": { "PASSWORD": "hunter2" } }));
        let other = of(json!({ "grep": "a", "envOverrides": { "PASSWORD": "hunter3" } }));
        assert_eq!(one, other);
        assert_ne!(one, of(json!({ "grep": "b" })));
        assert_ne!(
            one,
            of(json!({ "grep": "a", "envOverrides": { "TOKEN": "hunter2" } }))
        );
        // It is the same in every process, whatever the version of the standard library.
        assert_eq!(of(json!({ "grep": "checkout" })), "64ffa349a3599ea8");
    }

    #[test]
    fn an_intent_is_read_back_from_json() {
        let intent = Intent::new(OperationId::RunSuite, &json!({}), &ExtraFields::default());
        let saved = serde_json::to_string(&intent).expect("JSON");
        let read: Intent = serde_json::from_str(&saved).expect("an intent");
        assert_eq!(read, intent);
        assert_eq!(intent.operation(), "run_suite");
        assert_eq!(saved.matches(intent.fingerprint()).count(), 1, "{saved}");
        assert_eq!(intent.fingerprint().len(), 16);
        let text = intent.to_string();
        assert!(text.starts_with("run_suite at 2"), "{text}");
        assert!(text.contains(intent.fingerprint()), "{text}");
    }

    #[test]
    fn only_values_of_variables_that_are_long_enough_are_redacted() {
        let request = json!({ "grep": "checkout", "envOverrides": { "A": "abc", "B": "hunter2" } });
        let redactor = secrets_of(OperationId::RunGrepV2, &request);
        assert_eq!(redactor.redact("checkout abc hunter2"), "checkout abc ***");
    }
}
