//! Reads the OpenAPI document as data, even if it cannot be compiled.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::compile::document::{self, escaped};
pub(crate) use crate::compile::document::{Operation, fields, text};
use crate::root;

/// The path of the document from the root of the workspace.
pub(crate) const PATH: &str = "openapi/checksum.yaml";

#[derive(Debug)]
pub(crate) struct Document {
    text: String,
    value: Value,
}

impl Document {
    pub(crate) fn parse(text: String) -> Result<Self> {
        let value = serde_saphyr::from_str(&text)?;
        Ok(Self { text, value })
    }

    /// Returns the document of the working tree.
    pub(crate) fn current() -> Result<Self> {
        Self::parse(fs::read_to_string(root().join(PATH)).context(PATH)?).context(PATH)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// Returns every operation, in the order of the text, since the parsed value does not keep it.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let mut operations: Vec<Operation<'_>> = document::operations(&self.value).collect();
        operations.sort_by_key(|one| self.text.find(&format!("\n  {}:\n", one.path)));
        operations.into_iter()
    }

    /// Returns the name and the description of each tag.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let tags = self.value["tags"].as_array().into_iter().flatten();
        tags.map(|tag| (text(tag, "name"), text(tag, "description").trim()))
    }

    /// Returns a line for each `x-provenance`: the JSON pointer to its part, then the value.
    pub(crate) fn provenance(&self) -> String {
        let mut lines = String::new();
        collect_provenance(&self.value, "#", &mut lines);
        lines
    }

    /// Returns the target of a `$ref`, or the value itself.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        document::resolved(&self.value, value)
    }

    /// Returns the document of the working tree with one text of it replaced.
    #[cfg(test)]
    pub(crate) fn changed(from: &str, to: &str) -> Self {
        let text = Self::current().expect("the document").text;
        assert!(text.contains(from), "`{from}` is not in the document");
        Self::parse(text.replacen(from, to, 1)).expect("a document")
    }
}

impl<'a> Operation<'a> {
    pub(crate) fn id(&self) -> &'a str {
        text(self.value, "operationId")
    }

    /// Returns the first tag.
    pub(crate) fn tag(&self) -> &'a str {
        self.value["tags"][0].as_str().unwrap_or_default()
    }

    pub(crate) fn responses(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        fields(&self.value["responses"])
    }
}

fn collect_provenance(value: &Value, place: &str, lines: &mut String) {
    for (name, value) in fields(value) {
        if name == "x-provenance" {
            lines.push_str(&format!(
                "{place}: {}\n",
                value.as_str().unwrap_or_default()
            ));
        }
        collect_provenance(value, &format!("{place}/{}", escaped(name)), lines);
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        collect_provenance(value, &format!("{place}/{index}"), lines);
    }
}
