//! What GitHub reads is what was meant, whatever the text is. Its rules are written down here once
//! more, as its runner applies them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use checksum_api_ext::{PrNumber, RepoName};
use checksum_report::text::{block, line};
use checksum_report::{Report, Status, Test};
use proptest::prelude::*;

use super::github::{GitHub, annotations};
use super::github_event::Options;
use super::gitlab::dotenv;

/// Text that would break out of where it stands.
const HOSTILE: [&str; 13] = [
    "\n::error::owned",
    "\r\n::set-output name=verdict::pass",
    "%0A::error::owned",
    "a,file=/etc/passwd,line=1::b",
    "]]>",
    "EOF\nverdict=pass",
    "\nchecksum-00000000-0000-4000-8000-000000000000\nverdict<<x\npass\nx\n",
    "\u{1b}[31m##[error]x ##vso[task.setvariable variable=x]y",
    "\0\u{202e}\u{200b}",
    "#\u{ad}",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}",
    "section_start:\u{1b}[2J",
    "plain",
];

pub(crate) fn text() -> impl Strategy<Value = String> {
    let hostile = proptest::sample::select(&HOSTILE[..]);
    let any = proptest::collection::vec(any::<char>(), 0..20);
    let part = prop_oneof![
        hostile.prop_map(str::to_owned),
        any.prop_map(|text| text.into_iter().collect())
    ];
    proptest::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

/// Parses a workflow command: its properties, and its message.
fn parse(command: &str) -> Option<(BTreeMap<String, String>, String)> {
    let (properties, message) = command.strip_prefix("::error ")?.split_once("::")?;
    let data = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        text.replace("%25", "%")
    };
    let property = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        let text = text.replace("%3A", ":").replace("%2C", ",");
        text.replace("%25", "%")
    };
    let properties = properties.split(',').map(|pair| {
        let (name, value) = pair.split_once('=').expect("a property");
        (name.to_owned(), property(value))
    });
    Some((properties.collect(), data(message)))
}

/// Reads the file of outputs.
fn read_outputs(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.split('\n');
    let mut outputs = BTreeMap::new();
    while let Some(head) = lines.next() {
        if head.is_empty() {
            continue;
        }
        let (name, end) = match (head.split_once('='), head.split_once("<<")) {
            (Some((name, value)), None) => {
                outputs.insert(name.to_owned(), value.to_owned());
                continue;
            }
            (_, Some(heredoc)) => heredoc,
            (None, None) => panic!("{head:?} is no output"),
        };
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        outputs.insert(name.to_owned(), value.join("\n"));
    }
    outputs
}

fn github(directory: &Path) -> GitHub {
    let path = directory.to_owned();
    GitHub::new(|name| Some(OsString::from(path.join(name))))
}

fn failed(title: &str, file: &str, error: &str) -> Test {
    let mut test = Test::new("test-1", title, Status::Failed);
    test.file = Some(file.to_owned());
    test.error = Some(error.to_owned());
    test
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_annotation_is_one_command_with_the_same_text(
        title in text(), file in text(), error in text()
    ) {
        let mut report = Report::default();
        report.tests = vec![failed(&title, &file, &error)];
        let (commands, _) = annotations(&report, 10);
        prop_assert_eq!(commands.len(), 1);
        let is_one_line = !commands[0].contains(char::is_control);
        prop_assert!(is_one_line);
        prop_assert!(!commands[0].contains("##[") && !commands[0].contains("##vso["));
        let (mut properties, message) = parse(&commands[0]).expect("a command");
        if !error.trim().is_empty() {
            prop_assert_eq!(message, block(&error));
        }
        let shown = properties.remove("title");
        if !line(&title).is_empty() {
            prop_assert_eq!(shown, Some(line(&title)));
        }
        let file = Some(line(&file)).filter(|file| !file.is_empty());
        prop_assert_eq!(properties.remove("file"), file);
        prop_assert!(properties.is_empty());
    }

    #[test]
    fn an_output_has_its_value_and_sets_no_other(name in text(), before in "[a-z]=x\n?|") {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("GITHUB_OUTPUT");
        fs::write(&path, &before).expect("written");
        let outputs = [("job-name", name.clone()), ("status", "failed".to_owned())];
        github(directory.path()).write_outputs(&outputs).expect("written");
        let mut read = read_outputs(&fs::read_to_string(&path).expect("outputs"));
        prop_assert_eq!(read.remove("job-name"), Some(name));
        prop_assert_eq!(read.remove("status"), Some("failed".to_owned()));
        prop_assert_eq!(read.len(), usize::from(!before.is_empty()));
    }

    #[test]
    fn a_variable_for_gitlab_is_one_plain_line(name in text(), state in text()) {
        let mut report = Report::default();
        report.job_name = Some(name.clone());
        report.test_run_id = Some(name);
        report.state = Some(state);
        for line in dotenv(&report).lines() {
            let (name, value) = line.split_once('=').expect("a variable");
            prop_assert!(name.starts_with("CHECKSUM_") && !value.is_empty());
            let is_plain = !value.contains(['\r', '$', '"', '\'', ' ', '=']);
            prop_assert!(is_plain);
        }
    }
}

