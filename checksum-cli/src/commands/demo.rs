//! `checksum demo`: a run, its healing and a second run, against the built-in mock server.

use std::time::Duration;

use checksum_api_ext::{
    ApiKey, BatchId, BatchStatus, Checksum, Handle, HealOptions, PollPolicy, Run, RunReport,
    TestResult, TestStatus,
};
use checksum_mock::{BatchScript, Clock, Mock, RunScript};

use super::results::table;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::output::text::one_line;
use crate::wait::follow::{follow, run_changed};
use crate::wait::work::{print_run, run_started};

/// One second of the demo is a minute of the mock server.
const SPEED: f64 = 60.0;

/// Follows the quick start of the API: a suite fails, healing opens a pull request, and the suite
/// passes with its fixes.
pub(super) async fn execute(quiet: bool, output: &mut Output) -> Result<ExitCode, CliError> {
    let mock = Mock::builder().clock(Clock::scaled(SPEED)).start().await?;
    mock.next_run(script().fail_tests(["test-def-456"]));
    let session = Duration::from_secs(30);
    mock.next_heal(
        BatchScript::new()
            .pending(Duration::from_secs(10))
            .session(session),
    );
    mock.next_run(script().healed());
    let checksum = client(&mock)?;
    let reporter = Reporter::new(quiet, output.is_text());
    reporter.note("This demo talks to a mock server on this machine; one minute takes one second.");

    reporter.note("\n1. A suite run, healed on failure");
    let repository = "acme-co/my-tests".parse().map_err(|_| CliError::Demo)?;
    let heal = HealOptions::open_pull_request(repository).target_branch("main");
    let run = checksum.run_suite().auto_heal(heal).start().await?;
    let report = watch(&run, quiet, output).await?;
    for test in failures(&checksum, &report).await? {
        let error = test.error_message.unwrap_or_default();
        let id = &test.checksum_test_id;
        reporter.note(&one_line(&format!("{id}: {error}")));
    }
    reporter.note(&format!(
        "the verdict is {}, so healing was started automatically",
        report.outcome()
    ));

    reporter.note("\n2. The healing opens a pull request");
    reporter.note(
        "(The API does not return the batch of an automatic healing; the mock server gave its id.)",
    );
    for id in mock.heal_batches() {
        let id: BatchId = id.parse().map_err(|_| CliError::Demo)?;
        show(&checksum.resume_heal_batch(id).await?, &reporter);
    }

    reporter.note("\n3. The suite again, with the fixes");
    let run = checksum.run_suite().start().await?;
    let report = watch(&run, quiet, output).await?;
    if output.is_text() {
        output.page(&table(&report.results().await?));
    }
    let job_name = report.job_name();
    let exit_code = print_run(job_name, report.status(), false, &reporter, output);
    reporter.note(&format!(
        "exit code {}: the verdict of the last run",
        exit_code as u8
    ));
    Ok(exit_code)
}

/// The duration of each run.
fn script() -> RunScript {
    RunScript::new()
        .queued(Duration::from_secs(15))
        .running(Duration::from_secs(60))
}

fn client(mock: &Mock) -> Result<Checksum, CliError> {
    let key = ApiKey::new("demo").map_err(|_| CliError::Demo)?;
    let base_url = mock.url().parse().map_err(|_| CliError::Demo)?;
    let builder = Checksum::builder().api_key(key).base_url(base_url);
    Ok(builder
        .poll_policy(PollPolicy::fixed(Duration::from_millis(50)))
        .build()?)
}

async fn watch(run: &Run, quiet: bool, output: &mut Output) -> Result<RunReport, CliError> {
    let mut reporter = Reporter::new(quiet, output.is_text());
    let handle = Handle::from(run);
    reporter.note(&one_line(&format!("started {}", handle.id())));
    output.event(&run_started(run));
    follow(run.events(), handle, &mut reporter, output, run_changed).await
}

async fn failures(checksum: &Checksum, report: &RunReport) -> Result<Vec<TestResult>, CliError> {
    let Some(id) = report.test_run_id() else {
        return Ok(Vec::new());
    };
    let test_run = checksum.test_run(id.clone());
    let failed = test_run.results_with_status(TestStatus::Failed).await?;
    Ok(failed.tests().to_vec())
}

fn show(batch: &BatchStatus, reporter: &Reporter) {
    for session in batch.sessions() {
        let outcome = session.pr_url.as_deref().unwrap_or("no pull request");
        let (id, status) = (&session.session_id, &session.status);
        reporter.note(&one_line(&format!("{id} {status}: {outcome}")));
    }
}
