use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::Provenance;

/// Schemas nest no deeper than this; one that does is a mistake, such as an `allOf` of itself.
const MAX_NESTING: usize = 64;

const COMPONENTS: &str = "#/components/schemas/";

/// What the document says of a value.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) shape: Shape,
    pub(crate) nullable: bool,
    /// Its own word; without one, that of what encloses it holds.
    pub(crate) provenance: Option<Provenance>,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Any JSON.
    Any,
    /// The component of that name.
    Component(String),
    Boolean,
    Integer {
        is_unsigned: bool,
    },
    Number,
    Text {
        is_filled: bool,
        /// The known values, where it is an open enumeration.
        known: Option<Vec<String>>,
    },
    List(Box<Schema>),
    /// An object whose members are somebody's data: their names are not the document's.
    Map(Box<Schema>),
    Object(Members),
    OneOf(Vec<Schema>),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    pub(crate) properties: BTreeMap<String, Schema>,
    pub(crate) required: BTreeSet<String>,
}

/// Reads schemas of one document.
pub(crate) struct Reader<'a> {
    components: Option<&'a Map<String, Value>>,
}

/// What is wrong, and where: a JSON pointer.
pub(crate) type Complaint = (String, String);

impl<'a> Reader<'a> {
    pub(crate) fn new(root: &'a Value) -> Self {
        let components = root.pointer("/components/schemas");
        Self {
            components: components.and_then(Value::as_object),
        }
    }

    pub(crate) fn components(&self) -> Result<BTreeMap<String, Schema>, Complaint> {
        let components = self.components.into_iter().flatten();
        components
            .map(|(name, schema)| {
                let place = format!("{COMPONENTS}{name}");
                Ok((name.clone(), self.read(schema, &place, 0)?))
            })
            .collect()
    }

    pub(crate) fn read(
        &self,
        schema: &Value,
        place: &str,
        depth: usize,
    ) -> Result<Schema, Complaint> {
        let complain = |message: &str| Err((place.to_owned(), message.to_owned()));
        if depth > MAX_NESTING {
            return complain("schemas nest too deeply, or lead back to themselves");
        }
        let Some(object) = schema.as_object() else {
            return complain("a schema is an object");
        };
        let provenance = Provenance::of(schema).map_err(|m| (place.to_owned(), m))?;
        let mut read = if let Some(target) = object.get("$ref") {
            self.component(target, place)?
        } else if let Some(parts) = object.get("allOf") {
            self.all_of(schema, parts, place, depth)?
        } else if let Some(choices) = object.get("oneOf").or_else(|| object.get("anyOf")) {
            self.one_of(choices, place, depth)?
        } else {
            self.plain(object, place, depth)?
        };
        read.nullable |= object.get("nullable") == Some(&Value::Bool(true));
        read.provenance = provenance.or(read.provenance);
        Ok(read)
    }

    fn component(&self, target: &Value, place: &str) -> Result<Schema, Complaint> {
        let name = target
            .as_str()
            .and_then(|text| text.strip_prefix(COMPONENTS));
        match name.filter(|name| self.components.is_some_and(|all| all.contains_key(*name))) {
            Some(name) => Ok(Schema::of(Shape::Component(name.to_owned()))),
            None => {
                let message = format!("{target} is no schema of this document");
                Err((format!("{place}/$ref"), message))
            }
        }
    }

    /// One part stays what it is; several are merged, members and all.
    fn all_of(
        &self,
        schema: &Value,
        parts: &Value,
        place: &str,
        depth: usize,
    ) -> Result<Schema, Complaint> {
        let parts = list(parts, place, "allOf")?;
        let own = schema.get("properties").is_some().then_some(schema);
        if let ([single], None) = (parts, own) {
            return self.read(single, &format!("{place}/allOf/0"), depth + 1);
        }
        let mut merged = Schema::of(Shape::Any);
        merged.nullable = true;
        for (index, part) in parts.iter().enumerate() {
            let part_place = format!("{place}/allOf/{index}");
            merged = merged.and(self.whole(part, &part_place, depth + 1)?);
        }
        if let Some(Value::Object(own)) = own {
            merged = merged.and(self.plain(own, place, depth)?);
        }
        Ok(merged)
    }

