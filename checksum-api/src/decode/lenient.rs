//! Decodes responses leniently: a field that may be missing is dropped if it has another type than
//! the document's, so that a poll does not fail because a title has become a number. In a list,
//! only the invalid elements are dropped.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::Value;

use crate::telemetry::TARGET;

/// The fields that were dropped from a response.
pub(crate) type Dropped = BTreeSet<&'static str>;

thread_local! {
    /// The fields that were dropped from the response that is being decoded. `None` while responses are
    /// decoded strictly, which is faster.
    static DROPPED: RefCell<Option<Dropped>> = const { RefCell::new(None) };
}

/// Why a body cannot be decoded.
pub(crate) enum DecodeError {
    /// The body is not JSON, or is truncated.
    InvalidJson(serde_json::Error),
    /// A field that the type needs is missing or has another type.
    Shape {
        /// The path of the field, such as `tests[3].status`; `.` is the whole body.
        path: String,
        reason: String,
    },
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        Self::InvalidJson(error)
    }
}

impl DecodeError {
    /// Returns the error of a value that is at `place` in the body.
    pub(crate) fn within(self, place: String) -> Self {
        match self {
            Self::Shape { path, reason } if path == "." => Self::Shape {
                path: place,
                reason,
            },
            Self::Shape { path, reason } => Self::Shape {
                path: format!("{place}.{path}"),
                reason,
            },
            Self::InvalidJson(_) => self,
        }
    }
}

/// Decodes a body, leniently if it cannot be decoded strictly.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    match serde_json::from_slice(body) {
        Ok(decoded) => Ok(decoded),
        Err(_) => decode_leniently(body),
    }
}

/// Decodes a body without the fields that have another type.
fn decode_leniently<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let value: Value = serde_json::from_slice(body)?;
    let mut dropped = Dropped::new();
    let decoded = decode_value(&value, &mut dropped)?;
    warn_about(dropped);
    Ok(decoded)
}

/// Decodes a value without the fields that have another type, and adds their names to `dropped`.
pub(crate) fn decode_value<T: DeserializeOwned>(
    value: &Value,
    dropped: &mut Dropped,
) -> Result<T, DecodeError> {
    DROPPED.set(Some(std::mem::take(dropped)));
    let decoded = serde_path_to_error::deserialize(value);
    *dropped = DROPPED.take().unwrap_or_default();
    decoded.map_err(|error| DecodeError::Shape {
        path: error.path().to_string(),
        reason: error.inner().to_string(),
    })
}

/// Warns once for each field, even if it was dropped from many objects of a list.
pub(crate) fn warn_about(dropped: Dropped) {
    for field in dropped {
        tracing::warn!(target: TARGET, field, "ignored a field of unexpected type");
    }
}

/// The types of fields that may be missing.
pub(crate) trait Optional: Sized {
    /// Decodes the field, or fails.
    fn strictly<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Decodes as much as possible, and returns whether nothing was dropped.
    fn leniently(value: Value) -> (Self, bool);
}

impl<T: DeserializeOwned> Optional for Option<T> {
    fn strictly<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn leniently(value: Value) -> (Self, bool) {
        match Self::deserialize(value) {
            Ok(decoded) => (decoded, true),
            Err(_) => (None, false),
        }
    }
}

/// Null becomes an empty list, as it becomes `None` for other types.
impl<T: DeserializeOwned> Optional for Vec<T> {
    fn strictly<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Option::deserialize(deserializer)?;
        Ok(list.map(|Exact(list)| list).unwrap_or_default())
    }

    fn leniently(value: Value) -> (Self, bool) {
        let elements = match value {
            Value::Array(elements) => elements,
            other => return (Self::new(), other.is_null()),
        };
        let count = elements.len();
        let mut decoded: Self = elements
            .into_iter()
            .filter_map(|element| T::deserialize(element).ok())
            .collect();
        decoded.shrink_to_fit();
        let is_whole = decoded.len() == count;
        (decoded, is_whole)
    }
}

