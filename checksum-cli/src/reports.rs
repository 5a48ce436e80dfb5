//! `--report`: writes what is known of a run into files, whatever its outcome.

use std::fmt::Display;
use std::fs;
use std::io;
use std::time::Duration;

use checksum_api_ext::{BatchStatus, Counts, Error, Handle, RunReport, TestRunResults};
use checksum_report::{CHECK_BYTES, Report};
use tokio::time::{Instant, timeout};

use crate::args::{ArtifactsDirectory, ReportFile, ReportFormat};
use crate::artifacts;
use crate::ci::{Ci, dotenv};
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{Artifacts, Message, RunResult};
use crate::output::stderr::eprint_line;
use crate::output::stdout::Output;
use crate::output::text::one_line;
use crate::redaction::redact;
use crate::signal::until_signal;
use crate::wait::atomic_file::AtomicFile;

/// How long one command waits for results that do not come, of all its runs together. The verdicts
/// are printed by then.
pub(crate) const MAX_FETCH: Duration = Duration::from_secs(120);

/// What there is to report once a command has ended without an error.
pub(crate) enum Subject {
    Run(Box<FinishedRun>),
    /// No test is affected, so that nothing was started.
    Nothing,
    Batch(Box<BatchStatus>),
    /// Work that goes on.
    NoResult,
}

/// A run that has ended, and its result as it was printed for people.
pub(crate) struct FinishedRun {
    pub(crate) report: RunReport,
    pub(crate) result: RunResult,
}

/// The files of this command: reports, and the attachments of `--artifacts`.
#[derive(Default)]
pub(crate) struct Reports<'a> {
    files: Vec<(&'a ReportFile, io::Result<AtomicFile>)>,
    artifacts: Option<&'a ArtifactsDirectory>,
    quiet: bool,
    ci: Option<&'a Ci>,
}

impl<'a> Reports<'a> {
    /// Writes into each file that the run has not ended: a command that is killed must not leave the
    /// report of an earlier run. Pipes and devices get only the last report.
    pub(crate) fn prepare(files: &'a [ReportFile]) -> Self {
        let unfinished = "the command ended before it knew the result of the run";
        let unfinished = Report::without_results(unfinished);
        let prepared = files.iter().map(|wanted| {
            let mut file = prepare(wanted);
            if let Ok(AtomicFile::File(_)) = file {
                file = file.and_then(|file| write(wanted.format, file, &unfinished));
            }
            (wanted, file)
        });
        Self {
            files: prepared.collect(),
            ..Self::default()
        }
    }

    /// Adds the attachments to download.
    pub(crate) fn with_artifacts(
        mut self,
        artifacts: Option<&'a ArtifactsDirectory>,
        quiet: bool,
    ) -> Self {
        (self.artifacts, self.quiet) = (artifacts, quiet);
        self
    }

    /// Shows the work in this CI system too.
    pub(crate) fn with_ci(mut self, ci: &'a Ci) -> Self {
        self.ci = Some(ci);
        self
    }

    /// Writes the reports of a command that has ended, downloads attachments, and prints the result
    /// of a run for programs. Returns how the command ends now: a pass has errors if the results
    /// could not be had, a report could not be written or an attachment could not be downloaded.
    pub(crate) async fn finish(
        self,
        ended: Result<(ExitCode, Subject), CliError>,
        is_strict: bool,
        output: &mut Output,
    ) -> Result<ExitCode, CliError> {
        match ended {
            Err(error) => {
                let mut report = Report::without_results(&error);
                if let Some(Handle::Run(run)) = error.handle() {
                    report.job_name = run.job_name().map(ToString::to_string);
                    report.test_run_id = run.test_run_id().map(ToString::to_string);
                }
                if let Some(ci) = self.ci {
                    ci.failed(&error);
                }
                self.write(report);
                Err(error)
            }
            Ok((code, Subject::NoResult)) => Ok(self.code(code)),
            Ok((code, Subject::Batch(status))) => {
                if let Some(ci) = self.ci {
                    ci.batch(&status, code == ExitCode::Pass);
                }
                Ok(self.code(code))
            }
            Ok((code, Subject::Nothing)) => {
                let mut report = Report::default();
                report.outcome = "nothing-to-run".to_owned();
                report.is_success = true;
                report.counts = Some(Counts::default());
                report.reason = Some("no test is affected; nothing was started".to_owned());
                Ok(self.write(report).code(code))
            }
            Ok((code, Subject::Run(run))) => {
                let mut fetch_time = MAX_FETCH;
                let finished = self.finish_run(code, *run, is_strict, output, &mut fetch_time);
                let (code, result) = finished.await;
                output.data(&Message::Run(&result));
                Ok(code)
            }
        }
    }

