use std::mem::{Discriminant, discriminant};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

/// How many members of different names may be mended before the answer is called undecodable.
const MAX_MENDED: usize = 32;

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

/// Decodes a body that the plain decoder refused. Optional members of an unexpected type are given
/// up, those with a list that has such an element included: a status poll should not fail because a
/// count has become a string. Members that are missing
/// count as null, which is enough for those that may be null.
pub(crate) fn salvage<T: DeserializeOwned>(body: &[u8]) -> Result<T, Undecodable> {
    let mut value: Value = serde_json::from_slice(body).map_err(Undecodable::NotJson)?;
    // What each mended member was first refused for.
    let mut mended: Vec<(String, Undecodable)> = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(decoded) => return Ok(decoded),
            Err(error) => error,
        };
        let (path, reason) = (error.path().to_string(), error.inner().to_string());
        let missing = missing_member(&reason);
        let member = match missing {
            None => without_indexes(&path).to_owned(),
            Some(name) if path == "." => name.to_owned(),
            Some(name) => format!("{path}.{name}"),
        };
        // A member that is refused again cannot be mended: the first refusal is the news.
        if let Some(index) = mended.iter().position(|(known, _)| *known == member) {
            return Err(mended.swap_remove(index).1);
        }
        let is_mended = mended.len() < MAX_MENDED
            && match missing {
                None => give_up(&mut value, error.path()),
                Some(name) => supply_null(&mut value, error.path(), name),
            };
        let refusal = Undecodable::Shape { path, reason };
        if !is_mended {
            return Err(refusal);
        }
        tracing::warn!(
            target: crate::spans::TARGET,
            member,
            "mended a member of the answer that was not as described"
        );
        mended.push((member, refusal));
    }
}

/// The member that serde says is missing.
fn missing_member(reason: &str) -> Option<&str> {
    let (name, _) = reason.strip_prefix("missing field `")?.split_once('`')?;
    Some(name)
}

/// The member that a path of elements leads through: `tests[3].tags` for `tests[3].tags[0]`.
fn without_indexes(path: &str) -> &str {
    let mut member = path;
    while let Some((list, _)) = member
        .strip_suffix(']')
        .and_then(|text| text.rsplit_once('['))
    {
        member = list;
    }
    member
}

/// Adds the member as null to the object at the path, and to its siblings in arrays.
fn supply_null(value: &mut Value, path: &Path, name: &str) -> bool {
    let segments: Vec<&Segment> = path.iter().collect();
    each(value, &segments, &mut |object| match object.get(name) {
        Some(_) => false,
        None => object.insert(name.to_owned(), Value::Null).is_none(),
    })
}

/// Removes the member at the path or, where that is an element of a list, the member that the list
/// is. Members of the same name and the same wrong kind go from its siblings in arrays too: a
/// hundred thousand tests with `"tags": null` take one round.
fn give_up(value: &mut Value, path: &Path) -> bool {
    let segments: Vec<&Segment> = path.iter().collect();
    let is_member = |segment: &&Segment| matches!(segment, Segment::Map { .. });
    let Some(member) = segments.iter().rposition(is_member) else {
        return false;
    };
    let (parents, member) = segments.split_at(member);
    let Some((Segment::Map { key }, elements)) = member.split_first() else {
        return false;
    };
    let Some(kind) = locate(value, &segments).map(discriminant) else {
        return false;
    };
    each(value, parents, &mut |object| {
        let is_wrong = |member: &Value| has(member, elements, kind);
        object.get(key).is_some_and(is_wrong) && object.remove(key).is_some()
    })
}

/// Whether there is a value of the kind at the path, whatever its indexes.
fn has(value: &Value, path: &[&Segment], kind: Discriminant<Value>) -> bool {
    match path {
        [] => discriminant(value) == kind,
        [_, rest @ ..] => value
            .as_array()
            .is_some_and(|elements| elements.iter().any(|element| has(element, rest, kind))),
    }
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

/// Changes the objects at the path, whatever its indexes, and tells whether any was changed.
fn each(
    value: &mut Value,
    segments: &[&Segment],
    change: &mut impl FnMut(&mut Map<String, Value>) -> bool,
) -> bool {
    match (segments, value) {
        ([], Value::Object(object)) => change(object),
        ([Segment::Map { key }, rest @ ..], Value::Object(object)) => object
            .get_mut(key)
            .is_some_and(|member| each(member, rest, change)),
        ([Segment::Seq { .. }, rest @ ..], Value::Array(array)) => array
            .iter_mut()
            .fold(false, |any, element| each(element, rest, change) | any),
        _ => false,
    }
}
