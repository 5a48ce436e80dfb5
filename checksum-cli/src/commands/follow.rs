use checksum_api_ext::{
    BatchChange, BatchEvent, BatchStatus, Error, Event, Handle, Run, RunChange, RunReport,
    TryStreamExt,
};
use futures_util::Stream;
use std::time::Duration;
use tokio::time::{Instant, interval_at};

use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::{BatchVerdict, Message, Verdict, session};
use crate::output::{Output, one_line};

/// How long nothing may be said on a log.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Waits for a run and shows what happens.
pub(super) async fn follow_run(
    run: &Run,
    display: &mut Display,
    output: &mut Output,
) -> Result<RunReport, Failure> {
    let changed = |change: RunChange, display: &mut Display, output: &mut Output| {
        let status = &change.status;
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
pub(super) async fn follow_batch(
    events: impl Stream<Item = Result<BatchEvent, Error>> + Unpin,
    handle: Handle,
    display: &mut Display,
    output: &mut Output,
) -> Result<BatchStatus, Failure> {
    let changed = |change: BatchChange, display: &mut Display, output: &mut Output| match change {
        BatchChange::State { current, .. } => {
            display.state(one_line(current.as_str()));
            output.event(&Message::BatchChanged { state: &current });
        }
        BatchChange::Session(changed) => {
            display.note(&session(&changed));
            output.event(&Message::SessionChanged { session: &changed });
        }
        // A kind of change that this version does not know.
        _ => {}
    };
    follow(events, handle, display, output, changed).await
}

async fn follow<Change, End>(
    mut events: impl Stream<Item = Result<Event<Change, End>, Error>> + Unpin,
    handle: Handle,
    display: &mut Display,
    output: &mut Output,
    mut changed: impl FnMut(Change, &mut Display, &mut Output),
) -> Result<End, Failure> {
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    loop {
        let event = tokio::select! {
            event = events.try_next() => event.map_err(|error| Failure::Wait {
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
            Some(Event::Changed(change)) => changed(change, display, output),
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
pub(super) fn conclude_run(
    report: &RunReport,
    is_strict: bool,
    display: &Display,
    output: &mut Output,
) -> ExitCode {
    let (verdict, exit_code) = Verdict::new(report.job_name(), report.status(), is_strict);
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
pub(super) fn conclude_batch(
    report: &BatchStatus,
    is_strict: bool,
    display: &Display,
    output: &mut Output,
) -> ExitCode {
    let (verdict, exit_code) = BatchVerdict::new(report, is_strict);
    for remark in verdict.remarks() {
        display.note(&format!("note: {remark}"));
    }
    output.result(&verdict, &Message::Batch(&verdict));
    exit_code
}
