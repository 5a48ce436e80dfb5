//! Waits for several runs and batches at once, with one poll budget.

use std::collections::HashMap;

use checksum_api_ext::{
    BatchStatus, Checksum, Error, Event, Handle, WatchEvent, WatchReport, WatchStatus,
};
use tokio::time::interval;

use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::{BatchResult, Message};
use crate::output::resume_hint::resume_hint_of_several;
use crate::output::stderr::{Reporter, TICK, eprint_line};
use crate::output::stdout::Output;
use crate::output::table;
use crate::output::text::one_line;
use crate::redaction;
use crate::reports::FinishedRun;
use crate::signal::until_signal;
use crate::wait::follow::{batch_changed, poll_failed, poll_recovered, run_changed};
use crate::wait::work::{batch_result, run_result};

/// How the wait for one of them has ended.
pub(crate) enum End {
    Run(ExitCode, Box<FinishedRun>),
    Batch(ExitCode, Box<BatchStatus>, BatchResult),
    Error(CliError),
}

/// One of the works, and what is known of it.
struct Awaited {
    handle: Handle,
    /// The state of the last poll.
    state: String,
    end: Option<End>,
}

/// The works of a command.
pub(crate) struct Several {
    works: Vec<Awaited>,
    /// The position of each work, by its key.
    positions: HashMap<String, usize>,
    is_strict: bool,
}

impl Several {
    /// Waits until each has ended, or a signal arrives. Prints each change, a table of the results
    /// for people, and how to resume what goes on. Returns how each has ended. The handles are of
    /// different works.
    pub(crate) async fn wait(
        checksum: &Checksum,
        handles: &[Handle],
        is_strict: bool,
        reporter: &mut Reporter,
        output: &mut Output,
    ) -> Vec<End> {
        let mut set = checksum.watch(handles.iter().cloned());
        let mut several = Self::new(handles, is_strict);
        let mut ticks = interval(TICK);
        loop {
            reporter.progress(&several.progress());
            let next = tokio::select! {
                next = until_signal(set.next()) => next,
                _ = ticks.tick() => {
                    reporter.tick();
                    continue;
                }
            };
            match next {
                Ok(None) => break,
                Ok(Some((handle, event))) => several.handle(&handle, event, reporter, output),
                Err(signal) => {
                    for handle in set.iter() {
                        let handle = Box::new(handle);
                        let error = CliError::InterruptedWait { signal, handle };
                        several.fail(error, reporter, output);
                    }
                    break;
                }
            }
        }
        reporter.progress(&several.progress());
        reporter.finish();
        several.print(output)
    }

    fn new(handles: &[Handle], is_strict: bool) -> Self {
        let works = handles.iter().map(|handle| Awaited {
            handle: handle.clone(),
            state: "no status yet".to_owned(),
            end: None,
        });
        let keys = handles.iter().map(ToString::to_string);
        for handle in handles {
            redaction::keep_name(handle.id());
        }
        Self {
            works: works.collect(),
            positions: keys.zip(0..).collect(),
            is_strict,
        }
    }

    /// Returns how many have ended, and how many of the others are in each state.
    fn progress(&self) -> String {
        let mut states: Vec<(&str, usize)> = Vec::new();
        for work in self.works.iter().filter(|work| work.end.is_none()) {
            match states.iter_mut().find(|(state, _)| *state == work.state) {
                Some((_, count)) => *count += 1,
                None => states.push((&work.state, 1)),
            }
        }
        let ended = self.works.iter().filter(|work| work.end.is_some()).count();
        let mut text = format!("{ended} of {} ended", self.works.len());
        for (state, count) in states {
            text += &format!(", {count} {state}");
        }
        text
    }

