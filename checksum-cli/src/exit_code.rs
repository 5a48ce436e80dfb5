use std::process;

use checksum_api_ext::Outcome;

/// How the command ends. The numbers are part of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// The tests passed, every session completed, or the command did what it was asked.
    Pass = 0,
    /// Tests or a session failed, or the answers are not as documented.
    Failed = 1,
    /// The arguments, the configuration, or what the service was asked for is wrong.
    Usage = 2,
    /// The wait timed out; the run goes on.
    TimedOut = 3,
    /// The service refused the key.
    Refused = 4,
    /// The outcome is not known.
    Unknown = 5,
    /// The service's infrastructure failed.
    ProcessError = 6,
    /// `status` of a run that has not finished.
    Unfinished = 8,
    /// Somebody cancelled the run.
    Cancelled = 9,
    /// The tests passed, and something asked for beside it failed.
    PassedButIncomplete = 10,
    /// SIGHUP.
    HungUp = 129,
    /// Ctrl-C.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

/// The table, as `--help` shows it.
pub(crate) const HELP: &str = "\
Exit codes:
    0  pass: the tests passed or were healed, every session completed
    1  failed: a test, a session of an agent, or a run in which no test ran
    2  usage or configuration, or the service does not know what was asked for
    3  the wait timed out; the work goes on
    4  refused: the service does not accept the key (401, 403)
    5  the service or the network gave up, so that the outcome is unknown,
       or work may have been started and the answer did not arrive
    6  process-error: the service's infrastructure failed
    8  status: the run has not finished
    9  the run was cancelled
   10  passed, but something asked for beside it failed, or a list may be incomplete
  129  hung up (SIGHUP); the work goes on
  130  interrupted (SIGINT); the work goes on
  143  terminated (SIGTERM); the work goes on";

impl From<&Outcome> for ExitCode {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Passed | Outcome::Healed => Self::Pass,
            Outcome::Failed | Outcome::NoTests => Self::Failed,
            Outcome::ProcessError => Self::ProcessError,
            Outcome::Cancelled => Self::Cancelled,
            _ => Self::Unknown,
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
