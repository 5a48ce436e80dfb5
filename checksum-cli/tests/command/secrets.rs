//! The API key and the values of variables are in no output, even with the most verbose log. Every
//! other test checks its own output for the API key.

use checksum_mock::{Fault, Mock, RunScript};

use crate::invocation::{KEY, checksum, exec, respond, start_mock};

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_not_logged() {
    let mock = start_mock().await;
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    mock.fault(
        Fault::status(500)
            .body(format!("you sent {KEY}"))
            .on_operation("get_run_status_v2"),
    );
    mock.fault(Fault::reset_before_handling().on_operation("get_run_status_v2"));
    let arguments = "run grep checkout --poll-interval 0s --env TOKEN=value-not-to-show -vvv";
    checksum(&mock.url(), arguments)
        .env("CHECKSUM_LOG", "trace")
        .end()
        .exits(1)
        .stderr_has("TRACE")
        .stderr_has("you sent ***")
        .stderr_lacks("value-not-to-show");

    let rejecting = Mock::builder()
        .api_key("another")
        .start()
        .await
        .expect("a mock server");
    checksum(&rejecting.url(), "me -vvv")
        .env("CHECKSUM_LOG", "trace")
        .end()
        .exits(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_the_service_repeats_are_redacted() {
    let mock = start_mock().await;
    let value = "https://user:hush@preview.example/";
    for expected in [
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
                mock.fault(
                    Fault::status(400)
                        .body(expected.clone())
                        .on_operation(operation),
                );
            }
            let arguments = format!("{arguments} --env BASE_URL={value} --output json -vvv");
            let ended = exec(&mock, &arguments).exits(2);
            let shown = ended.stdout + &ended.stderr;
            assert!(shown.contains("***"), "{shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }

    // Not even a part of it if the text is truncated.
    for length in 270..300 {
        let expected = format!("{}{KEY}", "x".repeat(length));
        mock.fault(
            Fault::status(400)
                .body(expected)
                .on_operation("get_project"),
        );
        let ended = exec(&mock, "me");
        ended.stderr_lacks(&KEY[..4]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_read_from_the_environment_or_a_file_and_redacted() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("variables.env");
    let lines =
        "\u{feff}# Of the preview\r\nexport FROM_FILE='file value'\r\n\r\nBOTH=of-the-file\r\n";
    std::fs::write(&file, lines).expect("a file");
    for start in [
        "run grep checkout --detach",
        "generate --repo acme-co/webapp --pr 42 --branch feature --detach",
    ] {
        let mock = start_mock().await;
        let arguments =
            format!("{start} --env BOTH=of-the-arguments --env PASSED_ON --env EMPTY --env-file");
        checksum(&mock.url(), &arguments)
            .env("PASSED_ON", "from the environment")
            .env("EMPTY", "")
            .argument(&file)
            .end()
            .exits(0);
        let sent = serde_json::json!({
            "FROM_FILE": "file value",
            "BOTH": "of-the-arguments",
            "PASSED_ON": "from the environment",
            "EMPTY": "",
        });
        let requests = mock.requests();
        assert_eq!(requests[0].body["envOverrides"], sent, "{start}");

        // The service repeats them in an error.
        let expected = "<file value> of-the-arguments from%20the%20environment";
        let failed = serde_json::json!({ "message": expected }).to_string();
        mock.fault(Fault::status(400).body(failed).always());
        let ended = checksum(&mock.url(), &arguments)
            .env("PASSED_ON", "from the environment")
            .env("EMPTY", "")
            .argument(&file)
            .end();
        ended.stderr_has("<***> *** ***");
    }

    let mock = start_mock().await;
    let state =
        serde_json::json!({ "status": "odd hush-hush", "isTerminal": true, "verdict": "fail" });
    respond(&mock, "get_run_status_v2", &state);
    let arguments = "run grep checkout --poll-interval 0s --env TOKEN=hush-hush --output json";
    let ended = exec(&mock, arguments);
    let shown = format!("{}{}", ended.stdout, ended.stderr);
    assert!(
        shown.contains("odd ***") && !shown.contains("hush"),
        "{ended:?}"
    );
}

#[test]
fn an_invalid_variable_is_reported_without_its_value() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("variables.env");
    let path = file.to_str().expect("UTF-8");
    for (arguments, lines, expected) in [
        (
            "--env NOT_THERE".to_owned(),
            "",
            "--env NOT_THERE: this process's environment has no such variable",
        ),
        ("--env =hush".to_owned(), "", "number 1 is neither"),
        (
            "--env A=1 --env hush/hush".to_owned(),
            "",
            "number 2 is neither",
        ),
        (
            format!("--env-file {path}"),
            "A=1\n\nhush",
            "line 3 is not NAME=VALUE",
        ),
        (
            format!("--env-file {path}"),
            "A=\"hush",
            "line 1 has a quote that is not closed",
        ),
        (format!("--env-file {path}.none"), "", ".none: "),
    ] {
        std::fs::write(&file, lines).expect("a file");
        for start in ["run grep a", "generate --repo a/b --pr 1 --branch c"] {
            checksum("http://127.0.0.1:9", format!("{start} {arguments}"))
                .end()
                .exits(2)
                .stderr_has(expected)
                .stderr_lacks("hush");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_key_is_read_from_the_environment_a_file_or_standard_input() {
    let mock = Mock::builder()
        .api_key(KEY)
        .start()
        .await
        .expect("a mock server");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("key");
    let path = file.to_str().expect("UTF-8");
    let by_file = format!("me --api-key-file {path}");
    for (text, code, expected) in [
        (format!("{KEY}\n"), 0, ""),
        (format!(" \t{KEY} \r\n\n"), 0, ""),
        (format!("\"{KEY}\""), 2, "in quotes"),
        (format!("CHECKSUM_API_KEY={KEY}"), 2, "NAME=VALUE"),
        (format!("Bearer {KEY}"), 2, "`Bearer`"),
        (format!("{KEY}\n{KEY}"), 2, "contains white space"),
        (format!("{KEY}\u{fc}"), 2, "outside visible ASCII"),
        (
            "${{ secrets.CHECKSUM_API_KEY }}".to_owned(),
            2,
            "placeholder",
        ),
        (" \n".to_owned(), 2, "is empty"),
    ] {
        std::fs::write(&file, &text).expect("a file");
        for ended in [
            checksum(&mock.url(), "me")
                .env("CHECKSUM_API_KEY", &text)
                .end(),
            checksum(&mock.url(), &by_file)
                .env("CHECKSUM_API_KEY", "another")
                .end(),
            checksum(&mock.url(), "me --api-key-stdin")
                .without_env("CHECKSUM_API_KEY")
                .stdin(&file)
                .end(),
        ] {
            ended.exits(code).stderr_has(expected);
        }
    }
    std::fs::write(&file, KEY.repeat(1_000)).expect("a file");
    exec(&mock, &by_file).exits(2).stderr_has("too large");
    exec(&mock, "me --api-key-file /nowhere").exits(2);
}

#[test]
fn secrets_in_wrong_arguments_are_not_repeated() {
    let secret = "hush-hush";
    for (arguments, expected) in [
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
        let ended = checksum("", arguments).end().exits(2);
        ended.stderr_has(expected);
        let shown = ended.stdout + &ended.stderr;
        assert!(!shown.contains(secret), "{arguments}: {shown}");
    }
}