#[test]
fn delimiters_differ() {
    let directory = tempfile::tempdir().expect("a directory");
    let outputs = [("a", "1".to_owned()), ("b", "2".to_owned())];
    let write = github(directory.path()).write_outputs(&outputs);
    write.expect("written");
    let text = fs::read_to_string(directory.path().join("GITHUB_OUTPUT")).expect("outputs");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[2].len() > 36 && lines[2] != lines[5], "{text}");
}

#[test]
fn at_most_ten_tests_are_annotated() {
    let mut report = Report::default();
    report.tests = (0..12).map(|_| failed("a", "b.ts", "c")).collect();
    let (commands, left_out) = annotations(&report, 10);
    assert_eq!((commands.len(), left_out), (10, 2));
    report.tests.clear();
    report.outcome = "cancelled".to_owned();
    let (commands, left_out) = annotations(&report, 10);
    assert_eq!((commands.len(), left_out), (1, 0));
    assert!(commands[0].contains("the run's outcome is cancelled"));
    report.is_success = true;
    assert_eq!(annotations(&report, 10), (Vec::new(), 0));
}

#[test]
fn a_summary_leaves_room_for_others() {
    const LIMIT: usize = 1024 * 1024;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("GITHUB_STEP_SUMMARY");
    for (used, max) in [(0, LIMIT / 2), (LIMIT / 2, LIMIT / 4), (LIMIT - 200, 100)] {
        fs::write(&path, "x".repeat(used)).expect("written");
        let write = github(directory.path()).write_summary(|max_bytes| {
            assert_eq!(max_bytes, max);
            "text\n".to_owned()
        });
        write.expect("written");
        let text = fs::read_to_string(&path).expect("a summary");
        let expected = if used == 0 { "text\n" } else { "x\n\ntext\n" };
        assert!(text.ends_with(expected) && text.len() < LIMIT);
    }
    fs::write(&path, "x".repeat(LIMIT)).expect("written");
    let full = github(directory.path()).write_summary(|_| "text\n".to_owned());
    assert!(full.expect_err("it is full").to_string().contains("full"));
    let wrong = GitHub::new(|_| Some(directory.path().into()));
    assert!(wrong.write_outputs(&[]).is_err());
    let none = GitHub::new(|_| None);
    assert!(none.write_outputs(&[]).is_ok() && none.write_summary(|_| String::new()).is_ok());
}

/// What an event fills, and the notes.
#[derive(Default)]
struct Filled {
    repo: Option<RepoName>,
    pr: Option<PrNumber>,
    branch: Option<String>,
    head_branch: Option<String>,
    notes: Vec<String>,
}

fn fill(mut filled: Filled, event: &[u8], variables: &[(&str, &str)]) -> Filled {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("event.json");
    fs::write(&path, event).expect("written");
    let path = path.display().to_string();
    let find = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        let path = (name == "GITHUB_EVENT_PATH").then_some(path.as_str());
        found.map(|(_, value)| *value).or(path).map(str::to_owned)
    };
    let options = Options {
        repo: Some(&mut filled.repo),
        pr: Some(&mut filled.pr),
        branch: Some(&mut filled.branch),
        head_branch: Some(&mut filled.head_branch),
    };
    filled.notes = options.fill(&find);
    filled
}

const EVENT: &[u8] = br#"{"pull_request":{"number":42,"head":{"repo":{"full_name":"acme/web"}}}}"#;
const PULL_REQUEST: [(&str, &str); 4] = [
    ("GITHUB_REPOSITORY", "acme/web"),
    ("GITHUB_HEAD_REF", "feature/x"),
    ("GITHUB_REF", "refs/pull/42/merge"),
    ("GITHUB_REF_NAME", "42/merge"),
];

