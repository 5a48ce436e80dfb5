use checksum_api_ext::{BatchStatus, Event, Events, Handle, Run, RunReport, RunStatus};
use std::time::Duration;
use tokio::time::{Instant, interval_at};

use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{BatchResult, Message, RunResult, session};
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::output::text::one_line;

/// How long nothing may be said on a log.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Waits for a run and shows what happens.
pub(crate) async fn follow_run(
    run: &Run,
    display: &mut Reporter,
    output: &mut Output,
) -> Result<RunReport, CliError> {
    let changed = |_, status: RunStatus, display: &mut Reporter, output: &mut Output| {
        let state = one_line(status.state().as_str());
        display.state(match status.counts() {
            None => state,
            Some(counts) => format!("{state}: {counts}"),
        });
        if !status.is_known_state() && (!status.is_terminal() || status.seems_terminal()) {
            let state = one_line(status.state().as_str());
            display.note(&unknown_state(&state, status.seems_terminal()));
        }
        output.event(&Message::RunChanged {
            state: status.state(),
            counts: status.counts(),
        });
    };
    follow(run.events(), run.into(), display, output, changed).await
}

/// Waits for a batch and shows what happens to it and to its sessions.
pub(crate) async fn follow_batch(
    events: Events<BatchStatus, BatchStatus>,
    handle: Handle,
    display: &mut Reporter,
    output: &mut Output,
) -> Result<BatchStatus, CliError> {
    let changed = |previous: Option<BatchStatus>,
                   current: BatchStatus,
                   display: &mut Reporter,
                   output: &mut Output| {
        let previous = previous.as_ref();
        if previous.map(BatchStatus::state) != Some(current.state()) {
            display.state(one_line(current.state().as_str()));
            output.event(&Message::BatchChanged {
                state: current.state(),
            });
        }
        for changed in current.changed_sessions(previous) {
            display.note(&session(changed));
            output.event(&Message::SessionChanged { session: changed });
        }
    };
    follow(events, handle, display, output, changed).await
}

async fn follow<S, R>(
    mut events: Events<S, R>,
    handle: Handle,
    display: &mut Reporter,
    output: &mut Output,
    mut changed: impl FnMut(Option<S>, S, &mut Reporter, &mut Output),
) -> Result<R, CliError> {
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    loop {
        let event = tokio::select! {
            event = events.next() => event.transpose().map_err(|error| CliError::Wait {
                handle: Box::new(handle.clone()),
                error,
            })?,
            _ = heartbeat.tick() => {
                display.heartbeat();
                continue;
            }
        };
        heartbeat.reset();
        match event {
            Some(Event::Changed { previous, current }) => {
                changed(previous, current, display, output)
            }
            Some(Event::PollFailed(trouble)) => {
                display.trouble(&trouble);
                output.event(&Message::PollFailure {
                    error: trouble.to_string(),
                });
            }
            Some(Event::PollRecovered { after }) => {
                display.recovered(after);
                output.event(&Message::Recovered {
                    after_seconds: after.as_secs(),
                });
            }
            Some(Event::Finished(report)) => {
                display.finish();
                return Ok(report);
            }
            // A kind of event that this version does not know.
            Some(_) => {}
            None => unreachable!("a watch ends with its last event or with an error"),
        }
    }
}

/// What follows from a state that this version does not know.
fn unknown_state(state: &str, seems_ended: bool) -> String {
    let follows = match seems_ended {
        true => "it looks like an end, so that the wait ends if the next polls see the same",
        false => "the wait goes on until it changes, or until --timeout",
    };
    format!("note: this version does not know the state `{state}`; {follows}")
}

/// Says what a run has come to.
pub(crate) fn conclude_run(
    report: &RunReport,
    is_strict: bool,
    display: &Reporter,
    output: &mut Output,
) -> ExitCode {
    let (verdict, exit_code) = RunResult::new(report.job_name(), report.status(), is_strict);
    for remark in verdict.remarks() {
        let note = format!("note: {remark}");
        match verdict.needs_remarks() {
            true => display.warning(&note),
            false => display.note(&note),
        }
    }
    output.result(&verdict, &Message::Run(&verdict));
    exit_code
}

/// Says what a batch has come to.
pub(crate) fn conclude_batch(
    report: &BatchStatus,
    is_strict: bool,
    display: &Reporter,
    output: &mut Output,
) -> ExitCode {
    let (verdict, exit_code) = BatchResult::new(report, is_strict);
    for remark in verdict.remarks() {
        display.note(&format!("note: {remark}"));
    }
    output.result(&verdict, &Message::Batch(&verdict));
    exit_code
}
