//! The exit codes, and every rule that decides one: what a run, a batch or an error means for the
//! caller of the command.

use std::process;

use checksum_api_ext::{
    BatchStatus, Contradiction, Error, ErrorKind, Outcome, RunState, RunStatus,
};

use crate::error::CliError;
use crate::output::text::one_line;
use crate::signal::Signal;

/// The exit codes of the command. The numbers are part of its interface. 7 is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// The tests passed, every session completed, or the command did its work.
    Pass = 0,
    /// A test or a session failed, or no test ran.
    Failed = 1,
    /// The arguments or the configuration are wrong, or the service rejected the request.
    Usage = 2,
    /// The wait timed out; the work goes on.
    TimedOut = 3,
    /// The service does not accept the API key.
    Unauthorized = 4,
    /// The outcome, or whether the work was started, is not known.
    Indeterminate = 5,
    /// The service's infrastructure failed.
    ProcessError = 6,
    /// `status` of work that has not ended.
    StillRunning = 8,
    /// Somebody cancelled the run.
    Cancelled = 9,
    /// The tests passed, but something else failed, such as a download.
    PassedWithErrors = 10,
    /// SIGHUP.
    HungUp = 129,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

/// The table that `--help` shows.
pub(crate) const HELP: &str = "\
Exit codes:
    0  pass: the tests passed or were healed, or every session completed
    1  failed: a test or a session failed, or no test ran
    2  usage: wrong arguments or configuration, or the service rejected the request
    3  timed out: --timeout passed; the work goes on
    4  unauthorized: the service does not accept the API key (401, 403)
    5  indeterminate: polling failed, or the work may have been started
    6  process-error: the service's infrastructure failed
    7  (not used)
    8  still running (`checksum status`)
    9  cancelled
   10  passed, but something else failed, or a list may be incomplete
  129  SIGHUP, 130  SIGINT, 143  SIGTERM: the work goes on";

/// What the help of `wait` adds to [`HELP`].
pub(crate) const HELP_OF_SEVERAL: &str = "\
Of several runs and batches, the command exits with the worst code: the first of
1, 6, 9, 4, 2, 5, 3, 10, 0 that one of them has.";

/// The order of [`ExitCode::worst`]: a verdict outranks the lack of one, which a second `wait` can
/// supply. A signal ends the command, whatever else has happened.
const WORST_FIRST: [ExitCode; 13] = [
    ExitCode::HungUp,
    ExitCode::Interrupted,
    ExitCode::Terminated,
    ExitCode::Failed,
    ExitCode::ProcessError,
    ExitCode::Cancelled,
    ExitCode::Unauthorized,
    ExitCode::Usage,
    ExitCode::Indeterminate,
    ExitCode::TimedOut,
    ExitCode::StillRunning,
    ExitCode::PassedWithErrors,
    ExitCode::Pass,
];

impl ExitCode {
    /// Returns the code of a command that waited for several works with these codes.
    pub(crate) fn worst(codes: &[Self]) -> Self {
        let mut worst = WORST_FIRST.into_iter();
        worst
            .find(|code| codes.contains(code))
            .unwrap_or(Self::Pass)
    }

    /// Returns the code as one word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pass => "passed",
            Self::Failed => "failed",
            Self::Usage => "error",
            Self::TimedOut => "timed-out",
            Self::Unauthorized => "unauthorized",
            Self::Indeterminate => "indeterminate",
            Self::ProcessError => "process-error",
            Self::StillRunning => "running",
            Self::Cancelled => "cancelled",
            Self::PassedWithErrors => "passed-with-errors",
            Self::HungUp | Self::Interrupted | Self::Terminated => "interrupted",
        }
    }

    /// Returns the code if something other than the tests failed.
    pub(crate) fn with_errors(self) -> Self {
        match self {
            Self::Pass => Self::PassedWithErrors,
            code => code,
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

impl From<Signal> for ExitCode {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::HangUp => Self::HungUp,
            Signal::Interrupt => Self::Interrupted,
            Signal::Terminate => Self::Terminated,
        }
    }
}

impl From<&CliError> for ExitCode {
    fn from(error: &CliError) -> Self {
        match error {
            CliError::Request(error) | CliError::Start(error) | CliError::Wait { error, .. } => {
                error.into()
            }
            CliError::MayHaveStarted { .. } | CliError::AffectedTimedOut { .. } => {
                Self::Indeterminate
            }
            CliError::InterruptedLookup(signal)
            | CliError::InterruptedStart(signal)
            | CliError::InterruptedWait { signal, .. }
            | CliError::Interrupted(signal) => (*signal).into(),
            _ => Self::Usage,
        }
    }
}

/// The meaning of a status for the caller. `--strict` is applied nowhere else.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) exit_code: ExitCode,
    /// `None` for a batch, and for a run that has not ended.
    pub(crate) outcome: Option<Outcome>,
    /// How the response contradicts its state.
    pub(crate) contradiction: Option<Contradiction>,
    /// Further information for people, in sentences.
    pub(crate) remarks: Vec<String>,
    /// Whether the remarks are needed to understand the exit code.
    pub(crate) needs_remarks: bool,
}

impl Verdict {
    pub(crate) fn is_success(&self) -> bool {
        self.exit_code == ExitCode::Pass
    }

