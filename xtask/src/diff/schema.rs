use std::collections::BTreeSet;

use serde_json::Value;

use super::{Class, Comparison, Kind, Place, Side, changed};
use crate::document::members;

/// Whether a member of the document is there for people alone.
pub(super) fn is_text(name: &str) -> bool {
    matches!(
        name,
        "description"
            | "summary"
            | "title"
            | "example"
            | "examples"
            | "externalDocs"
            | "x-provenance"
    )
}

/// Bounds, with whether a larger number lets more through.
const BOUNDS: [(&str, bool); 8] = [
    ("minLength", false),
    ("maxLength", true),
    ("minItems", false),
    ("maxItems", true),
    ("minimum", false),
    ("maximum", true),
    ("minProperties", false),
    ("maxProperties", true),
];

/// What is compared by rules of its own, so that the rest can be compared as a whole.
const HANDLED: [&str; 9] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "enum",
    "items",
    "oneOf",
    "properties",
    "required",
];

impl Comparison<'_> {
    pub(super) fn schemas(&mut self, place: &Place, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(old), Some(new)) => self.schema(place, old, new),
            (old, new) => self.whole(place, old, new, Class::Breaking),
        }
    }

    fn schema(&mut self, place: &Place, old: &Value, new: &Value) {
        let Some(place) = self.component(place, old, new) else {
            return;
        };
        let place = &place;
        let (old, new) = (self.old.resolve(old), self.new.resolve(new));
        self.texts(place, old, new);
        self.members(place, old, new);
        self.values(place, old, new);
        self.bounds(place, old, new);
        self.nullable(place, old, new);
        self.variants(place, old, new);
        match (old.get("items"), new.get("items")) {
            (None, None) => {}
            (old, new) => self.schemas(&place.below("[]", "items"), old, new),
        }
        self.additional(
            place,
            old.get("additionalProperties"),
            new.get("additionalProperties"),
        );
        self.rest(place, old, new);
    }

    /// Where two components are compared, which is once for each side; none where it was done.
    ///
    /// A component is named by itself, not by the way that led to it.
    pub(super) fn component(&mut self, place: &Place, old: &Value, new: &Value) -> Option<Place> {
        let target = |value: &Value| Some(value.get("$ref")?.as_str()?.to_owned());
        let (old_target, new_target) = (target(old), target(new));
        if old_target != new_target {
            let name = |target: &Option<String>| match target {
                Some(target) => format!("`{}`", target.rsplit('/').next().unwrap_or_default()),
                None => "a schema of its own".to_owned(),
            };
            let message = format!("{} became {}", name(&old_target), name(&new_target));
            self.note(place, Kind::Changed, Class::Breaking, message);
            return None;
        }
        let Some(target) = new_target else {
            return Some(place.clone());
        };
        let key = (target.clone(), target.clone(), place.side);
        self.seen.insert(key).then(|| Place {
            side: place.side,
            subject: target.rsplit('/').next().unwrap_or_default().to_owned(),
            pointer: target,
        })
    }

    fn members(&mut self, place: &Place, old: &Value, new: &Value) {
        let (old_members, new_members) = (old.get("properties"), new.get("properties"));
        let (was_required, is_required) =
            (strings(old.get("required")), strings(new.get("required")));
        let at = |name: &str| place.below(format!(".{name}"), format!("properties/{name}"));
        for (name, _) in members(old_members) {
            if new_members.is_none_or(|new| new.get(name).is_none()) {
                self.note(&at(name), Kind::Removed, Class::Breaking, "removed");
            }
        }
        for (name, schema) in members(new_members) {
            let place = at(name);
            let required = is_required.contains(name);
            let Some(before) = old_members.and_then(|old| old.get(name)) else {
                let (class, message) = match (place.side, required) {
                    (Side::Request, true) => (Class::Breaking, "a required member is new"),
                    (_, true) => (Class::Compatible, "a member that is always there is new"),
                    (_, false) => (Class::Compatible, "an optional member is new"),
                };
                self.note(&place, Kind::Added, class, message);
                continue;
            };
            match (place.side, was_required.contains(name), required) {
                (Side::Request, false, true) => {
                    self.note(&place, Kind::Changed, Class::Breaking, "is required now");
                }
                (Side::Request, true, false) => {
                    self.note(&place, Kind::Changed, Class::Compatible, "is optional now");
                }
                (_, false, true) => {
                    self.note(
                        &place,
                        Kind::Changed,
                        Class::Compatible,
                        "is always there now",
                    );
                }
                (_, true, false) => {
                    self.note(&place, Kind::Changed, Class::Breaking, "may be missing now");
                }
                _ => {}
            }
            self.schema(&place, before, schema);
        }
    }

    /// Known values of an open enumeration, and the values of a closed one.
    fn values(&mut self, place: &Place, old: &Value, new: &Value) {
        for (member, open) in [("x-extensible-enum", true), ("enum", false)] {
            let (before, after) = (old.get(member), new.get(member));
            let place = place.below("", member);
            if before.is_none() != after.is_none() {
                self.whole(&place, before, after, Class::Breaking);
                continue;
            }
            let (before, after) = (values(before), values(after));
            for value in after.iter().filter(|value| !before.contains(*value)) {
                let class = match place.side {
                    Side::Response if !open => Class::Breaking,
                    _ => Class::Compatible,
                };
                self.note(
                    &place,
                    Kind::Added,
                    class,
                    format!("the value {value} is new"),
                );
            }
            for value in before.iter().filter(|value| !after.contains(*value)) {
                let message = format!("the value {value} is gone, and its variant with it");
                self.note(&place, Kind::Removed, Class::Breaking, message);
            }
            let listed = |value: &&Value| before.contains(*value) && after.contains(*value);
            if !before.iter().filter(listed).eq(after.iter().filter(listed)) {
                let message = "the values are in another order";
                self.note(&place, Kind::Changed, Class::DocumentationOnly, message);
            }
        }
    }

    fn bounds(&mut self, place: &Place, old: &Value, new: &Value) {
        for (name, larger_lets_more) in BOUNDS {
            let number = |value: &Value| value.get(name).and_then(Value::as_f64);
            let (before, after) = (number(old), number(new));
            if before == after {
                continue;
            }
            let looser = match (before, after) {
                (None, _) => false,
                (_, None) => true,
                (Some(before), Some(after)) => (after > before) == larger_lets_more,
            };
            // What is sent has to pass; what is received has to have passed.
            let class = match (place.side, looser) {
                (Side::Request, true) | (Side::Response, false) => Class::Compatible,
                _ => Class::Breaking,
            };
            let text = |value: &Value| value.get(name).map_or("none".to_owned(), Value::to_string);
            let message = format!("{name}: {} became {}", text(old), text(new));
            self.note(&place.below("", name), Kind::Changed, class, message);
        }
    }

    fn nullable(&mut self, place: &Place, old: &Value, new: &Value) {
        let (before, after) = (old["nullable"] == true, new["nullable"] == true);
        let (class, message) = match (place.side, before, after) {
            (_, true, true) | (_, false, false) => return,
            (Side::Request, false, true) => (Class::Compatible, "may be null now"),
            (Side::Request, true, false) => (Class::Breaking, "may not be null any more"),
            (_, false, true) => (Class::Breaking, "may be null now"),
            (_, true, false) => (Class::Compatible, "is not null any more"),
        };
        self.note(&place.below("", "nullable"), Kind::Changed, class, message);
    }

    fn variants(&mut self, place: &Place, old: &Value, new: &Value) {
        for member in ["allOf", "anyOf", "oneOf"] {
            let list = |value: &Value| {
                let list = value.get(member).and_then(Value::as_array);
                list.cloned().unwrap_or_default()
            };
            let (before, after) = (list(old), list(new));
            if before.len() != after.len() {
                let message = format!("{member}: {} became {} schemas", before.len(), after.len());
                let place = place.below("", member);
                self.note(&place, Kind::Changed, Class::Breaking, message);
                continue;
            }
            for (index, (before, after)) in before.iter().zip(&after).enumerate() {
                self.schema(&place.below("", format!("{member}/{index}")), before, after);
            }
        }
    }

    fn additional(&mut self, place: &Place, old: Option<&Value>, new: Option<&Value>) {
        let place = place.below(".*", "additionalProperties");
        match (old, new) {
            (Some(old @ Value::Object(_)), Some(new @ Value::Object(_))) => {
                self.schema(&place, old, new);
            }
            (old, new) => self.whole(&place, old, new, Class::Breaking),
        }
    }

    /// Everything else, `type`, `format` and `pattern` among it: any change may break.
    fn rest(&mut self, place: &Place, old: &Value, new: &Value) {
        let known = |name: &str| {
            is_text(name)
                || HANDLED.contains(&name)
                || name == "x-extensible-enum"
                || name == "nullable"
                || BOUNDS.iter().any(|(bound, _)| *bound == name)
        };
        let names: BTreeSet<&str> = members(Some(old))
            .chain(members(Some(new)))
            .map(|(name, _)| name)
            .filter(|name| !known(name))
            .collect();
        for name in names {
            let class = match name {
                "default" | "deprecated" => Class::Compatible,
                _ => Class::Breaking,
            };
            let (before, after) = (old.get(name), new.get(name));
            let place = place.below("", name);
            match (before, after) {
                (Some(before), Some(after)) if before != after => {
                    let message = format!("{name}: {}", changed(before, after));
                    self.note(&place, Kind::Changed, class, message);
                }
                (None, Some(after)) => {
                    self.note(
                        &place,
                        Kind::Added,
                        class,
                        format!("{name}: {after} is new"),
                    );
                }
                (Some(before), None) => {
                    self.note(
                        &place,
                        Kind::Removed,
                        class,
                        format!("{name}: {before} is gone"),
                    );
                }
                _ => {}
            }
        }
    }
}

fn strings(value: Option<&Value>) -> BTreeSet<&str> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

fn values(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}
