use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

/// How many members of different names may be given up before the answer is called undecodable.
const MAX_GIVEN_UP: usize = 32;

/// Why a body cannot be decoded.
pub(crate) enum Undecodable {
    /// It is not JSON, or JSON that was cut off.
    NotJson(serde_json::Error),
    /// It is JSON, and something in it that the type needs is missing or of another type.
    Shape {
        /// Where, as in `tests[3].status`; `.` is the whole body.
        path: String,
        reason: String,
    },
}

/// Decodes a body that the plain decoder refused, giving up optional members that have an
/// unexpected type. A status poll should not fail because a count has become a string.
pub(crate) fn salvage<T: DeserializeOwned>(body: &[u8]) -> Result<T, Undecodable> {
    let mut value: Value = serde_json::from_slice(body).map_err(Undecodable::NotJson)?;
    let mut given_up: Vec<(String, String)> = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(decoded) => return Ok(decoded),
            Err(error) => error,
        };
        let (path, reason) = (error.path().to_string(), error.inner().to_string());
        if given_up.len() < MAX_GIVEN_UP && give_up(&mut value, error.path()) {
            tracing::warn!(path, reason, "ignored a member of unexpected type");
            given_up.push((path, reason));
            continue;
        }
        // A member that is now missing because it was given up was not optional: what was wrong
        // with it is the news.
        let cause = given_up.into_iter().find(|(member, _)| {
            let (parent, name) = member.rsplit_once('.').unwrap_or((".", member));
            parent == path && reason.starts_with(&format!("missing field `{name}`"))
        });
        let (path, reason) = cause.unwrap_or((path, reason));
        return Err(Undecodable::Shape { path, reason });
    }
}

/// Removes the member at the path. Where the path leads through arrays, members of the same name
/// and the same wrong kind go from every element at once: a hundred thousand tests with
/// `"tags": null` take one round.
fn give_up(value: &mut Value, path: &Path) -> bool {
    let segments: Vec<&Segment> = path.iter().collect();
    let Some(kind) = locate(value, &segments).map(std::mem::discriminant) else {
        return false;
    };
    remove(value, &segments, kind)
}

fn locate<'a>(value: &'a Value, segments: &[&Segment]) -> Option<&'a Value> {
    segments
        .iter()
        .try_fold(value, |value, segment| match segment {
            Segment::Seq { index } => value.get(index),
            Segment::Map { key } => value.get(key),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
}

fn remove(value: &mut Value, segments: &[&Segment], kind: std::mem::Discriminant<Value>) -> bool {
    match (segments, value) {
        ([Segment::Map { key }], Value::Object(object)) => {
            let found = object
                .get(key)
                .is_some_and(|member| std::mem::discriminant(member) == kind);
            found && object.remove(key).is_some()
        }
        ([Segment::Map { key }, rest @ ..], Value::Object(object)) => object
            .get_mut(key)
            .is_some_and(|member| remove(member, rest, kind)),
        ([Segment::Seq { .. }, rest @ ..], Value::Array(array)) => array
            .iter_mut()
            .fold(false, |any, element| remove(element, rest, kind) | any),
        _ => false,
    }
}
