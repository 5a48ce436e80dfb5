//! Every JSON example of the document decodes into the generated type of its schema, and encodes
//! back to equal JSON.

use std::collections::BTreeMap;
use std::fmt::Debug;

use checksum_api::types;
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

macro_rules! generated_types {
    ($($name:ident),* $(,)?) => {
        BTreeMap::<&str, RoundTrip>::from([
            $((stringify!($name), round_trip::<types::$name> as RoundTrip)),*
        ])
    };
}

/// Every component of the document, by name.
fn generated_types() -> BTreeMap<&'static str, RoundTrip> {
    generated_types![
        AutoHeal,
        Batch,
        BatchId,
        BatchSession,
        BatchStatus,
        BugPage,
        BugSeverity,
        BugStatus,
        CollectionId,
        DispatchedRun,
        EnvOverrides,
        GenerateRequest,
        GenerationLinks,
        GenerationStarted,
        GrepPattern,
        HealBatchStarted,
        HealRequest,
        HealthStatus,
        HtmlReport,
        JobName,
        LatestTestRun,
        Metadata,
        PrNumber,
        Project,
        RepoName,
        RunCollectionRequest,
        RunGrepRequest,
        RunGrepV2Request,
        RunState,
        RunStatus,
        RunStatusV2,
        RunSuiteRequest,
        RunTestsRequest,
        SessionId,
        SessionStatus,
        TestAttachments,
        TestId,
        TestResult,
        TestRunId,
        TestRunResults,
        TestStatus,
        Verdict,
    ]
}

fn document() -> Value {
    let yaml = std::fs::read_to_string("checksum.yaml").expect("the document");
    serde_saphyr::from_str(&yaml).expect("YAML")
}

/// The members of an object of the document.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[test]
fn every_component_is_a_type_that_can_do_what_types_can() {
    let document = document();
    let components: Vec<&str> = members(&document["components"]["schemas"])
        .map(|(name, _)| name.as_str())
        .collect();
    let mut sorted = components.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, generated_types().into_keys().collect::<Vec<_>>());
}

#[test]
fn maps_are_ordered() {
    let overrides = BTreeMap::from([
        ("B".to_owned(), "2".to_owned()),
        ("A".to_owned(), "1".into()),
    ]);
    let json = serde_json::to_string(&types::EnvOverrides(overrides)).expect("JSON");
    assert_eq!(json, r#"{"A":"1","B":"2"}"#);
}

#[test]
fn the_documentation_of_operations_is_the_documents() {
    let code = include_str!(concat!(env!("OUT_DIR"), "/generated.rs"));
    let document = document();
    let mut operations = 0;
    for (_, item) in members(&document["paths"]) {
        for (_, operation) in members(item) {
            operations += 1;
            let mut texts = vec![&operation["summary"], &operation["description"]];
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            texts.extend(parameters.map(|parameter| &parameter["description"]));
            for text in texts {
                let text = text.as_str().expect("a text").trim();
                assert!(code.contains(text), "{}: {text}", operation["operationId"]);
            }
        }
    }
    assert_eq!(operations, 17);
}

#[test]
fn every_example_survives_decoding_and_encoding() {
    let types = generated_types();
    let document = document();
    let mut found = Vec::new();
    collect(&document, &mut found);

    assert!(found.len() > 17);
    for (schema, example) in &found {
        let round_trip = types
            .get(schema.as_str())
            .unwrap_or_else(|| panic!("{schema}"));
        let again = round_trip(example).unwrap_or_else(|error| panic!("{schema}: {error}"));
        assert_eq!(again, *example, "{schema}");
    }
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
