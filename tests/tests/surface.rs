//! Compares the JSON Schema of each generated type with the document as progenitor reads it.

#[expect(
    dead_code,
    reason = "the build script reads the document with more of it"
)]
#[path = "../../checksum-api/build/compile/document.rs"]
mod document;
mod json_schema;
#[expect(dead_code, reason = "the build script does more with it")]
#[path = "../../checksum-api/build/compile/preprocess.rs"]
mod preprocess;

use std::collections::BTreeMap;

use checksum_api::for_each_type;
use json_schema::{Shape, of_document, of_type};
use schemars::{JsonSchema, Schema, schema_for};
use serde_json::Value;

/// Returns the schema that schemars makes of each type that the document names.
fn generated() -> BTreeMap<&'static str, Schema> {
    macro_rules! schemas {
        ($($name:ident),* $(,)?) => {
            [$((stringify!($name), schema::<checksum_api::types::$name>())),*].into()
        };
    }
    for_each_type!(schemas)
}

/// Returns the document as progenitor reads it.
fn rewritten() -> Value {
    preprocess::for_progenitor(checksum_tests::document::document())
}

fn schema<T: JsonSchema>() -> Schema {
    schema_for!(T)
}

#[test]
fn every_component_is_a_type() {
    let document = rewritten();
    let components = document["components"]["schemas"]
        .as_object()
        .expect("schemas");
    let components: Vec<&str> = components.keys().map(String::as_str).collect();
    let generated: Vec<&str> = generated().into_keys().collect();
    assert_eq!(components, generated);
}

/// Fields, their types, which are required, and the known values.
#[test]
fn types_agree_with_the_document() {
    let document = rewritten();
    for (name, schema) in generated() {
        let expected = of_document(&document, &document["components"]["schemas"][name]);
        assert_eq!(of_type(schema.as_value()), expected, "{name}");
    }
}

#[test]
fn a_type_that_disagrees_with_the_document_is_detected() {
    let document = rewritten();
    let component = &document["components"]["schemas"]["TestResult"];
    let schema = schema::<checksum_api::types::TestResult>();
    let expected = of_document(&document, component);
    let changed = |pointer: &str, value: Value| {
        let mut schema = schema.as_value().clone();
        let place = schema.pointer_mut(pointer);
        *place.unwrap_or_else(|| panic!("no {pointer}")) = value;
        of_type(&schema)
    };
    assert_eq!(of_type(schema.as_value()), expected);
    assert_ne!(changed("/required", serde_json::json!([])), expected);
    assert_ne!(changed("/properties/tags/type", "string".into()), expected);
    assert_ne!(
        changed("/properties/tags/items/type", "integer".into()),
        expected
    );
    let mut more = schema.as_value().clone();
    more["properties"]["more"] = serde_json::json!({ "type": "string" });
    assert_ne!(of_type(&more), expected);

    let states = of_type(schema_for!(checksum_api::types::RunState).as_value());
    let Shape::String { enum_values } = &states else {
        panic!("{states:?}");
    };
    assert!(enum_values.contains("process-error"));
}
