//! Fuzz test: no JSON makes a decoder of an undocumented response panic or lose the response.

use std::collections::HashSet;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::bugs::BugPage;
use crate::core::Core;
use crate::test_run::{Attachments, HtmlReport, LatestTestRun};

const NAMES: [&str; 24] = [
    "id",
    "testRunId",
    "testRun",
    "data",
    "result",
    "results",
    "items",
    "bugs",
    "attachments",
    "traces",
    "screenshot",
    "url",
    "href",
    "path",
    "name",
    "kind",
    "type",
    "size",
    "total",
    "hasMore",
    "next",
    "meta",
    "tags",
    "collection",
];

const TEXTS: [&str; 14] = [
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
];

fn value(random: &mut Rng, depth: u32) -> Value {
    let kinds = if depth == 0 { 5 } else { 9 };
    match random.u32(0..kinds) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(-2..1_000)),
        3 => json!(1e300),
        4 => json!(random.choice(TEXTS)),
        5 | 6 => (0..random.u32(0..4))
            .map(|_| value(random, depth - 1))
            .collect(),
        _ => {
            let mut field = || {
                let name = random.choice(NAMES).unwrap_or_default();
                (name.to_owned(), value(random, depth - 1))
            };
            let count = (0..4).map(|_| field());
            Value::Object(count.collect())
        }
    }
}

#[test]
fn no_json_breaks_a_decoder() {
    let core = Core::for_tests();
    let mut random = Rng::with_seed(7);
    let mut read = [0; 4];
    for _ in 0..50_000 {
        let response = value(&mut random, 5);
        match HtmlReport::decode(&core, response.clone()) {
            Ok(report) => {
                assert!(
                    matches!(report.url().scheme(), "https" | "http"),
                    "{response}"
                );
                read[0] += 1;
            }
            Err(error) => assert_eq!(error.response_body(), Some(&response)),
        }
        if let Ok(attachments) = Attachments::decode(&core, response.clone()) {
            let names: HashSet<&str> = attachments.iter().map(|one| one.file_name()).collect();
            assert_eq!(names.len(), attachments.len(), "{response}");
            read[1] += usize::from(!attachments.is_empty());
        }
        if let Ok(latest) = LatestTestRun::decode(&core, response.clone()) {
            assert!(
                !matches!(latest.id().as_str(), "" | "." | ".."),
                "{response}"
            );
            read[2] += 1;
        }
        read[3] += usize::from(BugPage::decode(response).is_ok_and(|page| !page.bugs.is_empty()));
    }
    // Negative control: each decoder must accept some of the responses.
    assert!(read.iter().all(|count| *count > 500), "{read:?}");
}
