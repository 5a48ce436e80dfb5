use super::rule::{Finding, RULES, findings};
use crate::document::Document;

#[test]
fn the_document_keeps_every_rule() {
    assert_eq!(findings(&Document::current().expect("the document")), []);
}

/// A change of the document for each rule, and a part of the place where it is found.
const TRIPS: &[(&str, &str, &str, &str)] = &[
    (
        "operation-id-in-snake-case",
        "operationId: get_project",
        "operationId: getProject",
        "#/paths/~1v1~1me/get/operationId",
    ),
    (
        "one-range-for-each-outcome",
        "'4XX':",
        "default:",
        "#/paths/~1v1~1me/get/responses",
    ),
    (
        "errors-are-bytes",
        "'*/*':",
        "application/json:",
        "#/paths/~1v1~1me/get/responses/4XX",
    ),
    (
        "examples-for-requests-and-answers",
        "examples:\n                project:",
        "x-examples:\n                project:",
        "#/paths/~1v1~1me/get/responses/2XX/content/application~1json",
    ),
    (
        "examples-for-requests-and-answers",
        "          example: collection-abc-123\n",
        "",
        "#/paths/~1v1~1execution~1collection~1{id}/post/parameters/0",
    ),
    (
        "path-parameters-are-identifiers",
        "$ref: '#/components/schemas/CollectionId'",
        "$ref: '#/components/schemas/GrepPattern'",
        "#/paths/~1v1~1execution~1collection~1{id}/post/parameters/0",
    ),
    (
        "query-parameters-are-plain",
        "$ref: '#/components/schemas/BugSeverity'",
        "$ref: '#/components/schemas/Project'",
        "#/paths/~1v1~1health-dashboard~1bugs/get/parameters/1",
    ),
    (
        "optional-bodies-can-be-empty",
        "$ref: '#/components/schemas/RunSuiteRequest'",
        "$ref: '#/components/schemas/RunTestsRequest'",
        "#/paths/~1v1~1execution~1suite/post/requestBody",
    ),
    ("order", "\ntags:\n", "\nx-tags: []\ntags:\n", "#"),
    (
        "order",
        "tags: [Healing]",
        "tags: [Project]",
        "#/paths/~1v1~1auto-heal/post",
    ),
    (
        "provenance",
        "x-provenance: observed",
        "x-provenance: rumoured",
        "/examples/sharded/x-provenance",
    ),
    (
        "provenance",
        "      operationId: list_bugs\n      x-provenance: mentioned\n",
        "      operationId: list_bugs\n",
        "#/paths/~1v1~1health-dashboard~1bugs/get",
    ),
    (
        "provenance",
        "    ClientError:\n      x-provenance: mentioned\n",
        "    ClientError:\n",
        "#/paths/~1v1~1me/get/responses/4XX",
    ),
    (
        "no-inline-schema",
        "            items:\n              type: string\n",
        "            items:\n              type: object\n",
        "#/paths/~1v1~1health-dashboard~1bugs/get/parameters/5/schema/items",
    ),
    (
        "no-inline-schema",
        "        prNumber:\n          $ref: '#/components/schemas/PrNumber'\n",
        "        prNumber:\n          type: integer\n          format: uint64\n          minimum: 1\n          description: A copy.\n",
        "#/components/schemas/AutoHeal/properties/prNumber",
    ),
    (
        "descriptions-of-members",
        "          description: The project's id.\n",
        "",
        "#/components/schemas/Project/properties/id",
    ),
    (
        "no-closed-enum",
        "      x-extensible-enum: [critical",
        "      enum: [critical",
        "#/components/schemas/BugSeverity",
    ),
    (
        "no-closed-enum",
        "oneOf:",
        "anyOf:",
        "#/components/schemas/DispatchedRun/properties/name",
    ),
    (
        "unknown-members",
        "      additionalProperties: {}\n\n    AutoHeal:",
        "      additionalProperties: true\n\n    AutoHeal:",
        "#/components/schemas/Project",
    ),
    (
        "unknown-members",
        "      properties:\n        autoHeal:",
        "      additionalProperties: {}\n      properties:\n        autoHeal:",
        "#/components/schemas/RunSuiteRequest",
    ),
    (
        "unsigned-counts",
        "format: uint64",
        "format: int64",
        "#/paths/~1v1~1health-dashboard~1bugs/get/parameters/3/schema",
    ),
    (
        "no-uuid",
        "    TestRunId:\n      type: string\n",
        "    TestRunId:\n      type: string\n      format: uuid\n",
        "#/components/schemas/TestRunId",
    ),
];

#[test]
fn every_rule_can_be_tripped() {
    for (rule, from, to, place) in TRIPS {
        let found = findings(&Document::changed(from, to));
        let hit = |finding: &Finding| finding.rule == *rule && finding.place.contains(place);
        assert!(found.iter().any(hit), "{rule}: {from} → {to}: {found:#?}");
    }
    for rule in RULES {
        let tripped = TRIPS.iter().any(|(name, ..)| *name == rule.name);
        assert!(tripped, "nothing trips {}", rule.name);
        assert!(!rule.reason.is_empty());
    }
}
