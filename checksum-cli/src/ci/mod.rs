//! What the command does for the CI system that runs it. GitHub Actions is recognised by its
//! environment; other systems get what an option asks for.

mod github;
mod github_event;
mod gitlab;
#[cfg(test)]
pub(crate) mod tests;

use std::cell::Cell;
use std::env;
use std::io;

use checksum_api_ext::{BatchStatus, RunReport, TestId};
use checksum_report::Report;

use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::{eprint_command, eprint_line};
use crate::output::text::one_line;

use github::GitHub;
pub(crate) use github_event::Options;
pub(crate) use gitlab::dotenv;

/// The CI system that runs this command.
pub(crate) struct Ci {
    github: Option<GitHub>,
    has_errors: Cell<bool>,
    /// How many annotations may follow.
    annotations_left: Cell<usize>,
}

impl Ci {
    /// Recognises the system by its environment variables.
    pub(crate) fn detect() -> Self {
        let is_github = env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true");
        Self {
            github: is_github.then(|| GitHub::new(|name| env::var_os(name))),
            has_errors: Cell::new(false),
            annotations_left: Cell::new(github::MAX_ANNOTATIONS),
        }
    }

    /// Sets no outputs: they could be of one run only.
    pub(crate) fn of_several(mut self) -> Self {
        self.github = self.github.map(GitHub::without_outputs);
        self
    }

    /// Takes options that are not given from the event that started the workflow, and says so.
    pub(crate) fn fill(&self, options: Options<'_>, quiet: bool) {
        if self.github.is_some() {
            let notes = options.fill(&|name| env::var(name).ok());
            for note in notes.iter().filter(|_| !quiet) {
                eprint_line(&one_line(&format!("note: {note}")));
            }
        }
    }

    /// Whether the results of the tests are shown, even if no option asks for a report.
    pub(crate) fn shows_results(&self) -> bool {
        self.github.is_some()
    }

    /// Sets outputs of the step.
    pub(crate) fn outputs(&self, outputs: &[(&str, String)]) {
        if let Some(github) = self.github.as_ref().filter(|_| !outputs.is_empty()) {
            self.check("the outputs of the step", github.write_outputs(outputs));
        }
    }

    /// Sets the outputs of `run affected`.
    pub(crate) fn affected(&self, tests: &[TestId], pattern: Option<&str>) {
        let ids: Vec<&str> = tests.iter().map(|id| id.as_str()).collect();
        let mut outputs = vec![("affected-test-ids", serde_json::json!(ids).to_string())];
        outputs.extend(pattern.map(|pattern| ("grep-pattern", pattern.to_owned())));
        self.outputs(&outputs);
    }

    /// Sets the outputs of a run that has ended.
    pub(crate) fn finished(&self, run: &RunReport, is_success: bool) {
        let id = run.test_run_id();
        let id = id.map(|id| ("test-run-id", id.to_string()));
        let mut outputs = ended(run.state(), is_success);
        outputs.extend(id);
        self.outputs(&outputs);
    }

    /// Sets the outputs of a command that failed. Its work may go on.
    pub(crate) fn failed(&self, error: &CliError) {
        let is_timeout = ExitCode::from(error) == ExitCode::TimedOut;
        let status = is_timeout.then(|| ("status", "timeout".to_owned()));
        let verdict = error.handle().map(|_| ("verdict", "pending".to_owned()));
        let outputs: Vec<_> = status.into_iter().chain(verdict).collect();
        self.outputs(&outputs);
    }

    /// Shows a run that has ended: annotations for what failed, and a summary of the step. The
    /// report must have no secret.
    pub(crate) fn run(&self, report: &Report) {
        let Some(github) = &self.github else { return };
        let left = self.annotations_left.get();
        let (commands, left_out) = github::annotations(report, left);
        self.annotations_left.set(left - commands.len());
        commands.iter().for_each(|command| eprint_command(command));
        if left_out > 0 {
            eprint_line(&format!("note: {left_out} more tests failed"));
        }
        self.summarise(github, |max_bytes| report.markdown(max_bytes));
    }

    /// Shows a batch that has ended: outputs, and a summary of the step.
    pub(crate) fn batch(&self, status: &BatchStatus, is_success: bool) {
        self.outputs(&ended(status.state(), is_success));
        if let Some(github) = &self.github {
            self.summarise(github, |_| github::batch_summary(status, is_success));
        }
    }

    /// Returns the exit code of a command that would end with this one: a pass has errors if
    /// something could not be written.
    pub(crate) fn code(&self, code: ExitCode) -> ExitCode {
        match self.has_errors.get() {
            true => code.with_errors(),
            false => code,
        }
    }

    fn summarise(&self, github: &GitHub, markdown: impl Fn(usize) -> String) {
        self.check("the summary of the step", github.write_summary(markdown));
    }

    fn check(&self, what: &str, written: io::Result<()>) {
        if let Err(error) = written {
            eprint_line(&one_line(&format!("warning: {what}: {error}")));
            self.has_errors.set(true);
        }
    }
}

fn ended(state: &impl ToString, is_success: bool) -> Vec<(&'static str, String)> {
    let verdict = if is_success { "pass" } else { "fail" };
    vec![
        ("status", state.to_string()),
        ("verdict", verdict.to_owned()),
    ]
}
