//! Every JSON example of the document decodes into the generated type of its schema, and encodes
//! back to equal JSON.

use std::collections::BTreeMap;

use checksum_api::types;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

type RoundTrip = fn(&Value) -> serde_json::Result<Value>;

fn round_trip<T: DeserializeOwned + Serialize>(value: &Value) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_value::<T>(value.clone())?)
}

macro_rules! round_trips {
    ($($name:ident),* $(,)?) => {
        BTreeMap::<&str, RoundTrip>::from([
            $((stringify!($name), round_trip::<types::$name> as RoundTrip)),*
        ])
    };
}

#[test]
fn every_example_survives_decoding_and_encoding() {
    let types = round_trips![
        Batch,
        BugPage,
        DispatchedRun,
        GenerateRequest,
        GenerationStarted,
        HealBatchStarted,
        HealRequest,
        HtmlReport,
        LatestTestRun,
        Project,
        RunCollectionRequest,
        RunGrepRequest,
        RunGrepV2Request,
        RunStatus,
        RunStatusV2,
        RunSuiteRequest,
        RunTestsRequest,
        TestAttachments,
        TestRunResults,
    ];
    let yaml = std::fs::read_to_string("checksum.yaml").expect("the document");
    let document: Value = serde_saphyr::from_str(&yaml).expect("YAML");
    let mut found = Vec::new();
    collect(&document, &mut found);

    let mut unseen: Vec<&str> = types.keys().copied().collect();
    for (schema, example) in &found {
        let round_trip = types
            .get(schema.as_str())
            .unwrap_or_else(|| panic!("{schema}"));
        let again = round_trip(example).unwrap_or_else(|error| panic!("{schema}: {error}"));
        assert_eq!(again, *example, "{schema}");
        unseen.retain(|name| name != schema);
    }
    assert!(unseen.is_empty(), "without an example: {unseen:?}");
}

/// Every example under `content: application/json`, with the component that describes it.
fn collect(value: &Value, found: &mut Vec<(String, Value)>) {
    if let Some(media) = value.get("application/json") {
        let schema = media["schema"]["$ref"].as_str().expect("a component");
        let name = schema.trim_start_matches("#/components/schemas/");
        let examples = media["examples"].as_object().expect("examples");
        assert!(!examples.is_empty(), "{name}");
        for example in examples.values() {
            found.push((name.to_owned(), example["value"].clone()));
        }
    }
    match value {
        Value::Object(object) => object.values().for_each(|value| collect(value, found)),
        Value::Array(array) => array.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}
