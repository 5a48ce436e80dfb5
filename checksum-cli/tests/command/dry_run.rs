//! `--dry-run`.

use crate::invocation::{checksum, exec, start_mock};
use crate::transcript::transcript_of;

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_prints_the_request_and_sends_nothing() {
    let mock = start_mock().await;
    let mut all = String::new();
    for arguments in [
        "run suite --dry-run",
        "run collection collection-abc-123 --auto-heal --repo acme-co/my-tests --dry-run",
        "run tests id1 id2 --dry-run --output json",
        "run grep checkout --env PASSWORD=hunter2 --dry-run",
        "heal run-id --no-create-pr --metadata by=ci --dry-run",
        "generate --repo acme-co/webapp --pr 42 --branch feature --env PASSWORD=hunter2 --dry-run",
    ] {
        let invocation = checksum(&mock.url(), arguments).without_env("CHECKSUM_API_KEY");
        let ended = invocation.end().exits(0);
        ended.stdout_lacks("hunter2");
        let version = env!("CARGO_PKG_VERSION");
        let text = transcript_of(&mock, arguments, &ended);
        all += &text.replace(&format!("/{version}"), "/[version]");
    }
    assert_eq!(mock.request_count(), 0);
    insta::assert_snapshot!("dry_run", all);

    exec(&mock, "heal run-id --dry-run").exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_of_affected_prints_the_request_that_finds_the_tests() {
    checksum("http://127.0.0.1:9", "run affected a.ts --dry-run")
        .end()
        .exits(0)
        .stdout_has("/v1/affected-tests");
    checksum("http://127.0.0.1:9", "run affected - --dry-run")
        .end()
        .exits(0)
        .stdout_has("nothing was started");
}
