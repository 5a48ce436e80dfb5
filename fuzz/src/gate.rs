//! Runs each target on a few inputs, in the gate.

use std::fs;
use std::path::Path;

use checksum_api::OperationId;
use checksum_tests::document;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 8] = [
    ("base_url", crate::base_url),
    ("env_file", crate::env_file),
    ("errors", crate::errors),
    ("ext_responses", crate::ext_responses),
    ("ids", crate::ids),
    ("reports", crate::reports),
    ("responses", crate::responses),
    ("waits", crate::waits),
];

/// Inputs of every target: the examples of the document, after the number of their operation, and
/// texts that were found or are near to what was found.
fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "",
        "https://api.checksum.ai/public-api/v1/",
        "http://me:hunter2-hunter2@127.0.0.1:1/a/public-api#x",
        "export A=\"1\\n\" # x\nB = '2'\n{",
        "{\"A\": 1}",
        "503\n2\n{\"message\":\"key-that-must-not-show\\u0000\"}",
        "429\nWed, 21 Oct 2015 07:28:00 GMT\n<html>",
        "307\n/elsewhere\n",
        "a/../%2e%2e?b#c\u{202e} d",
        "..",
        "\u{1}{\"status\":\"a\\u0000\"}",
        "\u{1}{\"status\":\"key-that-must-not-show\"}",
        "\u{0}{\"status\":\"running\"}\u{0}{\"status\":\"passed\",\"passed\":1,\"failed\":0}",
        "\u{3}{\"status\":\"completed\",\"sessions\":[],\"allTerminal\":true}",
    ];
    let mut seeds: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).into();
    for (index, operation) in OperationId::ALL.iter().enumerate() {
        let index = u8::try_from(index).expect("few operations");
        let examples = document::examples(*operation).into_iter();
        let examples = examples.map(|(_, example)| example.to_string());
        for body in examples.chain(["\"\u{7f}\u{9b}2J\"".to_owned()]) {
            seeds.push([&[index][..], body.as_bytes()].concat());
        }
    }
    seeds
}

/// With `CORPUS=overwrite`, the inputs become the first corpus of cargo-fuzz.
#[test]
fn targets_hold_on_the_seeds() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let seeds = seeds();
    assert!(seeds.len() > 30);
    for (name, run) in TARGETS {
        seeds.iter().for_each(|seed| run(seed));
        if std::env::var("CORPUS").as_deref() == Ok("overwrite") {
            let corpus = directory.join("corpus").join(name);
            fs::create_dir_all(&corpus).expect("a directory");
            for (number, seed) in seeds.iter().enumerate() {
                fs::write(corpus.join(format!("seed-{number}")), seed).expect("written");
            }
        }
    }
}

/// cargo-fuzz has a target for each function: a file, and a `[[bin]]`.
#[test]
fn each_target_is_one_of_cargo_fuzz() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = fs::read_to_string(directory.join("Cargo.toml")).expect("the manifest");
    for (name, _) in TARGETS {
        let path = format!("fuzz_targets/{name}.rs");
        let text = fs::read_to_string(directory.join(&path)).expect(name);
        let call = format!("fuzz_target!(|data: &[u8]| checksum_fuzz::{name}(data));");
        assert!(text.contains(&call), "{path}");
        assert!(manifest.contains(&format!("path = \"{path}\"")), "{path}");
    }
    let files = fs::read_dir(directory.join("fuzz_targets")).expect("targets");
    assert_eq!(files.count(), TARGETS.len());
}

type Words = &'static [&'static str];

/// The names of fields of responses that nobody documents, and texts in them.
const NAMES: [Words; 2] = [
    &[
        "attachments",
        "bugs",
        "collection",
        "data",
        "hasMore",
        "href",
        "id",
        "items",
        "kind",
        "meta",
        "name",
        "next",
        "path",
        "result",
        "results",
        "screenshot",
        "size",
        "tags",
        "testRun",
        "testRunId",
        "total",
        "traces",
        "type",
        "url",
    ],
    &[
        "",
        " ",
        "..",
        "a",
        "a.png",
        "/a/../b",
        "https://f.example/x.zip?y",
        "//f.example",
        "http://",
        "javascript:x",
        "<html>",
        "\u{202e}",
        "9",
        "\0",
    ],
];

