use std::fs;

use anyhow::{Context, Result};
use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::root;

/// Where the document stands, from the root of the workspace.
pub(crate) const PATH: &str = "openapi/checksum.yaml";

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// An OpenAPI document as data, whether or not it can be compiled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    text: String,
    value: Value,
    /// The order of what `serde_json` sorts by name.
    order: Order,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Order {
    sections: Vec<String>,
    paths: Vec<String>,
}

/// A section, as far as its order matters.
#[derive(Deserialize)]
#[serde(untagged)]
enum Section {
    Map(IndexMap<String, IgnoredAny>),
    Other(IgnoredAny),
}

/// One operation of a document, with the place where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) value: &'a Value,
}

impl Document {
    pub(crate) fn parse(text: String) -> Result<Self> {
        let value: Value = serde_saphyr::from_str(&text)?;
        let sections: IndexMap<String, Section> = serde_saphyr::from_str(&text)?;
        let paths = match sections.get("paths") {
            Some(Section::Map(paths)) => paths.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let order = Order {
            sections: sections.into_keys().collect(),
            paths,
        };
        Ok(Self { text, value, order })
    }

    /// The document of the working tree.
    pub(crate) fn current() -> Result<Self> {
        Self::parse(fs::read_to_string(root().join(PATH)).context(PATH)?).context(PATH)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// The names of the sections, as they follow each other.
    pub(crate) fn sections(&self) -> &[String] {
        &self.order.sections
    }

    /// Every operation, as they follow each other.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        self.order.paths.iter().flat_map(|path| {
            let item = &self.value["paths"][path];
            METHODS.iter().filter_map(move |method| {
                let value = item.get(method)?;
                Some(Operation {
                    path,
                    method,
                    value,
                })
            })
        })
    }

    /// The components of one kind: `schemas`, `responses`, `links`.
    pub(crate) fn components(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        members(self.value.pointer(&format!("/components/{kind}")))
    }

    /// Returns each `x-provenance`, with a JSON pointer to the part that it is about.
    pub(crate) fn provenance(&self) -> Vec<(String, &Value)> {
        let mut found = Vec::new();
        collect_provenance(&self.value, "#".to_owned(), &mut found);
        found
    }

    /// What a `$ref` leads to; the value itself where it is none, or leads nowhere.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut value = value;
        // A bound, since a reference may lead back to itself.
        for _ in 0..32 {
            let Some(target) = value.get("$ref").and_then(Value::as_str) else {
                break;
            };
            let found = target
                .strip_prefix('#')
                .and_then(|pointer| self.value.pointer(pointer));
            match found {
                Some(found) => value = found,
                None => break,
            }
        }
        value
    }
}

impl<'a> Operation<'a> {
    pub(crate) fn id(&self) -> &'a str {
        text(self.value, "operationId")
    }

    /// A JSON pointer to it.
    pub(crate) fn pointer(&self) -> String {
        format!("#/paths/{}/{}", escaped(self.path), self.method)
    }

    pub(crate) fn responses(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        members(self.value.get("responses"))
    }
}

fn collect_provenance<'a>(value: &'a Value, place: String, found: &mut Vec<(String, &'a Value)>) {
    for (name, value) in members(Some(value)) {
        if name == "x-provenance" {
            found.push((place.clone(), value));
        }
        collect_provenance(value, format!("{place}/{}", escaped(name)), found);
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        collect_provenance(value, format!("{place}/{index}"), found);
    }
}

/// The members of an object; none of anything else.
pub(crate) fn members(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let object = value.and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}

/// A member that is a string; empty where it is none.
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A key as it stands in a JSON pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
impl Document {
    /// The document of the working tree, with one text of it replaced.
    pub(crate) fn changed(from: &str, to: &str) -> Self {
        let document = Self::current().expect("the document");
        let text = document.text().replacen(from, to, 1);
        assert_ne!(text, document.text(), "`{from}` is not in the document");
        Self::parse(text).expect("a document")
    }
}
