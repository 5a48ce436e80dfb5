//! Text from the service in every place where the command prints it, in each format and on both
//! streams: it has nothing that a terminal or a CI system would act on, and not the API key.

use checksum_mock::Fault;
use serde_json::{Value, json};

use crate::invocation::{Ended, KEY, checksum, exec, respond, start_mock};
use crate::transcript::FORMATS;

const ID: &str = "00000000-0000-4000-8000-000000000001";

/// Returns the text that replaces every string of the service. It has the API key in several
/// encodings.
fn hostile() -> String {
    let percent: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let entities: String = KEY.chars().map(|c| format!("&#{};", c as u32)).collect();
    // Of `Bearer` and the key.
    let base64 = "QmVhcmVyIHNrLXRlc3QtNWYyYjljLW11c3Qtbm90LXNob3c=";
    format!(
        "::error file=a::b ##vso[task.setvariable variable=x]y\n::set-output name=a::b\r\n\
         \u{200b} ::add-mask::c\n##[group]d\n##teamcity[e]\u{1b}[2J\u{1b}]0;f\u{7}\u{9b}31m\u{85}\
         \u{202e}\u{2066}\u{200e}\u{200f}\u{61c}\u{2028}::g\u{2029}::h\u{200d}\u{2060}\u{feff}\
         \u{e0041}\u{ad}#\u{200b}#v\u{200c}so[i] section_start:1:j\r\u{1b}[0K\n--- k\n{KEY} \
         {percent} {entities} {base64} end"
    )
}

/// An id has no control character: the client rejects it.
fn hostile_id() -> String {
    hostile().replace(|c: char| c.is_control() || c == '\\', "")
}

fn assert_harmless(ended: &Ended, arguments: &str) {
    for shown in [&ended.stdout, &ended.stderr] {
        for character in shown.chars() {
            let is_harmless = match character {
                '\n' => true,
                '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}' => false,
                _ => !character.is_control(),
            };
            assert!(is_harmless, "{arguments}: {character:?} in {shown}");
        }
        for command in ["##vso[", "##[", "##teamcity[", "section_start:"] {
            assert!(
                !shown.contains(command),
                "{arguments}: {command} in {shown}"
            );
        }
        for line in shown.lines() {
            let is_command = line.trim_start().starts_with("::") || line.starts_with("--- ");
            assert!(!is_command, "{arguments}: {line}");
        }
        // Every test checks for the whole key; these are parts of it.
        for part in [
            "must-not-show",
            "%73%6B%2D",
            "&#115;&#107;",
            "YyYjljLW11c3Qtbm90",
        ] {
            assert!(!shown.contains(part), "{arguments}: {part} in {shown}");
        }
    }
}

/// Returns whether the value has this string, at any depth.
fn has_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string == text,
        Value::Array(list) => list.iter().any(|value| has_text(value, text)),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name == text || has_text(value, text)),
        _ => false,
    }
}

/// Returns the text as a program decodes it: only the API key is redacted.
fn without_key(text: &str) -> String {
    let start = text.find(KEY).expect("a key");
    let mut spellings = text[start..].split(' ');
    let redacted: Vec<&str> = spellings
        .by_ref()
        .map(|spelling| match spelling {
            "end" => "end",
            spelling if spelling.starts_with("Qm") => "QmVhcmVyIH***c=",
            _ => "***",
        })
        .collect();
    format!("{}{}", &text[..start], redacted.join(" "))
}

