//! Tests what each rewrite changes, by generating the code without it.

use super::document::{fields, parse, schemas};
use super::preprocess::{REWRITES, for_progenitor, response_schemas};
use super::*;

const YAML: &str = include_str!("../../../openapi/checksum.yaml");

/// Code that is generated only without one rewrite, and code that is generated with all of them.
struct Effect {
    rewrite: &'static str,
    without: &'static str,
    with: &'static str,
}

const EFFECTS: &[Effect] = &[
    // Progenitor would need a type for the bodies of errors.
    Effect {
        rewrite: "keep_one_success",
        without: "$ref #/components/schemas/Error is missing",
        with: "pub struct Project {",
    },
    // A body of another shape would not decode.
    Effect {
        rewrite: "read_free_responses_as_json",
        without: "pub enum BugPage {",
        with: "pub struct BugPage(pub ::serde_json::Value);",
    },
    // A response without the field would not decode.
    Effect {
        rewrite: "let_response_fields_be_missing",
        without: "pub test_title: ::std::string::String,",
        with: "pub test_title: ::std::option::Option<::std::string::String>,",
    },
    Effect {
        rewrite: "read_counts_as_unsigned",
        without: "pub failure_count: ::std::option::Option<i64>,",
        with: "pub failure_count: ::std::option::Option<u64>,",
    },
    // The name of a started run would not be what the status of a run takes.
    Effect {
        rewrite: "name_nullable_identifiers",
        without: "pub name: ::std::option::Option<DispatchedRunName>,",
        with: "pub name: ::std::option::Option<crate::generated::custom::JobName>,",
    },
    // The client would send the default.
    Effect {
        rewrite: "leave_defaults_to_the_service",
        without: "pub auto_create_pr: bool,",
        with: "pub auto_create_pr: ::std::option::Option<bool>,",
    },
    // Progenitor panics.
    Effect {
        rewrite: "leave_conditions_to_the_service",
        without: "#/components: ",
        with: "pub struct HealRequest {",
    },
    Effect {
        rewrite: "leave_out_what_is_not_used",
        without: "pub struct PageInfo {",
        with: "pub struct Project {",
    },
];

/// Returns the code that is generated without the rewrite of that name, or the error.
fn without(name: &str) -> String {
    let document = parse(YAML).expect("the document");
    let mut rewritten = document.clone();
    for (other, rewrite) in REWRITES {
        if *other != name {
            rewrite(&mut rewritten);
        }
    }
    match compile(&document, &rewritten) {
        Ok(code) => code.client,
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_rewrite_has_its_effect() {
    let rewrites: Vec<&str> = REWRITES.iter().map(|(name, _)| *name).collect();
    let effects: Vec<&str> = EFFECTS.iter().map(|effect| effect.rewrite).collect();
    assert_eq!(
        effects, rewrites,
        "each rewrite has an effect that shows it"
    );
    let complete = generate(YAML).expect("code").client;
    for effect in EFFECTS {
        let rewrite = effect.rewrite;
        let (without, with) = (effect.without, effect.with);
        assert!(complete.contains(with), "{rewrite}: no `{with}`");
        assert!(!complete.contains(without), "{rewrite}: `{without}`");
        let code = self::without(rewrite);
        assert!(
            code.contains(without),
            "{rewrite}: no `{without}` without it"
        );
    }
}

/// A rewrite whose place in the document is gone should go as well.
#[test]
fn each_rewrite_matches_something() {
    let mut document = parse(YAML).expect("the document");
    for (name, rewrite) in REWRITES {
        let before = document.clone();
        rewrite(&mut document);
        assert_ne!(document, before, "`{name}` matches nothing in the document");
        let once = document.clone();
        rewrite(&mut document);
        assert_eq!(document, once, "`{name}` changes what it has changed");
    }
}

/// Progenitor would generate another type for an identifier that is not listed.
#[test]
fn every_nullable_identifier_is_named() {
    let left = |document: &Value| -> Vec<String> {
        let properties = schemas(document).flat_map(|(of, schema)| {
            fields(&schema["properties"]).map(move |(name, property)| (of, name, property))
        });
        properties
            .filter(|(.., property)| {
                property["nullable"] == true && property.get("pattern").is_some()
            })
            .map(|(of, name, _)| format!("{of}.{name}"))
            .collect()
    };
    let document = parse(YAML).expect("the document");
    assert_eq!(left(&document), ["DispatchedRun.name"]);
    assert_eq!(left(&for_progenitor(&document)), [""; 0]);
}

/// Each object of a response has `additionalProperties` in the document: without it, progenitor would
/// drop unknown fields.
#[test]
fn objects_of_responses_keep_unknown_fields() {
    let document = parse(YAML).expect("the document");
    let rewritten = for_progenitor(&document);
    let objects = response_schemas(&rewritten)
        .into_iter()
        .filter(|name| fields(&rewritten["components"]["schemas"][name]["properties"]).count() > 0);
    let objects: Vec<String> = objects.collect();
    assert!(objects.contains(&"TestResult".to_owned()), "{objects:?}");
    let code = generate(YAML).expect("code").client;
    for name in &objects {
        assert!(keeps_unknown_fields(&code, name), "{name}");
    }
    let changed = YAML.replace("additionalProperties: {}", "x-nothing: {}");
    let code = generate(&changed).expect("code").client;
    assert!(!keeps_unknown_fields(&code, "TestResult"));
}

fn keeps_unknown_fields(code: &str, name: &str) -> bool {
    let (_, item) = code
        .split_once(&format!("    pub struct {name} {{\n"))
        .unwrap_or_else(|| panic!("no struct {name}"));
    let (item, _) = item.split_once("\n    }\n").expect("its end");
    item.contains("#[serde(flatten)]")
}

#[test]
fn the_generator_names_the_place_of_an_error() {
    let error = |from: &str, to: &str| {
        assert!(YAML.contains(from), "`{from}` is not in the document");
        let error = generate(&YAML.replacen(from, to, 1));
        error.expect_err("an error").to_string()
    };
    let values = "enum: [critical, major, minor]";
    let open =
        format!("anyOf:\n        - type: string\n          {values}\n        - type: string");
    for (from, to, expected) in [
        ("\ninfo:", "\n\tinfo: [", "line "),
        (
            "schemas/RunState'",
            "schemas/Gone'",
            "/$ref: `#/components/schemas/Gone` does not exist",
        ),
        (&open, values, "BugSeverity/enum: a closed enumeration"),
        (
            "enum: [queued, running,",
            "enum: [queued, paused, running,",
            "RunState/x-outcomes: the known value `paused` has no outcome",
        ),
        (
            "        queued: pending\n",
            "        queueing: pending\n",
            "RunState/x-outcomes: `queueing` is not among the known values",
        ),
        (
            "operationId: get_project",
            "x-nothing: get_project",
            "#/paths/~1v1~1me/get: ",
        ),
        ("type: integer", "type: intetger", "#/paths/"),
        // Progenitor's own error.
        ("in: path", "in: header", "#/paths/"),
    ] {
        let error = error(from, to);
        assert!(error.contains(expected), "{from}: {error}");
    }
}
