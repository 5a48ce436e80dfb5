use std::time::Duration;

use checksum_api_ext::{Error, Event, Run, RunReport, TryStreamExt};
use serde_json::json;
use tokio::time::{Instant, interval_at};

use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::verdict::Verdict;

/// How long nothing may be said on a log.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Waits for a run and shows what happens.
pub(super) async fn follow(
    run: &Run,
    display: &mut Display,
    output: &mut Output,
) -> Result<RunReport, Failure> {
    let job_name = run.job_name();
    let failed = |error: Error| Failure::Wait {
        job_name: job_name.clone(),
        error,
    };
    let mut events = run.events();
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    loop {
        let event = tokio::select! {
            event = events.try_next() => event.map_err(failed)?,
            _ = heartbeat.tick() => {
                display.heartbeat();
                continue;
            }
        };
        heartbeat.reset();
        match event {
            Some(Event::Changed(change)) => {
                display.changed(&change);
                let status = &change.status;
                let change = json!({ "state": status.state(), "counts": status.counts() });
                output.event("changed", &change);
            }
            Some(Event::Trouble(trouble)) => {
                display.trouble(&trouble);
                output.event("trouble", &json!({ "error": trouble.to_string() }));
            }
            Some(Event::Recovered { after }) => {
                display.recovered(after);
                output.event("recovered", &json!({ "afterSeconds": after.as_secs() }));
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

/// Says what a run has come to.
pub(super) fn conclude(
    report: &RunReport,
    is_strict: bool,
    display: &Display,
    output: &mut Output,
) -> ExitCode {
    let (verdict, exit_code) = Verdict::new(report.job_name(), report.status(), is_strict);
    if let Some(disagreement) = verdict.disagreement() {
        let meaning = if is_strict {
            "counted as failed"
        } else {
            "--strict would fail it"
        };
        display.note(&format!("note: {disagreement}; {meaning}"));
    }
    output.ending("finished", &verdict, &verdict);
    exit_code
}