/// A command that prints text of the service, the response of each operation, and the text that
/// programs decode, if it is unchanged.
type Case = (String, Vec<(&'static str, Value)>, Option<String>);

fn cases() -> Vec<Case> {
    let (text, id) = (hostile(), hostile_id());
    let address = format!("https://x.example/{}", id.replace(char::is_whitespace, ""));
    let run_id = "00000000-0000-4000-8000-0000000000ff";
    let status = |state: &str| {
        json!({
            "status": state, "failureReason": text, "passed": 1, "failed": 0, "recovered": 0,
            "bug": 0, "isTerminal": true, "verdict": text, "testRunId": run_id,
        })
    };
    let session = json!({ "sessionId": id, "status": text, "prUrl": text, text.clone(): text });
    let batch = |state: &str| {
        json!({
            "batchId": id, "status": state, "sessions": [session], "testRunId": run_id,
            "allTerminal": true,
            "totalSessions": 1, "completedCount": 1, "failedCount": 0,
        })
    };
    let heal = "heal run-id --no-create-pr --poll-interval 0s".to_owned();
    let heal_start = json!({
        "batchId": id, "status": text, "sessionIds": [id], "testIds": [id], "failureCount": 1,
    });
    let generate = "generate --repo acme-co/webapp --pr 42 --branch feature --poll-interval 0s";
    let generate_start = json!({
        "batchId": id, "status": text, "sessionId": id, "sessionUrl": text,
    });
    let named = json!({ "name": id });
    let test = json!({
        "checksumTestId": id, "status": text, "testTitle": text, "errorMessage": text,
        text.clone(): text,
    });
    let results = json!({ "id": run_id, "status": text, "tests": [test], "branch": text });
    let bug = json!({
        "id": text, "title": text, "severity": text, "status": text, text.clone(): text,
    });
    let decoded = Some(without_key(&text));
    vec![
        (
            "me".to_owned(),
            vec![("get_project", json!({ "id": text, "name": text }))],
            decoded.clone(),
        ),
        (
            "latest".to_owned(),
            vec![(
                "get_latest_test_run",
                json!({ "id": id, "status": text, "branch": text, text.clone(): text }),
            )],
            decoded.clone(),
        ),
        (
            format!("results {ID}"),
            vec![("get_test_run_results", results.clone())],
            decoded.clone(),
        ),
        (
            "bugs".to_owned(),
            vec![("list_bugs", json!({ "bugs": [bug], "total": 1 }))],
            decoded.clone(),
        ),
        (
            format!("report {ID}"),
            vec![("get_test_run_report", json!({ "url": address }))],
            None,
        ),
        (
            format!("attachments {ID} test"),
            vec![(
                "get_test_attachments",
                json!([{ "url": address, "name": text, "type": text }]),
            )],
            None,
        ),
        (
            "status job".to_owned(),
            vec![
                ("get_run_status_v2", status(&text)),
                ("get_run_status", status(&text)),
            ],
            decoded.clone(),
        ),
        (
            "run suite --poll-interval 0s".to_owned(),
            vec![
                ("run_suite", named.clone()),
                ("get_run_status", status("failed")),
                ("get_run_status_v2", status("failed")),
            ],
            decoded.clone(),
        ),
        (
            "run grep a --detach".to_owned(),
            vec![("run_grep_v2", named.clone())],
            Some(without_key(&id)),
        ),
        (
            heal.clone(),
            vec![
                ("trigger_auto_heal", heal_start.clone()),
                ("get_heal_batch", batch("completed")),
            ],
            decoded.clone(),
        ),
        (
            generate.to_owned(),
            vec![
                ("trigger_auto_generate", generate_start),
                ("get_generation_batch", batch("failed")),
            ],
            decoded.clone(),
        ),
        (
            "wait --heal-batch batch --poll-interval 0s".to_owned(),
            vec![("get_heal_batch", batch("completed"))],
            decoded,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_the_service_are_printed_safely() {
    for (arguments, responses, decoded) in cases() {
        for format in FORMATS {
            let mock = start_mock().await;
            for (operation, response) in &responses {
                respond(&mock, operation, response);
            }
            let arguments = format!("{arguments} --output {format}");
            let ended = exec(&mock, &arguments);
            assert_harmless(&ended, &arguments);
            let shown = format!("{}{}", ended.stdout, ended.stderr);
            assert!(
                shown.contains("***"),
                "no text of the service was printed: {arguments}: {ended:?}"
            );
            if let (Some(decoded), "json" | "ndjson") = (&decoded, format) {
                let mut lines = ended.lines();
                assert!(
                    lines.any(|line| has_text(&line, decoded)),
                    "{arguments}: no {decoded:?} in {ended:?}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_service_are_printed_safely() {
    let commands = [
        ("me", "get_project"),
        ("latest", "get_latest_test_run"),
        ("results run", "get_test_run_results"),
        ("report run", "get_test_run_report"),
        ("attachments run test", "get_test_attachments"),
        ("bugs", "list_bugs"),
        ("run suite", "run_suite"),
        ("run grep a", "run_grep_v2"),
        ("heal run --no-create-pr", "trigger_auto_heal"),
        (
            "generate --repo a/b --pr 1 --branch c",
            "trigger_auto_generate",
        ),
        ("wait --heal-batch batch", "get_heal_batch"),
    ];
    let text = hostile();
    for body in [
        text.clone(),
        json!({ "message": text }).to_string(),
        json!({ "error": { "message": text } }).to_string(),
        json!({ text.clone(): 1 }).to_string(),
    ] {
        for (arguments, operation) in commands {
            for format in ["text", "ndjson"] {
                let mock = start_mock().await;
                let fault = Fault::status(400).body(body.clone());
                mock.fault(
                    fault
                        .header("x-request-id", KEY)
                        .on_operation(operation)
                        .always(),
                );
                let arguments = format!("{arguments} --output {format}");
                let ended = exec(&mock, &arguments).exits(2);
                assert_harmless(&ended, &arguments);
            }
        }
    }
}

#[test]
fn invalid_arguments_are_printed_safely() {
    let text = hostile();
    let unnamed = text.replace('=', "");
    for arguments in [
        &["run", "suite", text.as_str()][..],
        &["run", text.as_str()],
        &[text.as_str()],
        &["bugs", "--limit", text.as_str()],
        &["me", "--output", text.as_str()],
        &["me", "--base-url", text.as_str()],
        &["wait", "job", "--timeout", text.as_str()],
        &["wait", text.as_str()],
        &["wait", "--handle-file", text.as_str()],
        &["me", "--api-key-file", text.as_str()],
        &["run", "grep", "a", "--env-file", text.as_str()],
        &["run", "grep", "a", "--env", unnamed.as_str()],
        &["man", text.as_str()],
    ] {
        let mut invocation = checksum("http://127.0.0.1:9", "");
        for argument in arguments {
            invocation = invocation.argument(argument);
        }
        let ended = invocation.end().exits(2);
        assert_harmless(&ended, &format!("{arguments:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_and_the_handle_file_are_safe_and_redacted() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = hostile();
    let mock = start_mock().await;
    let odd = json!({ "status": "running", text.clone(): text, "passed": text });
    mock.fault(
        Fault::respond_with(json!({ "name": hostile_id() }).to_string()).on_operation("run_suite"),
    );
    mock.fault(Fault::respond_with(odd.to_string()).on_operation("get_run_status"));
    mock.fault(
        Fault::status(503)
            .body(text.clone())
            .header("retry-after", "0")
            .on_operation("get_run_status"),
    );
    let file = directory.path().join("run.json");
    let arguments = "run suite --poll-interval 0s -vvv --color never --handle-file";
    let ended = checksum(&mock.url(), arguments)
        .env("CHECKSUM_LOG", "trace")
        .argument(&file)
        .end();
    ended.stderr_has("TRACE");
    assert_harmless(&ended, arguments);
    let kept = std::fs::read_to_string(&file).expect("a file");
    assert!(
        kept.contains("***") && !kept.contains("must-not-show"),
        "{kept}"
    );
    serde_json::from_str::<Value>(&kept).expect("JSON");
}
