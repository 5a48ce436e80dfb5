//! What deviates, where, and how much it matters.

use checksum_contract::{Document, Drift, DriftKind, Provenance, compare};
use serde_json::{Value, json};

/// A document whose one operation, `look`, answers with this schema; `Word`, `Part` and `Tree` are
/// components of it.
fn document(schema: &Value) -> Document {
    with_media(&json!({ "schema": schema }), None)
}

fn with_media(media: &Value, provenance: Option<&str>) -> Document {
    let mut operation = json!({
        "operationId": "look",
        "responses": { "2XX": { "content": { "application/json": media } } },
    });
    if let Some(provenance) = provenance {
        operation["x-provenance"] = provenance.into();
    }
    let root = json!({
        "paths": { "/look": { "get": operation } },
        "components": { "schemas": {
            "Word": {
                "type": "string",
                "x-provenance": "mentioned",
                "x-extensible-enum": ["passed", "failed"],
            },
            "Part": {
                "type": "object",
                "required": ["id"],
                "properties": { "id": { "type": "string", "minLength": 1 } },
                "additionalProperties": {},
            },
            "Tree": {
                "type": "object",
                "properties": {
                    "name": { "type": "string" },
                    "children": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } },
                },
            },
        } },
    });
    Document::parse(&root.to_string()).expect("a document")
}

fn drifts(schema: &Value, answer: &Value) -> Vec<Drift> {
    let document = document(schema);
    compare(
        &document,
        document.operation("look").expect("an operation"),
        answer,
    )
}

fn lines(schema: &Value, answer: &Value) -> Vec<String> {
    drifts(schema, answer)
        .iter()
        .map(Drift::to_string)
        .collect()
}

