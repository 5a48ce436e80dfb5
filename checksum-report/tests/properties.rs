//! Whatever the service writes into titles, errors and paths: each report can be read, has every
//! test, and contains nothing that a terminal, a CI system or a browser would act on.

mod harmless;

use checksum_report::{CHECK_BYTES, Report, Status, Test, text};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, TestCaseStatus};
use serde_json::Value;

use crate::harmless::assert_harmless;

/// Texts that break something where they are not escaped.
const HOSTILE: &[&str] = &[
    "\n::error::x",
    "::add-mask::x",
    "##vso[task.setvariable]x",
    "##[group]",
    "##teamcity[x]",
    "section_start:1:a\r",
    "\n--- a",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "</pre><script>alert(1)</script>",
    "</failure>",
    "\" onload=\"x",
    "' x='",
    "&lt;",
    "&#0;",
    "`",
    "```",
    "\n```\n",
    "~~~",
    "[a](javascript:b)",
    "![a](https://x.example/)",
    "<img src=x>",
    "@everyone",
    "https://x.example/",
    "| a | b |",
    "\n# a",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "\u{9b}2J",
    "\0",
    "\u{8}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{fffe}",
    "\u{e0041}",
    "\r\n",
    "\t",
    "\\",
    "{{tests}}",
    "🧪",
    " ",
];

fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        16 => proptest::sample::select(HOSTILE).prop_map(str::to_owned),
        8 => any::<char>().prop_map(String::from),
        4 => "[a-z]{0,8}",
        1 => (proptest::sample::select(HOSTILE), 500..5_000usize).prop_map(|(part, n)| part.repeat(n / part.len())),
    ];
    vec(part, 0..6).prop_map(|parts| parts.concat())
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Passed),
        Just(Status::Failed),
        Just(Status::Recovered),
        Just(Status::Bug),
        hostile().prop_map(Status::Other),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let texts = (
        hostile(),
        hostile(),
        option::of(hostile()),
        option::of(hostile()),
    );
    (texts, status(), option::of(hostile()), vec(hostile(), 0..3)).prop_map(
        |((id, title, file, error), status, health, tags)| {
            let mut test = Test::new(id, title, status);
            (test.file, test.error, test.health, test.tags) = (file, error, health, tags);
            test
        },
    )
}

fn report() -> impl Strategy<Value = Report> {
    let texts = (hostile(), vec(option::of(hostile()), 6));
    (texts, any::<bool>(), vec(test(), 0..6)).prop_map(
        |((outcome, mut texts), is_success, tests)| {
            let mut report = Report::default();
            (report.outcome, report.is_success, report.tests) = (outcome, is_success, tests);
            let mut next = || texts.pop().flatten();
            (report.state, report.branch, report.job_name) = (next(), next(), next());
            (report.test_run_id, report.reason, report.error) = (next(), next(), next());
            report
        },
    )
}

/// The same report with a harmless letter for each text.
fn harmless(report: &Report) -> Report {
    let mut harmless = report.clone().map_text(|_| "a".to_owned());
    harmless.test_run_id = report.test_run_id.clone();
    harmless
}

/// How many tests of the report failed, and how many errors there are.
fn failures(report: &Report) -> (usize, usize) {
    let failed = report.tests.iter().filter(|test| test.status.is_failure());
    (failed.count(), usize::from(report.run_error().is_some()))
}

fn count(report: &Report, status: &Status) -> usize {
    report
        .tests
        .iter()
        .filter(|test| test.status == *status)
        .count()
}

