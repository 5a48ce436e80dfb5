//! `checksum heal`.

use checksum_mock::{BatchScript, Fault};

use crate::invocation::{exec, start_mock};
use crate::transcript::{FORMATS, TEST_RUN, after_a_run, transcript};

#[tokio::test(flavor = "multi_thread")]
async fn heal_prints_the_result_in_each_format() {
    let mut all = String::new();
    for format in FORMATS {
        let mock = after_a_run().await;
        let script = BatchScript::new().pending(1).session(1);
        mock.next_heal(script.fail_tests(["test-ghi-789"]));
        let arguments = format!(
            "heal {TEST_RUN} --repo acme-co/my-tests --branch main --pr 42 \
             --metadata ticket=42 --poll-interval 0s --output {format}"
        );
        all += &transcript(&mock, &arguments, 1);
    }
    insta::assert_snapshot!("heal", all);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_of_a_healing_has_its_exit_code() {
    let arguments = format!("heal {TEST_RUN} --no-create-pr --poll-interval 0s --output json");
    for (script, code) in [
        (BatchScript::new(), 0),
        (BatchScript::new().no_sessions(), 0),
        (BatchScript::new().without_pull_requests(), 0),
        (BatchScript::new().fail_tests(["test-def-456"]), 1),
        (BatchScript::new().fail_all(), 1),
    ] {
        let mock = after_a_run().await;
        mock.next_heal(script);
        exec(&mock, &arguments).exits(code);
    }

    let mock = after_a_run().await;
    let unavailable = Fault::status(503).on_operation("trigger_auto_heal");
    mock.fault(unavailable.always());
    exec(&mock, &arguments).exits(5);
    let mock = after_a_run().await;
    mock.next_heal(BatchScript::new().session(1_000_000));
    exec(&mock, format!("{arguments} --timeout 1ms"))
        .exits(3)
        .stderr_has("wait --heal-batch=");
    exec(&mock, "heal nowhere --no-create-pr").exits(2);
    exec(&mock, format!("heal {TEST_RUN} --pr 1")).exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_owner_is_sent_with_a_note() {
    let mock = start_mock().await;
    let note = "note: --repo my-tests is not OWNER/REPO";
    for (arguments, is_noted) in [
        ("run suite --detach --auto-heal --repo my-tests", true),
        ("run grep x --detach --auto-heal --repo my-tests", true),
        (
            "run suite --detach --auto-heal --repo my-tests --quiet",
            false,
        ),
        (
            "run suite --detach --auto-heal --repo acme-co/my-tests",
            false,
        ),
        ("heal run-id --repo my-tests --dry-run", true),
    ] {
        let ended = exec(&mock, arguments).exits(0);
        assert_eq!(
            ended.stderr.contains(note),
            is_noted,
            "{arguments}: {ended:?}"
        );
    }
    let named = mock.requests();
    let named = named
        .iter()
        .map(|one| one.body["autoHeal"]["repoName"].as_str());
    let bare = Some("my-tests");
    let expected = [bare, bare, bare, Some("acme-co/my-tests")];
    assert_eq!(named.collect::<Vec<_>>(), expected);
}