    fn handle(
        &mut self,
        handle: &Handle,
        event: Result<WatchEvent, Error>,
        reporter: &mut Reporter,
        output: &mut Output,
    ) {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                let handle = Box::new(handle.clone());
                let error = CliError::Wait { handle, error };
                return self.fail(error, reporter, output);
            }
        };
        reporter.set_subject(Some(handle.id()));
        output.set_key(Some(handle.to_string()));
        match event {
            Event::Changed { previous, current } => {
                current.state().clone_into(&mut self.work(handle).state);
                changed(previous.as_ref(), &current, reporter, output);
            }
            Event::PollFailed(failure) => poll_failed(&failure, reporter, output),
            Event::PollRecovered { after } => poll_recovered(after, reporter, output),
            Event::Finished(report) => {
                let end = ended(report, self.is_strict, reporter, output);
                self.work(handle).end = Some(end);
            }
            // A kind of event that this version does not know.
            _ => {}
        }
        reporter.set_subject(None);
        output.set_key(None);
    }

    fn work(&mut self, handle: &Handle) -> &mut Awaited {
        &mut self.works[self.positions[&handle.to_string()]]
    }

    fn fail(&mut self, error: CliError, reporter: &Reporter, output: &mut Output) {
        let Some(handle) = error.handle().cloned() else {
            unreachable!("the error of a wait has a handle")
        };
        output.set_key(Some(handle.to_string()));
        output.error_event(&error);
        output.set_key(None);
        reporter.warning(&one_line(&format!("error: {}: {error}", handle.id())));
        self.work(&handle).end = Some(End::Error(error));
    }

    /// Prints the table, and returns how each work has ended.
    fn print(self, output: &mut Output) -> Vec<End> {
        let (mut rows, mut links, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for work in self.works {
            let Some(end) = work.end else {
                unreachable!("the stream ends when each work has ended")
            };
            rows.push(end.row(&work.handle));
            links.extend(end.link());
            ends.push(end);
        }
        if output.is_text() {
            let header = ["result", "name", "test run", "counts", "reason"];
            output.page(&table::build(header, 3, rows));
            for link in links {
                output.text(&link);
            }
        }
        let unfinished: Vec<&Handle> = ends.iter().filter_map(End::goes_on).collect();
        if !unfinished.is_empty() {
            eprint_line(&resume_hint_of_several(&unfinished));
        }
        ends
    }
}

impl End {
    /// Returns the result, the id, the test run id, what is counted, and the reason.
    fn row(&self, handle: &Handle) -> [String; 5] {
        match self {
            Self::Run(_, run) => run.result.row(),
            Self::Batch(_, _, batch) => batch.row(),
            Self::Error(error) => [
                ExitCode::from(error).word().to_owned(),
                handle.id().to_owned(),
                String::new(),
                String::new(),
                error.to_string(),
            ],
        }
    }

    /// Returns where to see a run that has not passed.
    fn link(&self) -> Option<String> {
        match self {
            Self::Run(_, run) => run.result.link_unless_success(),
            Self::Batch(..) | Self::Error(_) => None,
        }
    }

    /// Returns the handle of work that goes on. Work that the service does not know does not.
    fn goes_on(&self) -> Option<&Handle> {
        match self {
            Self::Error(CliError::Wait { error, .. }) if error.is_not_found() => None,
            Self::Error(error) => error.handle(),
            Self::Run(..) | Self::Batch(..) => None,
        }
    }
}

/// Shows a change of one of the works.
fn changed(
    previous: Option<&WatchStatus>,
    current: &WatchStatus,
    reporter: &mut Reporter,
    output: &mut Output,
) {
    match (previous, current) {
        (_, WatchStatus::Run(status)) => run_changed(None, status, reporter, output),
        (Some(WatchStatus::Batch(previous)), WatchStatus::Batch(status)) => {
            batch_changed(Some(previous), status, reporter, output);
        }
        (_, WatchStatus::Batch(status)) => batch_changed(None, status, reporter, output),
        // A kind of work that this version does not know.
        _ => {}
    }
}

/// Shows that one of the works has ended.
fn ended(report: WatchReport, is_strict: bool, reporter: &Reporter, output: &mut Output) -> End {
    match report {
        WatchReport::Run(report) => {
            let (job_name, status) = (report.job_name(), report.status());
            let (code, result) = run_result(job_name, status, is_strict, reporter);
            output.event(&Message::Run(&result));
            reporter.ended(result.word(), &result.shown_counts());
            let report = *report;
            End::Run(code, Box::new(FinishedRun { report, result }))
        }
        WatchReport::Batch(status) => {
            let (code, result) = batch_result(&status, is_strict, reporter);
            output.event(&Message::Batch(&result));
            reporter.ended(result.word(), &result.session_count());
            End::Batch(code, status, result)
        }
        _ => unreachable!("a handle is of a run or of a batch"),
    }
}