fn object(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

#[test]
fn each_type_is_told_from_the_others() {
    let values = [
        ("null", json!(null)),
        ("boolean", json!(true)),
        ("integer", json!(7)),
        ("negative integer", json!(-7)),
        ("number", json!(0.25)),
        ("string", json!("text")),
        ("empty string", json!("")),
        ("array", json!([])),
        ("object", json!({})),
    ];
    let accepted: [(Value, &[&str]); 9] = [
        (json!({ "type": "boolean" }), &["boolean"]),
        (
            json!({ "type": "integer" }),
            &["integer", "negative integer"],
        ),
        (json!({ "type": "integer", "minimum": 0 }), &["integer"]),
        (
            json!({ "type": "number" }),
            &["integer", "negative integer", "number"],
        ),
        (json!({ "type": "string" }), &["string", "empty string"]),
        (json!({ "type": "string", "minLength": 1 }), &["string"]),
        (json!({ "type": "array", "items": {} }), &["array"]),
        (json!({ "type": "object" }), &["object"]),
        (
            json!({ "type": "string", "nullable": true }),
            &["null", "string", "empty string"],
        ),
    ];
    for (schema, accepted) in accepted {
        for (name, value) in &values {
            let found = drifts(&schema, value);
            match accepted.contains(name) {
                true => assert_eq!(found, [], "{schema} {value}"),
                false => {
                    let [drift] = &found[..] else {
                        panic!("{schema} {value}: {found:?}")
                    };
                    assert!(
                        matches!(&drift.kind, DriftKind::OtherType { found, .. } if found == name),
                        "{drift:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn paths_stand_for_every_element_and_are_counted() {
    let part = json!({ "$ref": "#/components/schemas/Part" });
    let schema = object(json!({
        "parts": { "type": "array", "items": part },
        "rows": { "type": "array", "items": { "type": "array", "items": { "type": "integer" } } },
    }));
    let answer = json!({
        "parts": [{ "id": "a" }, {}, { "id": "b", "more": 1 }, {}, { "id": "" }],
        "rows": [[1, "2"], ["3"]],
    });
    assert_eq!(
        lines(&schema, &answer),
        [
            "$.parts[*].id: is missing (documented, 2 times)",
            "$.parts[*].id: empty string where the document has non-empty string (documented)",
            "$.parts[*].more: a member that the document does not have (documented)",
            "$.rows[*][*]: string where the document has integer (documented, 2 times)",
        ]
    );
}

#[test]
fn null_is_a_choice_where_the_document_says_so() {
    let choice = json!({ "oneOf": [{ "$ref": "#/components/schemas/Part" }, { "enum": [null] }] });
    let schema = object(json!({ "part": choice, "list": { "type": "array", "items": {} } }));
    assert_eq!(drifts(&schema, &json!({ "part": null })), []);
    assert_eq!(
        lines(&schema, &json!({ "part": 1, "list": null })),
        [
            "$.list: null where the document has array (documented)",
            "$.part: integer where the document has object or null (documented)",
        ]
    );
}

#[test]
fn of_several_choices_the_nearest_counts() {
    let parts = json!([{ "type": "string" }, { "$ref": "#/components/schemas/Part" }]);
    let schema = json!({ "oneOf": parts });
    assert_eq!(drifts(&schema, &json!("text")), []);
    assert_eq!(drifts(&schema, &json!({ "id": "a" })), []);
    let more = json!({ "id": "a", "more": 1 });
    assert_eq!(
        lines(&schema, &more),
        ["$.more: a member that the document does not have (documented)"]
    );
    let nested = json!({ "type": "array", "items": schema });
    assert_eq!(
        lines(&nested, &json!([more, "text", more, 1])),
        [
            "$[*]: integer where the document has string or object (documented)",
            "$[*].more: a member that the document does not have (documented, 2 times)",
        ]
    );
}

#[test]
fn all_of_is_the_sum_of_its_parts() {
    let own = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    let schema = json!({ "allOf": [{ "$ref": "#/components/schemas/Part" }, own] });
    assert_eq!(drifts(&schema, &json!({ "id": "a", "n": 1 })), []);
    assert_eq!(
        lines(&schema, &json!({ "n": "1", "more": 1 })),
        [
            "$.id: is missing (documented)",
            "$.more: a member that the document does not have (documented)",
            "$.n: string where the document has integer (documented)",
        ]
    );
}

#[test]
fn free_form_json_is_never_wrong_and_never_named() {
    let schema = object(json!({
        "any": {},
        "metadata": { "type": "object", "additionalProperties": {} },
        "env": { "type": "object", "additionalProperties": { "type": "string" } },
    }));
    let answer = json!({
        "any": [{ "a": 1 }],
        "metadata": { "customer": { "secret": 1 } },
        "env": { "CUSTOMER_TOKEN": 1, "CUSTOMER_NAME": null },
    });
    assert_eq!(
        lines(&schema, &answer),
        [
            "$.env.*: integer where the document has string (documented)",
            "$.env.*: null where the document has string (documented)",
        ]
    );
}

#[test]
fn new_values_are_shown_where_they_are_words() {
    let word = json!({ "type": "string", "x-extensible-enum": ["passed", "failed"] });
    for (value, shown) in [
        ("skipped", Some("skipped")),
        ("timed-out", Some("timed-out")),
        ("PASSED", Some("PASSED")),
        ("Ms Jane Doe", None),
        ("jane@example.com", None),
        ("https://example.com/x", None),
        ("7f9c2ba4-e88f-827d-9160-4bd11d0a5c1e", None),
        ("s3cr3t", None),
        ("", None),
    ] {
        let found = drifts(&word, &json!(value));
        let expected = DriftKind::NewValue {
            value: shown.map(str::to_owned),
        };
        assert_eq!(found[0].kind, expected, "{value}");
    }
    assert_eq!(drifts(&word, &json!("failed")), []);
}

#[test]
fn names_that_may_be_data_are_not_shown() {
    let schema = object(json!({ "id": {} }));
    let answer = json!({ "jane@example.com": 1, "s3cr3t-name": 1, "isNew": 1 });
    assert_eq!(
        lines(&schema, &answer),
        [
            "$.*: a member that the document does not have (documented, 2 times)",
            "$.isNew: a member that the document does not have (documented)",
        ]
    );
}

#[test]
fn the_nearest_word_on_provenance_holds() {
    let schema = json!({
        "type": "object",
        "required": ["word", "seen"],
        "properties": {
            // Its presence is documented, its values are mentioned.
            "word": { "$ref": "#/components/schemas/Word" },
            "seen": { "type": "boolean", "x-provenance": "observed" },
            "inner": {
                "type": "object",
                "x-provenance": "mentioned",
                "properties": {
                    "a": { "type": "string" },
                    "b": { "type": "string", "x-provenance": "documented" },
                },
            },
            "part": {
                "x-provenance": "observed",
                "allOf": [{ "$ref": "#/components/schemas/Part" }],
            },
        },
    });
    let of = |answer: &Value| -> Vec<(String, Provenance)> {
        let drifts = drifts(&schema, answer);
        drifts.into_iter().map(|d| (d.path, d.provenance)).collect()
    };
    let path = |path: &str, provenance| (path.to_owned(), provenance);
    assert_eq!(
        of(&json!({})),
        [
            path("$.seen", Provenance::Observed),
            path("$.word", Provenance::Documented)
        ]
    );
    let answer = json!({
        "word": "new", "seen": 1, "inner": { "a": 1, "b": 1, "c": 1 }, "part": {},
    });
    assert_eq!(
        of(&answer),
        [
            path("$.inner.a", Provenance::Mentioned),
            path("$.inner.b", Provenance::Documented),
            path("$.inner.c", Provenance::Mentioned),
            path("$.part.id", Provenance::Observed),
            path("$.seen", Provenance::Observed),
            path("$.word", Provenance::Mentioned),
        ]
    );
    assert!(
        drifts(&schema, &json!({ "word": "passed", "seen": 1 }))
            .iter()
            .all(|d| !d.is_failure())
    );
}

#[test]
fn an_example_stands_in_for_a_shape_and_gives_notes() {
    let examples = json!({
        "one": { "value": { "items": [{ "id": "a", "n": 1 }, { "id": "b" }], "total": 1 } },
        "two": { "value": { "items": [] } },
    });
    let document = with_media(
        &json!({ "schema": {}, "examples": examples }),
        Some("mentioned"),
    );
    let operation = document.operation("look").expect("an operation");
    assert_eq!(operation.provenance(), Provenance::Mentioned);
    let compared = |answer: Value| -> Vec<String> {
        let drifts = compare(&document, operation, &answer);
        assert!(drifts.iter().all(|drift| !drift.is_failure()));
        drifts.iter().map(Drift::to_string).collect()
    };
    assert_eq!(compared(json!({ "items": [{ "id": "x" }] })), [""; 0]);
    assert_eq!(compared(json!({ "items": null })), [""; 0]);
    assert_eq!(
        compared(json!({ "items": [{ "id": 1 }], "next": "x" })),
        [
            "$.items[*].id: integer where the document has string or null (mentioned)",
            "$.next: a member that the document does not have (mentioned)",
        ]
    );
    assert_eq!(
        compared(json!("https://example.com/private")),
        ["$: string where the document has object or null (mentioned)"]
    );
}

#[test]
fn depth_and_size_are_borne() {
    let tree = json!({ "$ref": "#/components/schemas/Tree" });
    // As deep as serde_json reads, and far deeper than that.
    for depth in [60, 5_000] {
        let mut answer = json!({ "name": 1 });
        for _ in 0..depth {
            // `json!` would copy it, which overflows the stack of itself.
            let children = ("children".to_owned(), Value::Array(vec![answer]));
            answer = Value::Object([children].into_iter().collect());
        }
        let is_found = !drifts(&tree, &answer).is_empty();
        assert_eq!(is_found, depth < 64);
        // And so would dropping it.
        std::mem::forget(answer);
    }
    let names = (0..5_000).map(|n: u32| {
        let letters = n
            .to_string()
            .bytes()
            .map(|digit| char::from(digit - b'0' + b'a'))
            .collect();
        (letters, json!(1))
    });
    let wide: serde_json::Map<String, Value> = names.collect();
    let many: Vec<Value> = vec![json!({ "id": 1 }); 100_000];
    assert_eq!(
        drifts(&object(json!({ "id": {} })), &wide.into()).len(),
        500
    );
    let list = json!({ "type": "array", "items": { "$ref": "#/components/schemas/Part" } });
    assert_eq!(drifts(&list, &many.into())[0].count, 100_000);
}

#[test]
fn what_is_wrong_with_a_document_is_told_by_place() {
    let complaint = |yaml: &str| Document::parse(yaml).expect_err(yaml).to_string();
    assert!(complaint("paths: [").starts_with("line "));
    assert_eq!(complaint("info: {}"), "#/paths: is missing");
    let schema = |schema: &str| {
        complaint(&format!(
            "paths: {{}}\ncomponents:\n  schemas:\n    A: {schema}\n"
        ))
    };
    assert_eq!(
        schema("{ $ref: '#/components/schemas/Gone' }"),
        "#/components/schemas/A/$ref: \"#/components/schemas/Gone\" is no schema of this document"
    );
    assert_eq!(
        schema("{ type: intetger }"),
        "#/components/schemas/A/type: `intetger` is no type"
    );
    assert!(
        schema("{ allOf: [{ $ref: '#/components/schemas/A' }, {}] }")
            .contains("lead back to themselves")
    );
    assert!(schema("{ x-provenance: rumoured }").contains("documented, mentioned or observed"));
    // A circle of references is a document that says nothing.
    let circle =
        "{ paths: {}, components: { schemas: { A: { $ref: '#/components/schemas/A' } } } }";
    assert!(Document::parse(circle).is_ok());
}