    /// As [`finish`](Self::finish), for a run that has ended. Returns its result, and prints nothing
    /// of it. What an attempt to fetch results takes in vain is taken from `fetch_time`.
    pub(crate) async fn finish_run(
        self,
        code: ExitCode,
        run: FinishedRun,
        is_strict: bool,
        output: &mut Output,
        fetch_time: &mut Duration,
    ) -> (ExitCode, RunResult) {
        let FinishedRun { report, result } = run;
        let written = self.write_all(code, &report, is_strict, output, fetch_time);
        let (code, artifacts) = written.await;
        (code, result.finished(code, artifacts))
    }

    async fn write_all(
        self,
        mut code: ExitCode,
        run: &RunReport,
        is_strict: bool,
        output: &mut Output,
        fetch_time: &mut Duration,
    ) -> (ExitCode, Option<Artifacts>) {
        let (wanted, quiet) = (self.artifacts, self.quiet);
        let is_wanted = !self.files.is_empty() || wanted.is_some();
        if let Some(ci) = self.ci {
            ci.finished(run, code == ExitCode::Pass);
        }
        if !is_wanted && !self.ci.is_some_and(Ci::shows_results) {
            return (code, None);
        }
        let results = fetch(run.results(), fetch_time).await;
        if let Err(error) = &results {
            let note = format!("warning: there are no results for reports or artifacts: {error}");
            eprint_line(&one_line(&note));
            // Only a summary lacks them if no option asks for them.
            code = if is_wanted { code.with_errors() } else { code };
        }
        let outcome = match is_strict {
            true => run.strict_outcome(),
            false => run.outcome(),
        };
        let shown = results.as_ref().map_err(|error| error as &dyn Display);
        // First the reports, which take no time.
        code = self.write(Report::new(run, &outcome, shown)).code(code);
        let Some(wanted) = wanted else {
            return (code, None);
        };
        let (artifacts, is_complete) =
            artifacts::download(wanted, run.test_run(), shown, quiet, output).await;
        if !is_complete {
            code = code.with_errors();
        }
        (code, Some(artifacts))
    }

    fn code(&self, code: ExitCode) -> ExitCode {
        self.ci.map_or(code, |ci| ci.code(code))
    }

    /// Writes each report, without secrets. A failure is printed.
    pub(crate) fn write(self, report: Report) -> Written {
        let report = report.map_text(redact);
        if let Some(ci) = self.ci {
            ci.run(&report);
        }
        let mut written = Written(self.code(ExitCode::Pass) == ExitCode::Pass);
        for (wanted, file) in self.files {
            if let Err(error) = file.and_then(|file| write(wanted.format, file, &report)) {
                eprint_line(&one_line(&format!("warning: {wanted}: {error}")));
                written = Written(false);
            }
        }
        written
    }
}

/// Whether every report was written.
pub(crate) struct Written(bool);

impl Written {
    /// Returns the exit code of a command that would end with this one.
    pub(crate) fn code(self, code: ExitCode) -> ExitCode {
        if self.0 { code } else { code.with_errors() }
    }
}

async fn fetch(
    results: impl Future<Output = Result<TestRunResults, Error>>,
    time: &mut Duration,
) -> Result<TestRunResults, String> {
    let began = Instant::now();
    let error = match until_signal(timeout(*time, results)).await {
        Ok(Ok(Ok(results))) => return Ok(results),
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(_)) => format!("no response within {} s", MAX_FETCH.as_secs()),
        Err(signal) => signal.to_string(),
    };
    *time = time.saturating_sub(began.elapsed());
    Err(error)
}

fn prepare(wanted: &ReportFile) -> io::Result<AtomicFile> {
    if let Some(directory) = wanted.path.parent() {
        fs::create_dir_all(directory)?;
    }
    AtomicFile::prepare(&wanted.path)
}

fn write(format: ReportFormat, mut file: AtomicFile, report: &Report) -> io::Result<AtomicFile> {
    let mut bytes = Vec::new();
    match format {
        ReportFormat::Junit => report.write_junit(&mut bytes)?,
        ReportFormat::Ctrf => report.ctrf().write(&mut bytes)?,
        ReportFormat::Markdown => bytes = report.markdown(CHECK_BYTES).into(),
        ReportFormat::Html => report.write_html(&mut bytes)?,
        ReportFormat::Dotenv => bytes = dotenv(report).into(),
    }
    file.write(&bytes)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_runs_without_results_take_no_longer_than_one() {
        let began = Instant::now();
        let mut time = MAX_FETCH;
        for _ in 0..1000 {
            let error = fetch(pending(), &mut time).await.expect_err("none come");
            assert_eq!(error, "no response within 120 s");
        }
        assert!(began.elapsed() < MAX_FETCH + Duration::from_secs(1));
    }
}
