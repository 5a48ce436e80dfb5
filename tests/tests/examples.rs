//! Every JSON example of the document decodes into the generated type of its schema, and encodes
//! back to equal JSON.

use std::collections::BTreeMap;
use std::fmt::Debug;

use checksum_api::{OperationId, for_each_type, types};
use checksum_tests::document::{document, encoded};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

type RoundTrip = fn(&Value) -> serde_json::Result<Value>;

/// What every generated type can do.
trait Generated: Debug + Clone + PartialEq + Serialize + DeserializeOwned + JsonSchema {}

impl<T: Debug + Clone + PartialEq + Serialize + DeserializeOwned + JsonSchema> Generated for T {}

fn round_trip<T: Generated>(value: &Value) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_value::<T>(value.clone())?)
}

macro_rules! round_trips {
    ($($name:ident),* $(,)?) => {
        [$((stringify!($name), round_trip::<types::$name> as RoundTrip)),*].into()
    };
}

#[test]
fn every_example_survives_decoding_and_encoding() {
    let types: BTreeMap<&str, RoundTrip> = for_each_type!(round_trips);
    let mut found = Vec::new();
    collect(document(), &mut found);

    assert!(found.len() > OperationId::ALL.len());
    for (schema, example) in &found {
        let name = schema.trim_start_matches("#/components/schemas/");
        if only_for_other_languages(name) {
            continue;
        }
        let round_trip = types.get(name).unwrap_or_else(|| panic!("{schema}"));
        let again = round_trip(example).unwrap_or_else(|error| panic!("{schema}: {error}"));
        assert_eq!(again, encoded(schema, example), "{schema}");
    }
}

/// The client reads the body of an error as bytes.
fn only_for_other_languages(name: &str) -> bool {
    name == "Error"
}

/// Every example under `content: application/json`, with the component that describes it.
fn collect(value: &Value, found: &mut Vec<(String, Value)>) {
    if let Some(media) = value.get("application/json") {
        let schema = media["schema"]["$ref"].as_str().expect("a component");
        let examples = media["examples"].as_object().expect("examples");
        assert!(!examples.is_empty(), "{schema}");
        for example in examples.values() {
            found.push((schema.to_owned(), example["value"].clone()));
        }
    }
    match value {
        Value::Object(object) => object.values().for_each(|value| collect(value, found)),
        Value::Array(array) => array.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}