    pub(crate) fn of_run(status: &RunStatus, is_strict: bool) -> Self {
        let contradiction = status.contradiction();
        let outcome = match status.outcome() {
            Some(outcome) if outcome.is_success() && is_strict && contradiction.is_some() => {
                Some(Outcome::Failed)
            }
            outcome => outcome,
        };
        let mut remarks = Vec::new();
        if let (Some(contradiction), Some(outcome)) = (&contradiction, &outcome) {
            let was_success = status.outcome().is_some_and(|outcome| outcome.is_success());
            let effect = match (was_success, outcome.is_success()) {
                (false, _) => "the run failed",
                (true, true) => WOULD_FAIL,
                (true, false) => COUNTED_AS_FAILED,
            };
            remarks.push(one_line(&format!("{contradiction}; {effect}")));
        }
        match &outcome {
            Some(Outcome::NoTests) => remarks.push(NO_TESTS.to_owned()),
            Some(Outcome::Unrecognised(state)) => remarks.push(format!(
                "{}, which counts neither as passed nor as failed; see the run in the dashboard, \
                 and check for a newer version",
                unknown_state(state)
            )),
            None if !status.is_known_state() => {
                remarks.push(unknown_state(status.state().as_str()));
            }
            _ => {}
        }
        Self {
            exit_code: outcome.as_ref().map_or(ExitCode::StillRunning, of_outcome),
            needs_remarks: matches!(status.state(), RunState::Unrecognised(_))
                || outcome == Some(Outcome::NoTests),
            outcome,
            contradiction,
            remarks,
        }
    }

    pub(crate) fn of_batch(status: &BatchStatus, is_strict: bool) -> Self {
        let contradiction = status.contradiction();
        let exit_code = match (status.is_failure(), status.is_success()) {
            _ if !status.all_terminal() => ExitCode::StillRunning,
            (true, _) => ExitCode::Failed,
            (_, true) if is_strict && contradiction.is_some() => ExitCode::Failed,
            (_, true) => ExitCode::Pass,
            // It ended in a state that this version does not know.
            (false, false) => ExitCode::Indeterminate,
        };
        let remark = contradiction.as_ref().map(|contradiction| {
            one_line(&match exit_code {
                ExitCode::Pass => format!("{contradiction}; {WOULD_FAIL}"),
                ExitCode::Failed => format!("{contradiction}; {COUNTED_AS_FAILED}"),
                _ => contradiction.to_string(),
            })
        });
        Self {
            exit_code,
            outcome: None,
            contradiction,
            remarks: remark.into_iter().collect(),
            needs_remarks: false,
        }
    }
}

const WOULD_FAIL: &str = "--strict would fail it";
const COUNTED_AS_FAILED: &str = "counted as failed";
const NO_TESTS: &str =
    "no test ran: the selection may match no test; --allow-no-tests lets it pass";

fn unknown_state(state: &str) -> String {
    format!("this version does not know the state `{}`", one_line(state))
}

fn of_outcome(outcome: &Outcome) -> ExitCode {
    match outcome {
        Outcome::Passed | Outcome::Healed => ExitCode::Pass,
        Outcome::Failed | Outcome::NoTests => ExitCode::Failed,
        Outcome::ProcessError => ExitCode::ProcessError,
        Outcome::Cancelled => ExitCode::Cancelled,
        _ => ExitCode::Indeterminate,
    }
}

impl From<&Error> for ExitCode {
    fn from(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Unauthorized | ErrorKind::Forbidden => Self::Unauthorized,
            ErrorKind::Configuration
            | ErrorKind::InvalidRequest
            | ErrorKind::NotFound
            | ErrorKind::Rejected => Self::Usage,
            ErrorKind::DeadlineExceeded => Self::TimedOut,
            _ => Self::Indeterminate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_code_is_the_first_of_those_that_the_help_lists() {
        let (_, listed) = HELP_OF_SEVERAL
            .split_once("the first of\n")
            .expect("a list");
        let (listed, _) = listed.split_once(" that").expect("an end");
        let mut codes: Vec<ExitCode> = WORST_FIRST.to_vec();
        for number in listed.split(", ") {
            codes.retain(|code| !matches!(*code as u8, 8 | 129..));
            assert_eq!(
                ExitCode::worst(&codes) as u8,
                number.parse::<u8>().expect(number)
            );
            codes.remove(0);
        }
        assert_eq!(ExitCode::worst(&[]), ExitCode::Pass);
        let codes = [ExitCode::Pass, ExitCode::Terminated, ExitCode::Failed];
        assert_eq!(ExitCode::worst(&codes), ExitCode::Terminated);
    }

    /// The compiler does not name `of_outcome` for a new outcome.
    #[test]
    fn each_outcome_has_an_exit_code() {
        let schema = schemars::schema_for!(Outcome);
        let words = schema
            .pointer("/anyOf/0/enum")
            .and_then(|words| words.as_array());
        for word in words.expect("the known outcomes") {
            let outcome: Outcome = serde_json::from_value(word.clone()).expect("an outcome");
            assert_ne!(of_outcome(&outcome), ExitCode::Indeterminate, "{word}");
        }
    }
}
