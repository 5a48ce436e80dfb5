//! The key and the values of variables are in no output, at the most talkative level. Every other
//! test asserts the same of its own outputs, where the key is concerned.

use std::io::Write;

use checksum_mock::{Fault, Mock, RunScript};

use crate::invocation::{KEY, checksum};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_logged() {
    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(RunScript::new().fails(["test-def-456"]));
    mock.fault(
        Fault::status(500)
            .body(format!("you sent {KEY}"))
            .on("get_run_status_v2"),
    );
    mock.fault(Fault::reset_before().on("get_run_status_v2"));
    let arguments = "run grep checkout --poll-interval 0s --env TOKEN=value-not-to-show -vvv";
    let ended = checksum(&mock.url(), arguments)
        .env("CHECKSUM_LOG", "trace")
        .end();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("TRACE"), "the log is not talkative");
    assert!(ended.stderr.contains("you sent ***"), "{ended:?}");
    assert!(!ended.stderr.contains("value-not-to-show"), "{ended:?}");

    let refused = Mock::builder()
        .api_key("another")
        .start()
        .await
        .expect("a stand-in");
    let ended = checksum(&refused.url(), "me -vvv")
        .env("CHECKSUM_LOG", "trace")
        .end();
    assert_eq!(ended.code, 4, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_repeats_is_hidden() {
    let mock = Mock::start().await.expect("a stand-in");
    let value = "https://user:hush@preview.example/";
    for said in [
        format!("cannot reach {value}"),
        serde_json::json!({ "message": format!("cannot reach {value}") }).to_string(),
        serde_json::json!({ "sent": { "BASE_URL": value } }).to_string(),
    ] {
        for arguments in [
            "run grep checkout",
            "generate --repo acme-co/webapp --pr 42 --branch feature",
        ] {
            let operations = ["run_grep_v2", "trigger_auto_generate"];
            for operation in operations {
                mock.fault(Fault::status(400).body(said.clone()).on(operation));
            }
            let arguments = format!("{arguments} --env BASE_URL={value} --output json -vvv");
            let ended = checksum(&mock.url(), &arguments).end();
            assert_eq!(ended.code, 2, "{ended:?}");
            let shown = ended.stdout + &ended.stderr;
            assert!(shown.contains("***"), "{shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }

    // Not even a part of it, where the text is cut.
    for length in 270..300 {
        let said = format!("{}{KEY}", "x".repeat(length));
        mock.fault(Fault::status(400).body(said).on("get_project"));
        let ended = checksum(&mock.url(), "me").end();
        assert!(!ended.stderr.contains(&KEY[..4]), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_comes_from_a_file_or_from_standard_input() {
    let mock = Mock::builder()
        .api_key(KEY)
        .start()
        .await
        .expect("a stand-in");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    writeln!(file, "{KEY}").expect("written");

    let by_path = checksum(&mock.url(), "me --api-key-file")
        .without_env("CHECKSUM_API_KEY")
        .argument(file.path());
    assert_eq!(by_path.end().code, 0);
    let by_input = checksum(&mock.url(), "me --api-key-stdin")
        .env("CHECKSUM_API_KEY", "another")
        .stdin(file.path());
    assert_eq!(by_input.end().code, 0);

    writeln!(file, "second line").expect("written");
    let two_lines = checksum(&mock.url(), "me --api-key-file")
        .argument(file.path())
        .end();
    assert_eq!(two_lines.code, 2, "{two_lines:?}");
    assert!(
        two_lines.stderr.contains("contains white space"),
        "{two_lines:?}"
    );
    let mut large = tempfile::NamedTempFile::new().expect("a file");
    write!(large, "{}", KEY.repeat(1_000)).expect("written");
    let large = checksum(&mock.url(), "me --api-key-file")
        .argument(large.path())
        .end();
    assert_eq!(large.code, 2, "{large:?}");
    assert!(large.stderr.contains("too large"), "{large:?}");
    assert_eq!(
        checksum(&mock.url(), "me --api-key-file /nowhere")
            .end()
            .code,
        2
    );
}

#[test]
fn what_the_arguments_hold_by_mistake_is_not_repeated() {
    let secret = "hush-hush";
    for (arguments, said) in [
        ("run grep checkout --env A=1 B=hush-hush", "'B=***'"),
        ("run grep checkout --env A=1 -B=hush-hush", "'-B'"),
        ("run suite --api-key=hush-hush", "'--api-key'"),
        ("run suite --api-key hush-hush", "'--api-key'"),
        ("run suite --api-key-stdin=hush-hush", "'***'"),
        (
            "run suite --base-url https://user:hush-hush@api.example",
            "--base-url: the base URL carries credentials",
        ),
    ] {
        let ended = checksum("", arguments).end();
        assert_eq!(ended.code, 2, "{arguments}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments}: {ended:?}");
        let shown = ended.stdout + &ended.stderr;
        assert!(!shown.contains(secret), "{arguments}: {shown}");
    }
}