/// A list without room for more elements. serde's own has room for four at least, so that the tags of a
/// hundred thousand tests would take twice the memory.
struct Exact<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Exact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ExactVisitor(PhantomData))
    }
}

struct ExactVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ExactVisitor<T> {
    type Value = Exact<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        // The first elements are kept on the stack, since moving a list costs more.
        let mut first = [const { None }; 4];
        for place in &mut first {
            *place = sequence.next_element()?;
            if place.is_none() {
                break;
            }
        }
        let is_long = first[3].is_some();
        let mut list = Vec::with_capacity(first.iter().flatten().count());
        list.extend(first.into_iter().flatten());
        if is_long {
            while let Some(element) = sequence.next_element()? {
                list.push(element);
            }
            list.shrink_to_fit();
        }
        Ok(Exact(list))
    }
}

/// Decodes a field of a response that may be missing.
pub(crate) fn optional<'de, D, T>(field: &'static str, deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Optional,
{
    if DROPPED.with_borrow(Option::is_none) {
        return T::strictly(deserializer);
    }
    let value = Value::deserialize(deserializer).map_err(D::Error::custom)?;
    let (decoded, is_whole) = T::leniently(value);
    if !is_whole {
        DROPPED.with_borrow_mut(|fields| fields.as_mut().map(|fields| fields.insert(field)));
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::{
        BatchSession, DispatchedRun, GenerationStarted, HealBatchStarted, HealthStatus, TestResult,
        TestRunResults,
    };

    /// Returns the decoded body, and whether it was decoded strictly.
    fn decoded<T: DeserializeOwned>(body: &Value) -> (T, bool) {
        let text = body.to_string();
        let is_strict = serde_json::from_str::<T>(&text).is_ok();
        match decode_leniently(text.as_bytes()) {
            Ok(value) => (value, is_strict),
            Err(DecodeError::Shape { path, reason }) => panic!("{text} at {path}: {reason}"),
            Err(DecodeError::InvalidJson(error)) => panic!("{text}: {error}"),
        }
    }

    fn test_with(name: &str, value: Value) -> Value {
        let mut test = json!({ "checksumTestId": "a", "status": "passed", "testTitle": "pays" });
        test[name] = value;
        test
    }

    #[test]
    fn an_optional_field_of_another_type_is_dropped_and_the_others_stay() {
        for wrong in [json!(7), json!(true), json!([]), json!({ "deep": [] })] {
            for name in ["testTitle", "testFilePath", "errorMessage", "healthStatus"] {
                let (test, is_strict): (TestResult, _) = decoded(&test_with(name, wrong.clone()));
                assert!(!is_strict, "{name}: {wrong}");
                let title = (name != "testTitle").then_some("pays");
                assert_eq!(test.test_title.as_deref(), title, "{name}: {wrong}");
                assert_eq!(test.test_file_path, None);
                assert_eq!(test.error_message, None);
                assert_eq!(test.health_status, None);
                assert_eq!(test.extra.len(), 0, "{name}: {wrong}");
            }
        }
    }

    #[test]
    fn an_identifier_that_would_change_a_path_is_dropped() {
        for wrong in [json!(""), json!(".."), json!("a\nb"), json!(7)] {
            let body = json!({ "name": "job", "runId": wrong });
            let (run, is_strict): (DispatchedRun, _) = decoded(&body);
            assert!(!is_strict, "{wrong}");
            assert_eq!(run.run_id, None, "{wrong}");
            assert_eq!(run.name.expect("a name").as_str(), "job");
        }
    }

    #[test]
    fn invalid_elements_of_a_list_are_dropped() {
        for (tags, expected, is_plain) in [
            (json!(["smoke", "cart"]), &["smoke", "cart"][..], true),
            (
                json!(["smoke", 7, null, {}, "cart"]),
                &["smoke", "cart"],
                false,
            ),
            (json!([["smoke"]]), &[], false),
            (json!("smoke"), &[], false),
            (json!({ "0": "smoke" }), &[], false),
        ] {
            let (test, is_strict): (TestResult, _) = decoded(&test_with("tags", tags.clone()));
            assert_eq!(test.tags, expected, "{tags}");
            assert_eq!(is_strict, is_plain, "{tags}");
        }
        let body = json!({ "batchId": "batch", "sessionIds": ["a", "..", 7, "b"] });
        let (batch, _): (HealBatchStarted, _) = decoded(&body);
        let sessions: Vec<&str> = batch.session_ids.iter().map(|id| id.as_str()).collect();
        assert_eq!(sessions, ["a", "b"]);
    }

    #[test]
    fn null_is_an_optional_list_without_elements() {
        let (test, is_strict): (TestResult, _) = decoded(&test_with("tags", Value::Null));
        assert_eq!(test.tags, [""; 0]);
        assert!(is_strict, "it is decoded strictly");
    }

    #[test]
    fn a_missing_nullable_field_is_null() {
        for body in [
            json!({ "sessionId": "a", "status": "running" }),
            json!({ "sessionId": "a", "status": "running", "prUrl": null }),
        ] {
            let (session, is_strict): (BatchSession, _) = decoded(&body);
            assert!(is_strict, "{body}");
            let again = serde_json::to_value(&session).expect("JSON");
            assert_eq!(again["prUrl"], Value::Null);
            assert!(again.get("prUrl").is_some(), "{again}");
        }
    }

    #[test]
    fn fields_of_inner_objects_are_dropped_one_by_one() {
        let body = json!({ "batchId": "batch", "links": { "session": 7, "other": 8 } });
        let (started, _): (GenerationStarted, _) = decoded(&body);
        let links = started.links.expect("they are an object");
        assert_eq!(links.session, None);
        assert_eq!(links.extra["other"], 8);

        let tests = [
            test_with("tags", json!(["smoke", 7])),
            test_with("testTitle", json!(7)),
            test_with("healthStatus", json!("flaky")),
        ];
        let body = json!({ "id": "run", "status": "failed", "branch": 7, "tests": tests });
        let (results, _): (TestRunResults, _) = decoded(&body);
        assert_eq!(results.branch, None);
        assert_eq!(results.tests[0].tags, ["smoke"]);
        assert_eq!(results.tests[1].test_title, None);
        assert_eq!(results.tests[2].health_status, Some(HealthStatus::Flaky));
        assert_eq!(results.tests[2].test_title.as_deref(), Some("pays"));
    }

    #[test]
    fn a_required_field_is_not_dropped_and_later_decoding_is_strict() {
        let body =
            json!({ "id": "run", "status": "failed", "tests": [test_with("status", json!(7))] });
        match decode_leniently::<TestRunResults>(body.to_string().as_bytes()) {
            Err(DecodeError::Shape { path, .. }) => assert_eq!(path, "tests[0].status"),
            _ => panic!("{body} decodes"),
        }
        let wrong = test_with("tags", json!(7)).to_string();
        assert!(serde_json::from_str::<TestResult>(&wrong).is_err());
    }

    /// A decoder that makes one pass for each field would take hours.
    #[test]
    fn a_hundred_thousand_wrong_fields_take_one_pass() {
        for tags in [json!(7), json!(["smoke", {}])] {
            let tests = vec![test_with("tags", tags.clone()); 100_000];
            let body = json!({ "id": "run", "status": "failed", "tests": tests });
            let body = body.to_string();
            let results = decode_leniently::<TestRunResults>(body.as_bytes());
            let Ok(results) = results else {
                panic!("undecodable with {tags}");
            };
            assert_eq!(results.tests.len(), 100_000);
            let kept = usize::from(tags.is_array());
            assert!(results.tests.iter().all(|test| test.tags.len() == kept));
        }
    }
}
