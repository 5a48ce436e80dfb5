//! The files of `checksum --report`, read by programs that nobody here wrote: junitparser and
//! junit2json for JUnit, ctrf for CTRF. Counts, names, errors and flaky tests agree with the run.

use anyhow::{Context, Result, ensure};
use checksum_mock::{RunScript, TestScript};
use serde_json::{Value, json};

use super::Workspace;
use super::generators::copy_script;
use super::mock_server::{API_KEY, MockServer};
use crate::{root, tool};

const READERS: [(&str, &str); 3] = [
    ("junitparser", "junit.xml"),
    ("junit2json", "junit.xml"),
    ("ctrf", "ctrf.json"),
];

/// A mistake in the file of each format, which its readers have to notice.
const MISTAKES: [(&str, &str, &str); 2] = [
    ("junit.xml", "flakyFailure", "failure"),
    ("ctrf.json", r#""status":"failed""#, r#""status":"broken""#),
];

pub(super) fn check() -> Result<String> {
    let workspace = Workspace::new("reports")?;
    copy_script("read_junit.py", &workspace)?;
    copy_script("read_reports.cjs", &workspace)?;
    let mut tests = 0;
    let runs = [
        (RunScript::new().process_error(), 6, of_process_error()),
        (
            RunScript::new().tests(scripts()).end_state("failed"),
            1,
            of_tests(),
        ),
    ];
    for (script, code, expected) in runs {
        write_reports(&workspace, script, code)?;
        for (reader, file) in READERS {
            let read = read(&workspace, reader, file)?;
            ensure!(read == expected, "{reader}: {read:#} is not {expected:#}");
        }
        tests += expected["cases"].as_array().map_or(0, Vec::len);
    }
    for (file, from, to) in MISTAKES {
        let text = workspace.read(file)?;
        ensure!(text.contains(from), "`{from}` is not in {file}");
        workspace.write(file, &text.replace(from, to))?;
    }
    for (reader, file) in READERS {
        let is_noticed = read(&workspace, reader, file).map_or(true, |read| read != of_tests());
        ensure!(is_noticed, "negative control: {reader} read a wrong {file}");
    }
    Ok(format!(
        "{tests} tests by {} readers; {} mistakes found",
        READERS.len(),
        READERS.len()
    ))
}

/// Titles and errors that break a file in which they are not escaped.
const TITLE: &str = r#"</testcase> ]]> & "quoted" <![CDATA[ 🧪"#;
const ERROR: &str = "expected <b>1</b>\n  & ]]> \"2\"\nat a.spec.ts:1";

fn scripts() -> Vec<TestScript> {
    let test = |status: &str| TestScript::new(status).status(status);
    vec![
        test("passed").title(TITLE),
        test("broken").fails(ERROR),
        test("recovered"),
        test("bug"),
        test("interrupted"),
    ]
}

fn of_tests() -> Value {
    let case = |name: &str, status: &str, error: Option<&str>| {
        let is_flaky = name == "Test recovered";
        json!({ "name": name, "status": status, "error": error, "flaky": is_flaky })
    };
    json!({ "tests": 5, "failed": 2, "skipped": 1, "cases": [
        case(TITLE, "passed", None),
        case("Test broken", "failed", Some(ERROR)),
        case("Test recovered", "passed", None),
        case("Test bug", "failed", Some("Timeout of 30000ms exceeded")),
        case("Test interrupted", "skipped", None),
    ]})
}

/// The tests of a run whose process failed, all of which passed, and the run itself.
fn of_process_error() -> Value {
    let passed = [
        "User can add item to cart",
        "User can complete checkout",
        "User can pay with a saved card in checkout",
        "User can sign in",
        "User can reset a forgotten password",
        "Visitor can search the catalogue",
    ];
    let error = "the run's outcome is process-error: the results list no test that failed; the \
                 runner was lost";
    let mut cases =
        vec![json!({ "name": "Checksum run", "status": "error", "error": error, "flaky": false })];
    cases
        .extend(passed.map(
            |name| json!({ "name": name, "status": "passed", "error": null, "flaky": false }),
        ));
    json!({ "tests": 7, "failed": 1, "skipped": 0, "cases": cases })
}

/// Lets the command run the script, and write its reports.
fn write_reports(workspace: &Workspace, script: RunScript, code: i32) -> Result<()> {
    let mock = MockServer::start()?;
    mock.next_run(script);
    let mut cargo = tool::quiet(env!("CARGO"));
    cargo
        .arg("run")
        .arg("--manifest-path")
        .arg(root().join("checksum-cli/Cargo.toml"))
        .env("CHECKSUM_API_KEY", API_KEY)
        .env("CHECKSUM_API_BASE_URL", mock.url());
    let reports = "--report junit=junit.xml --report ctrf=ctrf.json";
    let ended = workspace.run(
        &mut cargo,
        &format!("--quiet --locked -- run suite --poll-interval 0s {reports}"),
    )?;
    ensure!(ended.status.code() == Some(code), "{}", ended.tail());
    Ok(())
}

/// Returns what a reader finds in a file.
fn read(workspace: &Workspace, reader: &str, file: &str) -> Result<Value> {
    let ended = match reader {
        "junitparser" => workspace.python(&format!("python read_junit.py {file}"))?,
        _ => workspace.run(&mut tool::node()?, &format!("read_reports.cjs {file}"))?,
    };
    let ended = ended.success()?;
    serde_json::from_str(&ended.stdout).with_context(|| ended.tail())
}
