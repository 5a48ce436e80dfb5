//! What people and programs read.

use crate::invocation::{checksum, with_one_time};
use checksum_mock::{Fault, Mock, RunScript};

#[test]
fn the_help_texts() {
    for arguments in [
        "--help",
        "run --help",
        "run suite --help",
        "run collection --help",
        "run tests --help",
        "run grep --help",
        "heal --help",
        "generate --help",
        "wait --help",
        "status --help",
        "results --help",
        "report --help",
        "attachments --help",
        "latest --help",
        "bugs --help",
        "me --help",
        "mock --help",
        "demo --help",
        "completions --help",
        "schema --help",
        "man --help",
    ] {
        let ended = checksum("", arguments).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        insta::assert_snapshot!(format!("help {arguments}"), ended.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_in_each_form() {
    for form in ["human", "json", "ndjson"] {
        let mock = Mock::start().await.expect("a stand-in");
        mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
        mock.fault(
            Fault::status(503)
                .header("retry-after", "0")
                .on_operation("get_run_status")
                .after(1),
        );
        let arguments = format!("run suite --poll-interval 0s --output {form}");
        let ended = checksum(&mock.url(), &arguments).end();
        assert_eq!(ended.code, 1, "{ended:?}");
        let stdout = with_one_time(&ended.stdout);
        let shown = format!("stdout:\n{stdout}\nstderr:\n{}", ended.stderr);
        insta::assert_snapshot!(format!("run {form}"), shown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_commands_in_each_form() {
    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
    let detached = checksum(&mock.url(), "run grep checkout --detach").end();
    assert_eq!(detached.stdout, "job-name-12345\n");
    let mut shown = String::new();
    for arguments in [
        "status job-name-12345",
        "wait job-name-12345 --poll-interval 0s --quiet",
        "results 00000000-0000-4000-8000-000000000001",
        "results 00000000-0000-4000-8000-000000000001 --status failed",
        "me",
    ] {
        for form in ["human", "json"] {
            let ended = checksum(&mock.url(), &format!("{arguments} --output {form}")).end();
            let (code, stdout) = (ended.code, ended.stdout);
            shown +=
                &format!("$ checksum {arguments} --output {form}\n{stdout}# exit code {code}\n\n");
            assert!(ended.stderr.is_empty(), "{arguments}: {}", ended.stderr);
        }
    }
    insta::assert_snapshot!("other commands", shown);
}

/// Another command's output is checked against it wherever a test asks for JSON.
#[test]
fn the_schema_of_what_programs_read() {
    let ended = checksum("", "schema").end();
    assert_eq!(ended.code, 0, "{ended:?}");
    insta::assert_snapshot!("schema", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_data_too_where_data_is_asked_for() {
    let mock = Mock::start().await.expect("a stand-in");
    let ended = checksum(&mock.url(), "wait nowhere --output json").end();
    let error = ended.lines().next().expect("a line");
    assert_eq!(error["type"], "error");
    assert_eq!(error["exitCode"], 2);
    assert_eq!(error["handle"]["run"]["jobName"], "nowhere");
    assert!(
        error["error"]
            .as_str()
            .is_some_and(|text| text.contains("404")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_says_the_name_and_nothing_else() {
    let mock = Mock::start().await.expect("a stand-in");
    let ended = checksum(&mock.url(), "run suite --poll-interval 0s --quiet").end();
    assert_eq!(ended.stderr, "started job-name-12345\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_says_cannot_pass_for_what_the_command_says() {
    let mock = Mock::start().await.expect("a stand-in");
    let hostile = "odd\u{1b}]0;title\u{7}\n::set-output name=a::b";
    mock.next_run(
        RunScript::new()
            .end_state(hostile)
            .field("failureReason", hostile),
    );
    let arguments = "run suite --poll-interval 0s --color always";
    let ended = checksum(&mock.url(), arguments).end();
    assert_eq!(ended.code, 5, "{ended:?}");
    for shown in [&ended.stdout, &ended.stderr] {
        assert!(shown.contains("odd ]0;title  ::set-output"), "{ended:?}");
        assert!(!shown.contains('\u{1b}'), "{ended:?}");
        assert!(!shown.contains("\n::"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_colours_where_they_are_asked_for() {
    let mock = Mock::start().await.expect("a stand-in");
    for (color, is_coloured) in [("always", true), ("never", false), ("auto", false)] {
        let ended = checksum(&mock.url(), &format!("me -vv --color {color}")).end();
        assert!(ended.stderr.contains("DEBUG"), "{ended:?}");
        assert_eq!(ended.stderr.contains('\u{1b}'), is_coloured, "{ended:?}");
    }
}
