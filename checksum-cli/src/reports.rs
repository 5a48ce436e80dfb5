//! `--report`: writes what is known of a run into files, whatever its outcome.

use std::fmt::Display;
use std::fs;
use std::io;
use std::time::Duration;

use checksum_api_ext::{BatchStatus, Counts, Error, Handle, RunReport, TestRunResults};
use checksum_report::{CHECK_BYTES, Report};
use tokio::time::timeout;

use crate::args::{ReportFile, ReportFormat};
use crate::ci::{Ci, dotenv};
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::eprint_line;
use crate::output::text::one_line;
use crate::redaction::redact;
use crate::signal::until_signal;
use crate::wait::atomic_file::AtomicFile;

/// How long fetching the results may take. The verdict is printed by then.
const MAX_FETCH: Duration = Duration::from_secs(120);

/// What there is to report once a command has ended without an error.
pub(crate) enum Subject {
    Run(Box<RunReport>),
    /// No test is affected, so that nothing was started.
    Nothing,
    Batch(Box<BatchStatus>),
    /// Work that goes on.
    NoResult,
}

/// The files of this command.
pub(crate) struct Reports<'a>(Vec<(&'a ReportFile, io::Result<AtomicFile>)>);

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
        Self(prepared.collect())
    }

    /// Writes the reports of a command that has ended, and shows it in CI. Returns how the command
    /// ends now: a pass has errors if something could not be written, or if the results for the
    /// reports could not be had.
    pub(crate) async fn finish(
        self,
        ended: Result<(ExitCode, Subject), CliError>,
        is_strict: bool,
        ci: &Ci,
    ) -> Result<ExitCode, CliError> {
        let is_success = ended
            .as_ref()
            .is_ok_and(|(code, _)| *code == ExitCode::Pass);
        let verdict = if is_success { "pass" } else { "fail" };
        if let Ok((_, Subject::Batch(status))) = &ended {
            let state = status.state().to_string();
            ci.outputs(&[("status", state), ("verdict", verdict.to_owned())]);
            ci.batch(status, is_success);
        }
        let (code, report, has_results) = match ended {
            ended if self.0.is_empty() && !ci.shows_results() => {
                return ended.map(|(code, _)| code);
            }
            Ok((code, Subject::Batch(_) | Subject::NoResult)) => return Ok(ci.code(code)),
            Err(error) => {
                let mut report = Report::without_results(&error);
                if let Some(Handle::Run(run)) = error.handle() {
                    report.job_name = run.job_name().map(ToString::to_string);
                    report.test_run_id = run.test_run_id().map(ToString::to_string);
                }
                if ExitCode::from(&error) == ExitCode::TimedOut {
                    ci.outputs(&[("status", "timeout".to_owned())]);
                }
                if error.handle().is_some() {
                    ci.outputs(&[("verdict", "pending".to_owned())]);
                }
                (Err(error), report, true)
            }
            Ok((code, Subject::Nothing)) => {
                let mut report = Report::default();
                report.outcome = "nothing-to-run".to_owned();
                report.is_success = true;
                report.counts = Some(Counts::default());
                report.reason = Some("no test is affected; nothing was started".to_owned());
                (Ok(code), report, true)
            }
            Ok((code, Subject::Run(run))) => {
                let results = results(&run).await;
                if let Err(error) = &results {
                    let note = format!("warning: the reports have no results: {error}");
                    eprint_line(&one_line(&note));
                }
                let outcome = match is_strict {
                    true => run.strict_outcome(),
                    false => run.outcome(),
                };
                let shown = results.as_ref().map_err(|error| error as &dyn Display);
                let mut outputs = vec![
                    ("status", run.state().to_string()),
                    ("verdict", verdict.to_owned()),
                ];
                let id = run.test_run_id();
                outputs.extend(id.map(|id| ("test-run-id", id.to_string())));
                ci.outputs(&outputs);
                let report = Report::new(&run, &outcome, shown);
                (Ok(code), report, results.is_ok() || self.0.is_empty())
            }
        };
        let report = report.map_text(redact);
        ci.run(&report);
        let written = self.write(report);
        code.map(|code| ci.code(Written(written.0 && has_results).code(code)))
    }

    /// Writes each report, without secrets. A failure is printed.
    pub(crate) fn write(self, report: Report) -> Written {
        let report = report.map_text(redact);
        let mut written = Written(true);
        for (wanted, file) in self.0 {
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

async fn results(run: &RunReport) -> Result<TestRunResults, String> {
    match until_signal(timeout(MAX_FETCH, run.results())).await {
        Ok(Ok(results)) => results.map_err(|error: Error| error.to_string()),
        Ok(Err(_)) => Err(format!("no response within {} s", MAX_FETCH.as_secs())),
        Err(signal) => Err(signal.to_string()),
    }
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