/// Those of the statuses of runs and batches.
const STATUS: [Words; 2] = [
    &[
        "status",
        "state",
        "passed",
        "failed",
        "recovered",
        "bug",
        "isTerminal",
        "verdict",
        "testRunId",
        "sessions",
        "allTerminal",
        "totalSessions",
        "completedCount",
        "failedCount",
        "sessionId",
    ],
    &[
        "passed",
        "healed",
        "failed",
        "running",
        "queued",
        "completed",
        "cancelled",
        "pass",
        "fail",
        "pending",
        "PASSED",
        "0",
        "",
    ],
];

/// JSON of these names and texts, up to four levels deep.
fn value([names, texts]: [Words; 2]) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => (-2..1_000_i64).prop_map(Value::from),
        1 => Just(json!(1e300)),
        5 => select(texts).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        let object = vec((select(names), inner.clone()), 1..6).prop_map(|fields| {
            let fields = fields.into_iter();
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        });
        prop_oneof![1 => vec(inner, 0..4).prop_map(Value::Array), 3 => object]
    })
}

fn runner(cases: u32) -> TestRunner {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    };
    TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(Default::default()),
    )
}

/// The responses whose form nobody documents are read in many forms, and each error keeps the body.
#[test]
fn no_json_breaks_a_decoder() {
    for operation in [
        OperationId::GetTestRunReport,
        OperationId::GetTestAttachments,
        OperationId::GetLatestTestRun,
        OperationId::ListBugs,
    ] {
        let accepted = std::cell::Cell::new(0);
        let check = |value: Value| {
            let is_accepted = crate::ext_response(operation, value.to_string().as_bytes());
            accepted.set(accepted.get() + u32::from(is_accepted));
            Ok(())
        };
        runner(1_000).run(&value(NAMES), check).expect("no panic");
        // Negative control: some of the responses must be accepted.
        assert!(accepted.get() > 10, "{operation}: {}", accepted.get());
    }
}

#[test]
fn a_wait_succeeds_only_if_a_response_says_so() {
    let bodies = vec(value(STATUS), 1..5);
    let check = |(kind, bodies): (u8, Vec<Value>)| {
        let bodies: Vec<String> = bodies.iter().map(Value::to_string).collect();
        crate::waits(&[&[kind][..], bodies.join("\0").as_bytes()].concat());
        Ok(())
    };
    runner(1_000)
        .run(&(0..5_u8, bodies), check)
        .expect("no panic");
}

/// Texts of parts that mean something in a path, a URL, a header or a file.
#[test]
fn texts_of_syntax() {
    const PARTS: &[&str] = &[
        "https://",
        "http:",
        "//",
        "/",
        ".",
        "..",
        "%2e",
        "%2F",
        "%5c",
        "\\",
        "?",
        "#",
        "&",
        "=",
        ":",
        "@",
        "[::1]",
        "127.0.0.1",
        "localhost",
        "/public-api",
        "/v1",
        "\n",
        "\r",
        "\t",
        " ",
        "\"",
        "'",
        "export ",
        "A",
        "9",
        "503",
        "-1",
        "\0",
        "\u{202e}",
        "\u{85}",
        "é",
        "{",
        "}",
        "xn--",
        "+",
    ];
    let part = prop_oneof![4 => select(PARTS).prop_map(str::to_owned), 1 => any::<String>()];
    let text = vec(part, 0..8).prop_map(|parts| parts.concat());
    let check = |text: String| {
        for run in [crate::base_url, crate::env_file, crate::errors, crate::ids] {
            run(text.as_bytes());
        }
        Ok(())
    };
    runner(1_000).run(&text, check).expect("no panic");
}
