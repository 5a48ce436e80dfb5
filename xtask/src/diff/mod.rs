//! What changed between two editions of the document, and for whom it matters.
//!
//! The crate `drift` 0.2 was tried first. It finds operations, parameters and types, but not
//! `x-extensible-enum`, examples, the texts of operations, operationIds, security or servers; it
//! leaves a changed `required` and an added member unclassed; and some inputs make it panic.

mod change;
mod operation;
mod report;
mod schema;

use std::collections::BTreeSet;

pub(crate) use change::{Change, Class, Kind, Side};
pub(crate) use report::Format;
use serde_json::Value;

use crate::document::Document;

/// Everything that differs, the breaking changes first.
pub(crate) fn changes(old: &Document, new: &Document) -> Vec<Change> {
    let mut comparison = Comparison {
        old,
        new,
        changes: BTreeSet::new(),
        seen: BTreeSet::new(),
    };
    comparison.root();
    comparison.operations();
    comparison.unused_components();
    comparison.changes.into_iter().collect()
}

/// The list of changes, for people or programs.
pub(crate) fn report(title: &str, changes: &[Change], format: Option<Format>) -> String {
    match format {
        None => report::text(title, changes),
        Some(Format::Markdown) => report::markdown(title, changes),
        Some(Format::Json) => report::json(title, changes),
    }
}

struct Comparison<'a> {
    old: &'a Document,
    new: &'a Document,
    /// A set: a component that several operations use is reported once.
    changes: BTreeSet<Change>,
    /// The pairs of components that were compared, with the side they were compared for.
    seen: BTreeSet<(String, String, Side)>,
}

/// Where a comparison stands.
#[derive(Clone)]
struct Place {
    side: Side,
    subject: String,
    pointer: String,
}

impl Place {
    fn below(&self, subject: impl std::fmt::Display, pointer: impl std::fmt::Display) -> Self {
        Self {
            side: self.side,
            subject: format!("{}{subject}", self.subject),
            pointer: format!("{}/{pointer}", self.pointer),
        }
    }

    fn side(&self, side: Side) -> Self {
        Self {
            side,
            ..self.clone()
        }
    }
}

impl Comparison<'_> {
    fn note(&mut self, place: &Place, kind: Kind, class: Class, message: impl Into<String>) {
        self.changes.insert(Change {
            class,
            side: place.side,
            kind,
            subject: place.subject.clone(),
            message: message.into(),
            pointer: place.pointer.clone(),
        });
    }

    /// What stands beside the paths and components.
    fn root(&mut self) {
        for (member, class) in [
            ("openapi", Class::Compatible),
            ("info", Class::DocumentationOnly),
            ("tags", Class::DocumentationOnly),
            ("externalDocs", Class::DocumentationOnly),
            ("servers", Class::Breaking),
            ("security", Class::Breaking),
        ] {
            let place = Place {
                side: Side::Operation,
                subject: member.to_owned(),
                pointer: format!("#/{member}"),
            };
            let (old, new) = (self.old.value().get(member), self.new.value().get(member));
            self.whole(&place, old, new, class);
        }
        let pointer = "/components/securitySchemes";
        let place = Place {
            side: Side::Request,
            subject: "securitySchemes".to_owned(),
            pointer: format!("#{pointer}"),
        };
        let old = self.old.value().pointer(pointer).map(without_texts);
        let new = self.new.value().pointer(pointer).map(without_texts);
        self.whole(&place, old.as_ref(), new.as_ref(), Class::Breaking);
    }

    /// A part that is the same or is not.
    fn whole(&mut self, place: &Place, old: Option<&Value>, new: Option<&Value>, class: Class) {
        match (old, new) {
            (None, Some(_)) => self.note(place, Kind::Added, class, "added"),
            (Some(_), None) => self.note(place, Kind::Removed, class, "removed"),
            (Some(old), Some(new)) if old != new => {
                self.note(place, Kind::Changed, class, changed(old, new));
            }
            _ => {}
        }
    }

    /// Schemas that no operation reaches: what they say binds nobody, yet their names are types.
    fn unused_components(&mut self) {
        let names: BTreeSet<String> = [self.old, self.new]
            .iter()
            .flat_map(|document| document.components("schemas"))
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in names {
            let pointer = format!("/components/schemas/{name}");
            let place = Place {
                side: Side::Operation,
                subject: name,
                pointer: format!("#{pointer}"),
            };
            let old = self.old.value().pointer(&pointer);
            let new = self.new.value().pointer(&pointer);
            match (old, new) {
                (Some(_), None) => {
                    let message = "the type of this name is gone";
                    self.note(&place, Kind::Removed, Class::Breaking, message);
                }
                (None, Some(_)) => {
                    let message = "a type of this name is new";
                    self.note(&place, Kind::Added, Class::Compatible, message);
                }
                (Some(old), Some(new)) if old != new && !self.reached(&place.subject) => {
                    let message = "no operation reaches it";
                    self.note(&place, Kind::Changed, Class::Compatible, message);
                }
                _ => {}
            }
        }
    }

    fn reached(&self, component: &str) -> bool {
        let name = format!("#/components/schemas/{component}");
        self.seen
            .iter()
            .any(|(old, new, _)| *old == name && *new == name)
    }
}

/// `from` and `to`, where they are short enough to be read.
fn changed(old: &Value, new: &Value) -> String {
    let short = |value: &Value| match value {
        Value::Object(_) => None,
        value => Some(value.to_string()).filter(|text| text.len() <= 60),
    };
    match (short(old), short(new)) {
        (Some(old), Some(new)) => format!("{old} became {new}"),
        _ => "changed".to_owned(),
    }
}

/// A value without the members that only people read.
pub(crate) fn without_texts(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(name, _)| !schema::is_text(name))
            .map(|(name, value)| (name.clone(), without_texts(value)))
            .collect(),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests;
