//! Shows the events of a wait.

use std::time::Duration;

use checksum_api_ext::{BatchStatus, Event, Events, Handle, PollFailure, RunStatus};
use tokio::time::interval;

use crate::error::CliError;
use crate::json::{Message, session};
use crate::output::stderr::{Reporter, TICK};
use crate::output::stdout::Output;
use crate::output::text::one_line;

/// Waits until the work ends. `changed` shows a change.
pub(crate) async fn follow<S, R>(
    mut events: Events<S, R>,
    handle: Handle,
    reporter: &mut Reporter,
    output: &mut Output,
    changed: fn(Option<&S>, &S, &mut Reporter, &mut Output),
) -> Result<R, CliError> {
    let mut ticks = interval(TICK);
    loop {
        let event = tokio::select! {
            event = events.next() => event.transpose().map_err(|error| CliError::Wait {
                handle: Box::new(handle.clone()),
                error,
            })?,
            _ = ticks.tick() => {
                reporter.tick();
                continue;
            }
        };
        match event {
            Some(Event::Changed { previous, current }) => {
                changed(previous.as_ref(), &current, reporter, output);
            }
            Some(Event::PollFailed(failure)) => poll_failed(&failure, reporter, output),
            Some(Event::PollRecovered { after }) => poll_recovered(after, reporter, output),
            Some(Event::Finished(report)) => {
                reporter.finish();
                return Ok(report);
            }
            // A kind of event that this version does not know.
            Some(_) => {}
            None => unreachable!("the last event is `Finished` or an error"),
        }
    }
}

/// Shows that a poll failed with a transient error.
pub(crate) fn poll_failed(failure: &PollFailure, reporter: &mut Reporter, output: &mut Output) {
    reporter.poll_failed(failure);
    output.event(&Message::PollFailed {
        error: failure.to_string(),
        failing_for_seconds: failure.failing_for.as_secs(),
        next_poll_in_seconds: failure.next_poll_in.as_secs(),
    });
}

/// Shows that a poll succeeded after polls that failed.
pub(crate) fn poll_recovered(after: Duration, reporter: &mut Reporter, output: &mut Output) {
    reporter.poll_recovered(after);
    output.event(&Message::PollRecovered {
        after_seconds: after.as_secs(),
    });
}

/// Shows a change of a run.
pub(crate) fn run_changed(
    _: Option<&RunStatus>,
    status: &RunStatus,
    reporter: &mut Reporter,
    output: &mut Output,
) {
    let state = one_line(status.state().as_str());
    let counts = status.counts().map(|counts| counts.to_string());
    reporter.state(&state, &counts.unwrap_or_default());
    let seems_terminal = status.seems_terminal();
    if !status.is_known_state() && (!status.is_terminal() || seems_terminal) {
        let effect = match seems_terminal {
            true => "it seems terminal, so the wait ends if the next polls return the same",
            false => "the wait goes on until it changes, or until --timeout",
        };
        reporter.note(&format!(
            "note: this version does not know the state `{state}`; {effect}"
        ));
    }
    output.event(&Message::RunChanged {
        state: status.state(),
        counts: status.counts(),
    });
}

/// Shows a change of a batch and of its sessions.
pub(crate) fn batch_changed(
    previous: Option<&BatchStatus>,
    status: &BatchStatus,
    reporter: &mut Reporter,
    output: &mut Output,
) {
    let state = status.state();
    if previous.map(BatchStatus::state) != Some(state) {
        reporter.state(state.as_str(), "");
        output.event(&Message::BatchChanged { state });
    }
    for changed in status.changed_sessions(previous) {
        reporter.note(&session(changed));
        output.event(&Message::SessionChanged { session: changed });
    }
}
