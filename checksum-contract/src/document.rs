use std::collections::BTreeMap;

use serde_json::Value;

use crate::Provenance;
use crate::schema::{Complaint, Reader, Schema, Shape};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// How many components may refer to one another before they are taken for a circle.
const MAX_HOPS: usize = 32;

/// The OpenAPI document as data: its operations, and what it says of their answers.
#[derive(Clone, Debug)]
pub struct Document {
    operations: BTreeMap<String, Operation>,
    components: BTreeMap<String, Schema>,
}

/// One operation of the document.
#[derive(Clone, Debug)]
pub struct Operation {
    id: String,
    provenance: Provenance,
    /// What a successful answer is.
    pub(crate) answer: Schema,
}

/// A schema in its place.
#[derive(Clone, Copy)]
pub(crate) struct Resolved<'a> {
    pub(crate) shape: &'a Shape,
    pub(crate) nullable: bool,
    pub(crate) provenance: Provenance,
}

/// Why a text is no document that answers can be compared with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct DocumentError {
    place: String,
    message: String,
}

impl From<Complaint> for DocumentError {
    fn from((place, message): Complaint) -> Self {
        Self { place, message }
    }
}

impl Document {
    /// Reads an OpenAPI 3.0 document from YAML, or from JSON, which is YAML as well.
    ///
    /// It takes of the document what concerns the successful JSON answers of operations, and knows
    /// `$ref` to components, `allOf`, `oneOf`, `anyOf`, `nullable`, `x-extensible-enum` and
    /// `x-provenance`. Patterns and formats are not looked at.
    ///
    /// # Errors
    ///
    /// The text is no YAML (the error has the line), or a part of it is not as OpenAPI 3.0 has it
    /// (the error has a JSON pointer to it).
    pub fn parse(yaml: &str) -> Result<Self, DocumentError> {
        let root: Value = serde_saphyr::from_str(yaml).map_err(|error| {
            let place = error.location().map_or_else(
                || "document".to_owned(),
                |location| format!("line {}, column {}", location.line(), location.column()),
            );
            let message = error.without_snippet().to_string();
            DocumentError { place, message }
        })?;
        let reader = Reader::new(&root);
        let mut document = Self {
            operations: BTreeMap::new(),
            components: reader.components()?,
        };
        let Some(paths) = root.get("paths").and_then(Value::as_object) else {
            let missing = ("#/paths".to_owned(), "is missing".to_owned());
            return Err(missing.into());
        };
        for (path, item) in paths {
            for method in METHODS {
                let Some(operation) = item.get(method) else {
                    continue;
                };
                let path = path.replace('~', "~0").replace('/', "~1");
                let place = format!("#/paths/{path}/{method}");
                let operation = document.read(&root, &reader, operation, &place)?;
                document.operations.insert(operation.id.clone(), operation);
            }
        }
        Ok(document)
    }

    /// The operation of that operationId.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.get(id)
    }

    /// Every operation, by the order of the ids.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }

    fn read(
        &self,
        root: &Value,
        reader: &Reader<'_>,
        operation: &Value,
        place: &str,
    ) -> Result<Operation, Complaint> {
        let Some(id) = operation["operationId"].as_str() else {
            return Err((place.to_owned(), "operationId is missing".to_owned()));
        };
        let provenance =
            |part: &Value| Provenance::of(part).map_err(|message| (place.to_owned(), message));
        let mut known = provenance(operation)?.unwrap_or_default();
        let responses = operation["responses"].as_object();
        let mut successes = responses.into_iter().flatten();
        let success = successes.find(|(code, _)| code.starts_with('2'));
        let mut answer = Schema::of(Shape::Any);
        if let Some((code, response)) = success {
            let place = format!("{place}/responses/{code}");
            let response = response_at(root, response, &place)?;
            known = provenance(response)?.unwrap_or(known);
            let media = &response["content"]["application/json"];
            if let Some(schema) = media.get("schema") {
                let place = format!("{place}/content/application~1json/schema");
                answer = reader.read(schema, &place, 0)?;
            }
            if let Some(shape) = self.shape_of_examples(&answer, media) {
                answer = shape;
            }
        }
        Ok(Operation {
            id: id.to_owned(),
            provenance: known,
            answer,
        })
    }

    /// What the examples look like, where the schema has no shape. An example is never more than
    /// mentioned: it does not say what else there may be.
    fn shape_of_examples(&self, answer: &Schema, media: &Value) -> Option<Schema> {
        let Shape::Any = self.resolve(answer, Provenance::default()).shape else {
            return None;
        };
        let examples = media.get("examples").and_then(Value::as_object);
        let values = examples.into_iter().flat_map(|all| all.values());
        let values = values.filter_map(|example| example.get("value"));
        let shapes = values.chain(media.get("example")).map(Schema::of_example);
        let mut shape = shapes.reduce(Schema::or)?;
        shape.provenance = Some(Provenance::Mentioned);
        Some(shape)
    }

    /// What stands behind references, and its provenance in a place of that provenance.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Schema, enclosing: Provenance) -> Resolved<'a> {
        let mut resolved = Resolved {
            shape: &schema.shape,
            nullable: schema.nullable,
            provenance: schema.provenance.unwrap_or(enclosing),
        };
        for _ in 0..MAX_HOPS {
            let Shape::Component(name) = resolved.shape else {
                return resolved;
            };
            let Some(component) = self.components.get(name) else {
                break;
            };
            resolved.shape = &component.shape;
            resolved.nullable |= component.nullable;
            resolved.provenance = component.provenance.unwrap_or(resolved.provenance);
        }
        resolved.shape = &Shape::Any;
        resolved
    }

    /// What is asked for, in the words that drifts use.
    pub(crate) fn expected(&self, resolved: &Resolved<'_>) -> String {
        let mut words = match resolved.shape {
            Shape::OneOf(choices) => {
                let choices = choices.iter();
                let choices = choices.map(|choice| self.resolve(choice, resolved.provenance));
                choices.map(|choice| choice.shape.word()).collect()
            }
            shape => vec![shape.word()],
        };
        if resolved.nullable {
            words.push("null");
        }
        words.join(" or ")
    }
}

impl Operation {
    /// The operationId.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How well its answer is known, where no part of the answer says otherwise.
    pub fn provenance(&self) -> Provenance {
        self.provenance
    }
}

/// The response itself, or the component that it refers to.
fn response_at<'v>(
    root: &'v Value,
    response: &'v Value,
    place: &str,
) -> Result<&'v Value, Complaint> {
    let Some(target) = response.get("$ref") else {
        return Ok(response);
    };
    let pointer = target.as_str().and_then(|text| text.strip_prefix('#'));
    pointer
        .and_then(|pointer| root.pointer(pointer))
        .ok_or_else(|| {
            let message = format!("{target} does not exist in this document");
            (format!("{place}/$ref"), message)
        })
}