    /// A schema with its component in its place.
    fn whole(&self, schema: &Value, place: &str, depth: usize) -> Result<Schema, Complaint> {
        let read = self.read(schema, place, depth)?;
        let Shape::Component(name) = &read.shape else {
            return Ok(read);
        };
        let component = self.components.and_then(|all| all.get(name));
        let component = component.unwrap_or(&Value::Null);
        let place = format!("{COMPONENTS}{name}");
        let mut whole = self.whole(component, &place, depth + 1)?;
        whole.nullable |= read.nullable;
        whole.provenance = whole.provenance.or(read.provenance);
        Ok(whole)
    }

    fn one_of(&self, choices: &Value, place: &str, depth: usize) -> Result<Schema, Complaint> {
        let choices = list(choices, place, "oneOf")?;
        let (nulls, others): (Vec<&Value>, Vec<&Value>) =
            choices.iter().partition(|choice| is_null_alone(choice));
        let mut read = others
            .into_iter()
            .map(|choice| self.read(choice, &format!("{place}/oneOf"), depth + 1))
            .collect::<Result<Vec<_>, _>>()?;
        let mut schema = match read.len() {
            0 => Schema::of(Shape::Any),
            1 => read.remove(0),
            _ => Schema::of(Shape::OneOf(read)),
        };
        schema.nullable |= !nulls.is_empty();
        Ok(schema)
    }

    fn plain(
        &self,
        object: &Map<String, Value>,
        place: &str,
        depth: usize,
    ) -> Result<Schema, Complaint> {
        let kind = match object.get("type") {
            None if object.contains_key("properties") => "object",
            None if object.contains_key("items") => "array",
            None => return Ok(Schema::of(Shape::Any)),
            Some(Value::String(kind)) => kind.as_str(),
            Some(_) => {
                let message = "a type is one word in OpenAPI 3.0".to_owned();
                return Err((format!("{place}/type"), message));
            }
        };
        Ok(Schema::of(match kind {
            "boolean" => Shape::Boolean,
            "integer" => Shape::Integer {
                is_unsigned: at_least(object, "minimum", 0.0),
            },
            "number" => Shape::Number,
            "string" => Shape::Text {
                is_filled: at_least(object, "minLength", 1.0),
                known: known_values(object, place)?,
            },
            "array" => Shape::List(Box::new(match object.get("items") {
                None => Schema::of(Shape::Any),
                Some(items) => self.read(items, &format!("{place}/items"), depth + 1)?,
            })),
            "object" => self.object(object, place, depth)?,
            other => {
                let message = format!("`{other}` is no type");
                return Err((format!("{place}/type"), message));
            }
        }))
    }

    fn object(
        &self,
        object: &Map<String, Value>,
        place: &str,
        depth: usize,
    ) -> Result<Shape, Complaint> {
        let Some(Value::Object(properties)) = object.get("properties") else {
            return Ok(Shape::Map(Box::new(
                match object.get("additionalProperties") {
                    Some(values @ Value::Object(_)) => {
                        self.read(values, &format!("{place}/additionalProperties"), depth + 1)?
                    }
                    _ => Schema::of(Shape::Any),
                },
            )));
        };
        let properties = properties
            .iter()
            .map(|(name, property)| {
                let place = format!("{place}/properties/{name}");
                Ok((name.clone(), self.read(property, &place, depth + 1)?))
            })
            .collect::<Result<_, Complaint>>()?;
        let required = object.get("required").and_then(Value::as_array);
        let required = required.into_iter().flatten().filter_map(Value::as_str);
        Ok(Shape::Object(Members {
            properties,
            required: required.map(str::to_owned).collect(),
        }))
    }
}

impl Schema {
    pub(crate) fn of(shape: Shape) -> Self {
        Self {
            shape,
            nullable: false,
            provenance: None,
        }
    }

    /// What a value must be to be as both say. Where they contradict each other, the latter.
    fn and(self, other: Self) -> Self {
        let shape = match (self.shape, other.shape) {
            (shape, Shape::Any) | (Shape::Any, shape) => shape,
            (Shape::Object(mut members), Shape::Object(others)) => {
                members.properties.extend(others.properties);
                members.required.extend(others.required);
                Shape::Object(members)
            }
            (_, shape) => shape,
        };
        Self {
            shape,
            nullable: self.nullable && other.nullable,
            provenance: other.provenance.or(self.provenance),
        }
    }