/// The parts of a page that a browser acts on, without the texts of its elements.
fn markup(page: &str) -> String {
    page.split('<')
        .map(|part| part.split_inclusive('>').next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("<")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn junit(report in report()) {
        let mut written = Vec::new();
        report.write_junit(&mut written).expect("written");
        let written = String::from_utf8(written).expect("UTF-8");
        assert_harmless(&written);
        let read = quick_junit::Report::deserialize_from_str(&written).expect("JUnit");
        let (failed, errors) = failures(&report);
        prop_assert_eq!((read.tests, read.failures, read.errors), (report.tests.len() + errors, failed, errors));
        let cases = &read.test_suites[0].test_cases;
        let flaky = cases.iter().filter(|case| matches!(&case.status, TestCaseStatus::Success { flaky_runs } if !flaky_runs.is_empty()));
        prop_assert_eq!(flaky.count(), count(&report, &Status::Recovered));
        let is_error = matches!(cases.first().map(|case| &case.status), Some(TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. }));
        prop_assert_eq!(is_error, errors == 1);
        prop_assert!(!written.contains(" time="));
        for (test, case) in report.tests.iter().zip(&cases[errors..]) {
            let title = text::line(&test.title);
            prop_assert!(!case.name.is_empty());
            prop_assert!(title.is_empty() || title.trim() == case.name.trim(), "{:?} {:?}", title, case.name);
        }
    }

    #[test]
    fn ctrf(report in report()) {
        let mut written = Vec::new();
        report.ctrf().write(&mut written).expect("written");
        let written = String::from_utf8(written).expect("UTF-8");
        assert_harmless(&written);
        let read: Value = serde_json::from_str(&written).expect("JSON");
        let (failed, errors) = failures(&report);
        let summary = &read["results"]["summary"];
        prop_assert_eq!(&summary["tests"], report.tests.len() + errors);
        prop_assert_eq!(&summary["failed"], failed + errors);
        prop_assert_eq!(&summary["flaky"], count(&report, &Status::Recovered));
        let tests = read["results"]["tests"].as_array().expect("tests");
        for test in tests {
            prop_assert_ne!(&test["name"], "");
            prop_assert_eq!(&test["extra"]["durationKnown"], false);
        }
    }

    /// Read by pulldown-cmark: there is no link but ours, no image, no HTML, and nothing is a heading
    /// or a list that is none in a harmless report.
    #[test]
    fn markdown(report in report(), budget in 0..20_000usize) {
        use pulldown_cmark::{Event, Parser, Tag};

        let written = report.markdown(budget);
        prop_assert!(written.len() <= budget, "{} of {budget}", written.len());
        assert_harmless(&written);
        let whole = report.markdown(usize::MAX);
        let outline = |text: &str| {
            let events = Parser::new(text).filter_map(|event| match event {
                Event::Start(tag) => Some(format!("{tag:?}")),
                Event::Code(_) => Some("code".to_owned()),
                Event::InlineHtml(_) | Event::Html(_) => panic!("HTML in {text}"),
                _ => None,
            });
            events.collect::<Vec<_>>()
        };
        prop_assert_eq!(outline(&whole), outline(&harmless(&report).markdown(usize::MAX)));
        for event in Parser::new(&written) {
            let is_active = matches!(event, Event::Start(Tag::Image { .. } | Tag::HtmlBlock));
            prop_assert!(!is_active, "{written}");
            if let Event::Start(Tag::Link { dest_url, .. }) = event {
                prop_assert!(dest_url.starts_with("https://app.checksum.ai/#/test-runs/"));
            }
        }
    }

    /// No text is markup: the page has the same elements and attributes as a harmless one.
    #[test]
    fn html(report in report()) {
        let page = |report: &Report| {
            let mut written = Vec::new();
            report.write_html(&mut written).expect("written");
            String::from_utf8(written).expect("UTF-8")
        };
        let written = page(&report);
        assert_harmless(&written);
        prop_assert_eq!(markup(&written), markup(&page(&harmless(&report))));
        prop_assert_eq!(written.matches("<li class=").count(), report.tests.len());
    }

    #[test]
    fn cleaning_a_second_time_changes_nothing(text in hostile()) {
        let line = text::line(&text);
        prop_assert_eq!(text::line(&line), line);
        let block = text::block(&text);
        prop_assert_eq!(text::block(&block), block);
    }
}

#[test]
fn a_megabyte_of_message_is_cut() {
    let mut report = Report::default();
    for message in ["x", "\u{1b}[31m`\n", "&", "]]>", "\n::error::"] {
        let mut test = Test::new(
            "id",
            message.repeat((1 << 20) / message.len()),
            Status::Failed,
        );
        test.error = Some(message.repeat((1 << 20) / message.len()));
        report.tests.push(test);
    }
    let (mut junit, mut ctrf, mut html) = (Vec::new(), Vec::new(), Vec::new());
    report.write_junit(&mut junit).expect("written");
    report.ctrf().write(&mut ctrf).expect("written");
    report.write_html(&mut html).expect("written");
    for written in [junit, ctrf, html] {
        let text = String::from_utf8(written).expect("UTF-8");
        assert!(text.len() < 2 << 20, "{} bytes", text.len());
        assert_eq!(text.matches("more bytes are left out").count(), 5);
    }
    assert!(report.markdown(CHECK_BYTES).len() <= CHECK_BYTES);
}

/// A secret is found although colours or a command hide it, and before a cut leaves a part of it.
#[test]
fn secrets_are_whole_when_they_are_redacted() {
    let secret = "::the-secret-##[x]";
    let hidden = secret.replace('s', "\u{1b}[1ms\u{200b}");
    let mut report = Report::without_results(format!("{hidden} {secret}"));
    let title = format!("{}{secret}", "a".repeat(990));
    report.tests.push(Test::new("id", title, Status::Failed));
    let report = report.map_text(|text| text.replace(secret, "***"));
    assert_eq!(report.error.as_deref(), Some("*** ***"));
    let markdown = report.markdown(usize::MAX);
    assert!(
        markdown.contains("aaa***") && !markdown.contains("the-s"),
        "{markdown}"
    );
}

#[test]
fn markdown_says_how_many_tests_are_left_out() {
    let mut report = Report::default();
    let failed = (0..500).map(|n| Test::new("id", format!("test {n}"), Status::Failed));
    report.tests = failed.collect();
    report.tests.push(Test::new("id", "bug", Status::Bug));
    let markdown = report.markdown(5_000);
    let shown = markdown.matches("- ` test ").count();
    let last = format!(
        "\n… tests that are left out: {} failed, 1 bug\n",
        500 - shown
    );
    assert!(shown > 100 && markdown.ends_with(&last), "{markdown}");
    assert!(!report.markdown(usize::MAX).contains("left out"));
}