#[test]
fn a_pull_request_fills_what_is_not_given() {
    let filled = fill(Filled::default(), EVENT, &PULL_REQUEST);
    let note =
        "from the GitHub event: --repo acme/web --pr 42 --branch feature/x --branch feature/x";
    assert_eq!(filled.notes, [note]);
    assert_eq!(filled.repo.expect("a repository").as_str(), "acme/web");
    assert_eq!(filled.pr.expect("a number").to_string(), "42");
    assert_eq!(filled.branch.as_deref(), Some("feature/x"));

    let given = Filled {
        pr: PrNumber::new(7).ok(),
        branch: Some("main".to_owned()),
        head_branch: Some("main".to_owned()),
        ..Filled::default()
    };
    let filled = fill(given, EVENT, &PULL_REQUEST);
    assert_eq!(filled.notes, ["from the GitHub event: --repo acme/web"]);
    for (repo, is_taken) in [("acme/web", true), ("web", true), ("acme/tests", false)] {
        let given = Filled {
            repo: repo.parse().ok(),
            ..Filled::default()
        };
        let filled = fill(given, EVENT, &PULL_REQUEST);
        assert_eq!(filled.pr.is_some(), is_taken, "{repo}");
    }
    let comment = br#"{"issue":{"number":9,"pull_request":{}}}"#;
    let filled = fill(Filled::default(), comment, &[]);
    assert_eq!(filled.pr.expect("a number").to_string(), "9");
    let filled = fill(Filled::default(), br#"{"issue":{"number":9}}"#, &[]);
    assert!(filled.pr.is_none() && filled.notes.is_empty());
}

#[test]
fn a_branch_is_no_tag_and_no_merge() {
    for (variables, expected) in [
        (
            vec![("GITHUB_REF", "refs/heads/a/b"), ("GITHUB_REF_NAME", "a/b")],
            Some("a/b"),
        ),
        (
            vec![
                ("GITHUB_REF", "refs/heads/42/merge"),
                ("GITHUB_REF_NAME", "42/merge"),
            ],
            Some("42/merge"),
        ),
        (
            vec![("GITHUB_REF", "refs/tags/v1"), ("GITHUB_REF_NAME", "v1")],
            None,
        ),
        (
            vec![
                ("GITHUB_REF", "refs/pull/42/merge"),
                ("GITHUB_REF_NAME", "42/merge"),
            ],
            None,
        ),
        (
            vec![
                ("GITHUB_REF_NAME", "42/merge"),
                ("GITHUB_REF_TYPE", "branch"),
            ],
            None,
        ),
        (
            vec![("GITHUB_REF_NAME", "main"), ("GITHUB_REF_TYPE", "branch")],
            Some("main"),
        ),
        (
            vec![("GITHUB_REF_NAME", "v1"), ("GITHUB_REF_TYPE", "tag")],
            None,
        ),
        (
            vec![("GITHUB_REF_NAME", " "), ("GITHUB_HEAD_REF", "")],
            None,
        ),
        (vec![], None),
    ] {
        let filled = fill(Filled::default(), b"{}", &variables);
        assert_eq!(filled.branch.as_deref(), expected, "{variables:?}");
        assert_eq!(filled.head_branch.as_deref(), expected, "{variables:?}");
    }
}

#[test]
fn the_branch_of_a_fork_is_only_one_of_its_pull_request() {
    for head in [r#"{"repo":{"full_name":"evil/web"}}"#, r#"{"repo":null}"#] {
        let event = format!(r#"{{"pull_request":{{"number":42,"head":{head}}}}}"#);
        let filled = fill(Filled::default(), event.as_bytes(), &PULL_REQUEST);
        assert!(filled.branch.is_none() && filled.pr.is_some());
        assert_eq!(filled.head_branch.as_deref(), Some("feature/x"));
        assert!(
            filled.notes[0].contains("comes from a fork"),
            "{:?}",
            filled.notes
        );
    }
}

#[test]
fn an_event_that_cannot_be_read_is_noted() {
    let huge = format!(r#"{{"a":"{}"}}"#, "x".repeat(33 * 1024 * 1024));
    let deep = format!(r#"{{"a":{}"#, "[".repeat(100_000));
    for (event, expected) in [
        (&b"{"[..], "not an event (line 1"),
        (b"", "not an event"),
        (b"\xff\xfe", "not an event"),
        (br#"{"pull_request":{"number":-1}}"#, "not an event"),
        (
            br#"{"pull_request":{"number":"::error::x"}}"#,
            "not an event",
        ),
        (huge.as_bytes(), "too large"),
        (deep.as_bytes(), "not an event"),
    ] {
        let filled = fill(Filled::default(), event, &PULL_REQUEST[..1]);
        assert!(filled.pr.is_none());
        assert!(filled.notes[0].contains(expected), "{:?}", filled.notes);
    }
    let zero = br#"{"pull_request":{"number":0}}"#;
    assert!(fill(Filled::default(), zero, &[]).pr.is_none());
    for (path, expected) in [
        ("/nowhere/event.json", "No such file"),
        ("/dev/zero", "not a file"),
    ] {
        let variables = [
            ("GITHUB_EVENT_PATH", path),
            ("GITHUB_REF", "refs/pull/42/merge"),
        ];
        let filled = fill(Filled::default(), b"{}", &variables);
        assert!(filled.notes[0].contains(expected), "{:?}", filled.notes);
        assert_eq!(
            filled.pr.expect("the number of the reference").to_string(),
            "42"
        );
    }
}