    /// The shape of an example. Of its values it says nothing: an example cannot tell what else
    /// there is, nor what may be null.
    pub(crate) fn of_example(example: &Value) -> Self {
        let shape = match example {
            Value::Null => Shape::Any,
            Value::Bool(_) => Shape::Boolean,
            Value::Number(number) if number.is_f64() => Shape::Number,
            Value::Number(_) => Shape::Integer { is_unsigned: false },
            Value::String(_) => Shape::Text {
                is_filled: false,
                known: None,
            },
            Value::Array(items) => {
                let items = items.iter().map(Self::of_example);
                let item = items.reduce(Self::or);
                Shape::List(Box::new(item.unwrap_or(Self::of(Shape::Any))))
            }
            Value::Object(object) => Shape::Object(Members {
                properties: object
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::of_example(value)))
                    .collect(),
                required: object.keys().cloned().collect(),
            }),
        };
        Self {
            nullable: true,
            ..Self::of(shape)
        }
    }

    /// The shape of two examples of the same thing.
    pub(crate) fn or(self, other: Self) -> Self {
        let shape = match (self.shape, other.shape) {
            // What null and an empty list are examples of is not known.
            (shape, Shape::Any) | (Shape::Any, shape) => shape,
            (Shape::Boolean, Shape::Boolean) => Shape::Boolean,
            (shape @ Shape::Integer { .. }, Shape::Integer { .. }) => shape,
            (Shape::Integer { .. } | Shape::Number, Shape::Integer { .. } | Shape::Number) => {
                Shape::Number
            }
            (shape @ Shape::Text { .. }, Shape::Text { .. }) => shape,
            (Shape::List(items), Shape::List(others)) => Shape::List(Box::new(items.or(*others))),
            (Shape::Object(members), Shape::Object(others)) => Shape::Object(members.or(others)),
            (one, another) => Shape::OneOf(vec![Self::of(one), Self::of(another)]),
        };
        Self { shape, ..other }
    }
}

impl Shape {
    /// The type that the shape asks for: JSON Schema's word, and a few more.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Any | Self::Component(_) | Self::OneOf(_) => "any JSON",
            Self::Boolean => "boolean",
            Self::Integer { is_unsigned: false } => "integer",
            Self::Integer { is_unsigned: true } => "unsigned integer",
            Self::Number => "number",
            Self::Text {
                is_filled: false, ..
            } => "string",
            Self::Text {
                is_filled: true, ..
            } => "non-empty string",
            Self::List(_) => "array",
            Self::Map(_) | Self::Object(_) => "object",
        }
    }
}

impl Members {
    fn or(mut self, mut others: Self) -> Self {
        self.required.retain(|name| others.required.contains(name));
        for (name, own) in &mut self.properties {
            if let Some(other) = others.properties.remove(name) {
                *own = own.clone().or(other);
            }
        }
        self.properties.append(&mut others.properties);
        self
    }
}

fn list<'v>(value: &'v Value, place: &str, name: &str) -> Result<&'v [Value], Complaint> {
    let list = value.as_array().map(Vec::as_slice);
    list.ok_or_else(|| (format!("{place}/{name}"), "must be a list".to_owned()))
}

/// OpenAPI 3.0 has no type for null: `enum: [null]` is what says it.
fn is_null_alone(schema: &Value) -> bool {
    schema["type"] == "null" || schema["enum"] == Value::Array(vec![Value::Null])
}

fn at_least(object: &Map<String, Value>, member: &str, least: f64) -> bool {
    object
        .get(member)
        .and_then(Value::as_f64)
        .is_some_and(|value| value >= least)
}

fn known_values(
    object: &Map<String, Value>,
    place: &str,
) -> Result<Option<Vec<String>>, Complaint> {
    let name = "x-extensible-enum";
    let Some(values) = object.get(name) else {
        return Ok(None);
    };
    let words = list(values, place, name)?.iter().map(Value::as_str);
    let words: Option<Vec<&str>> = words.collect();
    match words {
        Some(words) => Ok(Some(words.into_iter().map(str::to_owned).collect())),
        None => Err((format!("{place}/{name}"), "must be strings".to_owned())),
    }
}
