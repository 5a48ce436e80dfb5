//! Measures the reports of a run of forty thousand tests, of which a tenth failed: the size of each,
//! and the time to write it; and how far the process's peak memory grows.
//!
//! ```text
//! cargo run --release -p checksum-tests --example large_report
//! ```

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use checksum_report::{CHECK_BYTES, Report, Status, Test};
use checksum_tests::memory;

const TESTS: usize = 40_000;

/// The last argument, if there is one, is a directory in which the reports are kept.
fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let mut report = Report::default();
    report.outcome = "failed".to_owned();
    report.branch = Some("main".to_owned());
    report.test_run_id = Some("00000000-0000-4000-8000-000000000001".to_owned());
    report.tests = (0..TESTS).map(test).collect();
    for name in ["junit.xml", "ctrf.json", "summary.md", "run.html"] {
        let before = memory::highest()?;
        let started = Instant::now();
        let mut bytes = Vec::new();
        match name {
            "junit.xml" => report.write_junit(&mut bytes)?,
            "ctrf.json" => report.ctrf().write(&mut bytes)?,
            "summary.md" => bytes = report.markdown(CHECK_BYTES).into(),
            _ => report.write_html(&mut bytes)?,
        }
        let seconds = started.elapsed().as_secs_f64();
        let grown = memory::highest()?.saturating_sub(before);
        let size = bytes.len();
        writeln!(
            io::stdout(),
            "{name}: {size} bytes, {seconds:.2} s, {grown} bytes more memory"
        )?;
        if let Some(directory) = &directory {
            fs::write(directory.join(name), bytes)?;
        }
    }
    Ok(())
}

fn test(number: usize) -> Test {
    let status = match number % 100 {
        0..10 => Status::Failed,
        10 => Status::Bug,
        11..14 => Status::Recovered,
        _ => Status::Passed,
    };
    let title = format!("User can do the thing with the number {number}");
    let mut test = Test::new(format!("test-{number}"), title, status);
    test.file = Some(format!(
        "checksum/tests/area-{}/thing.spec.ts",
        number % 100
    ));
    test.tags = vec!["smoke".to_owned(), "checkout".to_owned()];
    test.health = Some("healthy".to_owned());
    if test.status != Status::Passed {
        test.error = Some(format!(
            "Error: \u{1b}[31mexpect(locator).toBeVisible()\u{1b}[0m failed\n\nLocator: \
             getByRole('button', {{ name: 'Pay {number}' }})\nTimeout: 30000ms\n    at \
             checkout.spec.ts:42:11"
        ));
    }
    test
}
