//! Writing the reports of a run of many tests, of which a tenth failed. Each case prints the seconds of
//! the processor, the bytes that were written, and by how much the highest resident memory has grown.

use checksum_report::{CHECK_BYTES, Report, Status, Test};

use crate::Error;
use crate::results::{highest_memory, processor_time};

/// Writes a report of this many tests.
pub(crate) fn run(case: &str, tests: usize) -> Result<usize, Error> {
    let mut report = Report::default();
    report.outcome = "failed".to_owned();
    report.branch = Some("main".to_owned());
    report.test_run_id = Some("00000000-0000-4000-8000-000000000001".to_owned());
    report.tests = (0..tests).map(test).collect();
    let (before, used) = (highest_memory()?, processor_time()?);
    let mut written = Counted(0);
    match case {
        "junit" => report.write_junit(&mut written)?,
        "ctrf" => report.ctrf().write(&mut written)?,
        "markdown" => written.0 = report.markdown(CHECK_BYTES).len(),
        "html" => report.write_html(&mut written)?,
        _ => return Err(format!("no case `{case}`").into()),
    }
    println!("processor {}", processor_time()? - used);
    println!("peak {}", highest_memory()? - before);
    println!("written {}", written.0);
    Ok(1)
}

/// Counts what is written, and does not keep it.
struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
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
