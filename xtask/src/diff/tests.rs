use super::{Change, Class, Format, changes, report};
use crate::document::Document;

/// The list after one text of the document was replaced, without its first line.
fn after(from: &str, to: &str) -> Vec<String> {
    let document = Document::current().expect("the document");
    lines(&changes(&document, &Document::changed(from, to)))
}

fn lines(changes: &[Change]) -> Vec<String> {
    let line = |change: &Change| {
        format!(
            "{} {} {} {}: {}",
            change.class, change.side, change.kind, change.subject, change.message
        )
    };
    changes.iter().map(line).collect()
}

#[test]
fn the_same_document_has_no_change() {
    let document = Document::current().expect("the document");
    assert_eq!(changes(&document, &document), []);
    assert_eq!(report("title", &[], None), "title: no change\n");
}

#[test]
fn a_new_required_member_breaks_what_is_sent() {
    let found = after("required: [testIds]", "required: [testIds, autoHeal]");
    assert_eq!(
        found,
        ["breaking request changed RunTestsRequest.autoHeal: is required now"]
    );
}

#[test]
fn a_new_member_of_an_answer_breaks_nothing() {
    let found = after(
        "    Project:\n      type: object\n      description: The project that an API key belongs to.\n      required: [id, name]\n      properties:\n",
        "    Project:\n      type: object\n      description: The project that an API key belongs to.\n      required: [id, name]\n      properties:\n        slug:\n          type: string\n          description: Short.\n",
    );
    assert_eq!(
        found,
        ["compatible response added Project.slug: an optional member is new"]
    );
}

#[test]
fn a_member_that_an_answer_may_lack_breaks() {
    let found = after("required: [id, name]", "required: [id]");
    assert_eq!(
        found,
        ["breaking response changed Project.name: may be missing now"]
    );
}

#[test]
fn enumerations_are_open() {
    let added = after(
        "[queued, running, passed,",
        "[queued, paused, running, passed,",
    );
    assert_eq!(
        added,
        [r#"compatible response added RunState: the value "paused" is new"#]
    );
    let removed = after("[critical, major, minor]", "[critical, minor]");
    assert_eq!(
        removed,
        [
            r#"breaking request removed BugSeverity: the value "major" is gone, and its variant with it"#
        ]
    );
    let order = after("[critical, major, minor]", "[minor, major, critical]");
    assert_eq!(
        order,
        ["documentation only request changed BugSeverity: the values are in another order"]
    );
}

#[test]
fn a_type_used_both_ways_is_judged_for_each() {
    let found = after(
        "x-extensible-enum: [passed, failed, recovered, bug]",
        "x-extensible-enum: [passed, failed, recovered, bug, skipped]",
    );
    assert_eq!(
        found,
        [
            r#"compatible request added TestStatus: the value "skipped" is new"#,
            r#"compatible response added TestStatus: the value "skipped" is new"#,
        ]
    );
}

#[test]
fn operations_are_followed_by_their_ids() {
    let path = after("/v1/me:", "/v1/project:");
    assert_eq!(
        path,
        ["breaking request changed get_project: GET /v1/me became GET /v1/project"]
    );
    let id = after("operationId: get_project", "operationId: get_me");
    assert_eq!(
        id,
        ["breaking operation changed get_me: was `get_project`: the method of that name is gone"]
    );
    let gone = after("\n  /v1/me:\n    get:", "\n  /v1/me:\n    x-get:");
    assert_eq!(
        gone[0],
        "breaking operation removed get_project: GET /v1/me"
    );
    let document = Document::current().expect("the document");
    let without = Document::changed("\n  /v1/me:\n    get:", "\n  /v1/me:\n    x-get:");
    let found = lines(&changes(&without, &document));
    assert_eq!(
        found[0],
        "compatible operation added get_project: GET /v1/me"
    );
}

#[test]
fn texts_are_documentation_only() {
    for (from, to) in [
        ("summary: Run every test", "summary: Run all of it"),
        ("description: The project's id.", "description: Its id."),
        ("name: My Project", "name: Your Project"),
        (
            "description: The collection to run.",
            "description: What to run.",
        ),
        ("version: 0.1.0", "version: 0.2.0"),
    ] {
        let document = Document::current().expect("the document");
        let found = changes(&document, &Document::changed(from, to));
        assert!(!found.is_empty(), "{from}");
        assert!(
            found
                .iter()
                .all(|change| change.class == Class::DocumentationOnly),
            "{found:?}"
        );
    }
}

#[test]
fn parameters_bodies_bounds_and_types() {
    for (from, to, expected) in [
        (
            "name: severity",
            "name: level",
            vec![
                "breaking request removed list_bugs query parameter `severity`: removed",
                "compatible request added list_bugs query parameter `level`: an optional parameter is new",
            ],
        ),
        (
            "minItems: 1",
            "minItems: 2",
            vec!["breaking request changed RunTestsRequest.testIds: minItems: 1 became 2"],
        ),
        (
            "        sharded:\n          type: boolean",
            "        sharded:\n          type: string",
            vec![
                r#"breaking response changed DispatchedRun.sharded: type: "boolean" became "string""#,
            ],
        ),
        (
            "          type: string\n          nullable: true\n          description: What the test",
            "          type: string\n          description: What the test",
            vec!["compatible response changed TestResult.errorMessage: is not null any more"],
        ),
        (
            "        required: false\n        content",
            "        required: true\n        content",
            vec!["breaking request changed run_suite body: is required now"],
        ),
        (
            "security:\n  - bearerAuth: []",
            "security: []",
            vec![r#"breaking operation changed security: [{"bearerAuth":[]}] became []"#],
        ),
        (
            "      operationId: get_project\n",
            "      operationId: get_project\n      deprecated: true\n",
            vec!["compatible operation added get_project: deprecated: added"],
        ),
        (
            "$ref: '#/components/schemas/Project'",
            "$ref: '#/components/schemas/Batch'",
            vec!["breaking response changed get_project answer 2XX: `Project` became `Batch`"],
        ),
    ] {
        let found = after(from, to);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        for line in &expected {
            assert!(found.contains(line), "{from}: {found:#?}");
        }
        assert!(found.len() <= expected.len() + 1, "{from}: {found:#?}");
    }
}

#[test]
fn reports_for_people_and_programs() {
    let document = Document::current().expect("the document");
    let changed = Document::changed("required: [testIds]", "required: [testIds, autoHeal]");
    let found = changes(&document, &changed);
    assert_eq!(
        report("a → b", &found, None),
        "a → b: 1 breaking, 0 compatible, 0 documentation only\n\n\
         breaking\n  request    changed  RunTestsRequest.autoHeal  is required now\n"
    );
    assert_eq!(
        report("a → b", &found, Some(Format::Markdown)),
        "a → b: 1 breaking, 0 compatible, 0 documentation only\n\n### breaking\n\n\
         | side | kind | what | change |\n| --- | --- | --- | --- |\n\
         | request | changed | RunTestsRequest.autoHeal | is required now |\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(&report("a → b", &found, Some(Format::Json))).expect("JSON");
    assert_eq!(json["breaking"], 1);
    assert_eq!(
        json["changes"][0]["pointer"],
        "#/components/schemas/RunTestsRequest/properties/autoHeal"
    );
}
