//! The tests that a change affects: how they are requested, and the run of them.

use checksum_api_ext::{Grep, Started};
use checksum_tests::{FakeTransport, Script};
use serde_json::{Value, json};

const AFFECTED: &str = "/v1/affected-tests";

fn bodies(transport: &FakeTransport) -> Vec<Value> {
    transport
        .log()
        .into_iter()
        .map(|request| request.body)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn affected_tests_are_run_by_a_pattern_of_their_ids() {
    let affected = json!({ "affectedTestIds": ["z", "a.b", "(c)", "a.b"] });
    let transport = FakeTransport::by_path([
        (AFFECTED, Script::always(affected)),
        (
            "/v2/execution/grep",
            Script::always(json!({ "name": "job" })),
        ),
    ]);
    let checksum = transport.client();
    let affected = checksum.affected_tests(["b.ts", "a.ts"]).await;
    let grep = Grep::of_tests(&affected.expect("a response")).expect("affected tests");
    let run = checksum.run_grep(grep.branch("feature")).start().await;
    drop(run.expect("a run"));
    let bodies = bodies(&transport);
    assert_eq!(bodies[0], json!({ "changedFiles": ["a.ts", "b.ts"] }));
    assert_eq!(
        bodies[1],
        json!({ "grep": r"(\(c\)|a\.b|z)", "branch": "feature" })
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_if_nothing_is_affected() {
    let none = json!({ "affectedTestIds": [] });
    let transport = FakeTransport::by_path([(AFFECTED, Script::always(none))]);
    let affected = transport.client().affected_tests(["README.md"]).await;
    assert!(Grep::of_tests(&affected.expect("a response")).is_none());
    assert_eq!(
        bodies(&transport),
        [json!({ "changedFiles": ["README.md"] })]
    );
    let no_files = transport.client().affected_tests([""; 0]).await;
    assert!(no_files.expect("a response").is_empty());
    assert_eq!(bodies(&transport).len(), 1, "nothing has changed");

    let many = (0..2500).map(|number| format!("{number}.ts"));
    let found = transport.client().affected_tests(many).await;
    assert!(found.expect("a response").is_empty());
    let sent: Vec<usize> = bodies(&transport)[1..]
        .iter()
        .map(|body| body["changedFiles"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(sent, [1000, 1000, 500]);
}

#[tokio::test(start_paused = true)]
async fn a_response_without_the_list_is_an_error() {
    for response in [json!({}), json!({ "affectedTestIds": null }), json!([])] {
        let transport = FakeTransport::by_path([(AFFECTED, Script::always(response.clone()))]);
        let affected = transport.client().affected_tests(["a.ts"]).await;
        let error = affected.expect_err("no list");
        assert_eq!(error.started(), Started::No, "{response}: {error}");
    }
}
