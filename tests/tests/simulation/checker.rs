//! Compares what callers, the client and the service have done with what they may do.

use std::time::Duration;

use checksum_api_ext::ErrorKind;
use checksum_mock::RecordedRequest;

use crate::caller::{JITTER, MIN_INTERVAL};
use crate::records::{Answer, Entry, Event, Received};
use crate::schedule::{Cause, Limits, RETRY_AFTER, Schedule, TICK};

/// How much a limit on times may be exceeded: by the client's timers and its budget's slack.
const SLACK: Duration = Duration::from_millis(50);

/// The least time that the first poll of a wait may take, whatever its deadline.
const MIN_POLL_TIME: Duration = Duration::from_secs(5);

/// A request, and what came of it.
struct Request<'a> {
    /// Its place in the history.
    position: usize,
    at: Duration,
    caller: usize,
    is_start: bool,
    path: &'a str,
    body: &'a str,
    /// When and what; `None` if the simulation ended first.
    received: Option<(Duration, &'a Received)>,
}

impl Request<'_> {
    fn status(&self) -> Option<u16> {
        match self.received?.1 {
            Received::Response { status, .. } => Some(*status),
            _ => None,
        }
    }

    fn is(&self, is_wanted: impl Fn(&Received) -> bool) -> bool {
        self.received
            .is_some_and(|(_, received)| is_wanted(received))
    }

    /// Returns whether it certainly started nothing, so that it may be sent again.
    fn started_nothing(&self) -> bool {
        self.is(|received| *received == Received::NotSent)
            || matches!(self.status(), Some(307 | 308 | 429))
    }

    fn is_success(&self) -> bool {
        matches!(self.status(), Some(200..=299))
            && self.is(|received| matches!(received, Received::Response { is_json: true, .. }))
    }

    /// Returns whether it is a poll by the name of the work, and neither what a redirect led to nor
    /// a confirmation by the id of a test run.
    fn is_poll(&self) -> bool {
        !self.is_start && !self.path.contains('?') && !self.path.contains(TEST_RUN)
    }
}

/// How the id of a test run begins.
const TEST_RUN: &str = "00000000-0000-4000-8000-";

/// Returns which run or batch an id or a path is of.
fn work(text: &str) -> Option<(bool, u64)> {
    let number = |prefix: &str| {
        let (_, rest) = text.rsplit_once(prefix)?;
        let digits = rest.find(|char: char| !char.is_ascii_digit());
        rest[..digits.unwrap_or(rest.len())].parse::<u64>().ok()
    };
    let run = number("job-name-").map(|number| number - 12_344);
    let run = run.or(number(TEST_RUN)).map(|number| (true, number));
    run.or(number("batch-gen-").map(|number| (false, number)))
}

/// Returns what broke a rule, one line each.
pub(crate) fn violations(
    schedule: &Schedule,
    history: &[Entry],
    log: &[RecordedRequest],
) -> Vec<String> {
    let requests = requests(history);
    let mut found = Vec::new();
    for request in &requests {
        let ids = (0..schedule.causes.len()).map(Cause::id);
        let has_cause = match request.is_start {
            true => ids.into_iter().any(|id| request.body.contains(&id)),
            false => history.iter().any(|entry| {
                entry.caller == request.caller
                    && matches!(&entry.event, Event::Started(_, id) if work(id) == work(request.path))
            }),
        };
        if !has_cause {
            found.push(format!("{} at {:?} has no cause", request.path, request.at));
        }
    }
    for caller in 0..schedule.watches.len() {
        let began = history
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.caller == caller && matches!(entry.event, Event::Began));
        let began: Vec<usize> = began.map(|(position, _)| position).collect();
        for (index, from) in began.iter().enumerate() {
            let until = began.get(index + 1).copied().unwrap_or(history.len());
            let of_process = |request: &&Request<'_>| {
                request.caller == caller && (*from..until).contains(&request.position)
            };
            let polls = requests
                .iter()
                .filter(of_process)
                .filter(|one| one.is_poll());
            check_rate(polls, schedule.limits, &mut found);
        }
    }
    for number in 0..schedule.causes.len() {
        let of_cause = OfCause::new(number, schedule, history, &requests, log);
        let mut broken = Vec::new();
        of_cause.check_starts(&mut broken);
        of_cause.check_polls(schedule.limits, &mut broken);
        of_cause.check_answer(schedule.limits, &mut broken);
        found.extend(
            broken
                .into_iter()
                .map(|rule| format!("{}: {rule}", Cause::id(number))),
        );
    }
    found
}

fn requests(history: &[Entry]) -> Vec<Request<'_>> {
    let received = |number: usize| {
        history.iter().find_map(|entry| match &entry.event {
            Event::Received(of, received) if *of == number => Some((entry.at, received)),
            _ => None,
        })
    };
    let requests = history.iter().enumerate().filter_map(|(position, entry)| {
        let Event::Sent {
            request,
            is_start,
            path,
            body,
        } = &entry.event
        else {
            return None;
        };
        Some(Request {
            position,
            at: entry.at,
            caller: entry.caller,
            is_start: *is_start,
            path,
            body,
            received: received(*request),
        })
    });
    requests.collect()
}

/// No process polls more often than its budget allows.
fn check_rate<'a>(
    polls: impl Iterator<Item = &'a Request<'a>>,
    limits: Limits,
    found: &mut Vec<String>,
) {
    let times: Vec<Duration> = polls.map(|poll| poll.at).collect();
    let count = limits.polls_per_second as usize;
    let too_many =
        |window: &&[Duration]| window[count] + SLACK < window[0] + Duration::from_secs(1);
    if let Some(window) = times.windows(count + 1).find(too_many) {
        found.push(format!("more than {count} polls in a second: {window:?}"));
    }
}

/// What has happened for one cause.
struct OfCause<'a> {
    outcomes: &'static [&'static str],
    starts: Vec<&'a Request<'a>>,
    /// The requests that the service got, without those to which it responded that it did nothing.
    served: usize,
    reads: Vec<&'a Request<'a>>,
    /// Where its intent was stored, each of its waits began, and its answer was given.
    intents: Vec<usize>,
    started: Option<Duration>,
    waits: Vec<(usize, Duration)>,
    answers: Vec<(usize, Duration, &'a Answer)>,
    /// Where processes of its caller began.
    began: Vec<usize>,
}

impl<'a> OfCause<'a> {
    fn new(
        number: usize,
        schedule: &Schedule,
        history: &'a [Entry],
        requests: &'a [Request<'a>],
        log: &[RecordedRequest],
    ) -> Self {
        let id = format!("\"{}\"", Cause::id(number));
        let served = log.iter().filter(|request| {
            request.body.to_string().contains(&id)
                && !matches!(request.status, Some(307 | 308 | 429))
        });
        let cause = &schedule.causes[number];
        let mut of_cause = Self {
            outcomes: schedule.outcomes(cause),
            starts: requests
                .iter()
                .filter(|one| one.body.contains(&id))
                .collect(),
            served: served.count(),
            reads: Vec::new(),
            intents: Vec::new(),
            started: None,
            waits: Vec::new(),
            answers: Vec::new(),
            began: Vec::new(),
        };
        for (position, Entry { at, caller, event }) in history.iter().enumerate() {
            match event {
                Event::IntentStored(of) if *of == number => of_cause.intents.push(position),
                Event::Started(of, id) if *of == number => {
                    of_cause.started = Some(*at);
                    let reads = requests.iter().filter(|one| !one.is_start);
                    let own = reads.filter(|one| work(one.path) == work(id));
                    of_cause.reads = own.collect();
                }
                Event::WaitBegan(of) if *of == number => of_cause.waits.push((position, *at)),
                Event::Answered(of, answer) if *of == number => {
                    of_cause.answers.push((position, *at, answer));
                }
                Event::Began if *caller == cause.caller => of_cause.began.push(position),
                _ => {}
            }
        }
        of_cause
    }

    /// An intent comes before each start, and nothing that may have started it is sent again.
    fn check_starts(&self, broken: &mut Vec<String>) {
        if let Some(first) = self.starts.first()
            && !self.intents.iter().any(|intent| *intent < first.position)
        {
            broken.push("started without an intent".to_owned());
        }
        for pair in self.starts.windows(2) {
            if !pair[0].started_nothing() {
                let (at, received) = (pair[1].at, pair[0].received);
                broken.push(format!("started again at {at:?} after {received:?}"));
            }
            check_retry_after(pair[0], pair[1], broken);
        }
        if self.served > 1 {
            broken.push(format!("the service got {} starts", self.served));
        }
    }

    fn check_polls(&self, limits: Limits, broken: &mut Vec<String>) {
        if let Some((answered, _, _)) = self.answers.first()
            && let Some(late) = self.reads.iter().find(|one| one.position > *answered)
        {
            broken.push(format!("polled at {:?}, after the answer", late.at));
        }
        let ends = self.waits.iter().skip(1).map(|(position, _)| *position);
        let waits = self.waits.iter().zip(ends.chain([usize::MAX]));
        for ((from, began), until) in waits {
            let reads = self.reads.iter().copied();
            let reads: Vec<&Request<'_>> = reads
                .filter(|one| (*from..until).contains(&one.position))
                .collect();
            check_intervals(&reads, *began, limits, broken);
            check_end_of_outage(&reads, limits, broken);
        }
    }

    fn check_answer(&self, limits: Limits, broken: &mut Vec<String>) {
        let [(position, at, answer)] = *self.answers else {
            broken.push(format!("answered {} times", self.answers.len()));
            return;
        };
        let (from, began) = self.waits.last().copied().unwrap_or_default();
        let reads: Vec<_> = self
            .reads
            .iter()
            .filter(|one| one.position > from)
            .collect();
        let last_success = reads.iter().rev().find(|one| one.is_success());
        let last_success = last_success.and_then(|one| one.received);
        let well_at = last_success.map_or(began, |(at, _)| at);
        let is_right = match answer {
            Answer::Outcome(outcome) => self.outcomes.contains(&outcome.as_str()),
            Answer::NotStarted => self.starts.iter().all(|one| {
                one.started_nothing() || matches!(one.status(), Some(400..=407 | 409..=499))
            }),
            Answer::MayHaveStarted => {
                let is_lost = self.began.iter().any(|began| {
                    *began < position && self.intents.iter().any(|intent| intent < began)
                });
                let last = self.starts.last();
                self.started.is_none()
                    && (is_lost || last.is_some_and(|start| !start.started_nothing()))
            }
            Answer::Failed(ErrorKind::DeadlineExceeded) => limits
                .deadline
                .is_some_and(|deadline| at >= began + deadline),
            Answer::Failed(ErrorKind::PollingFailed) => {
                let failed = reads
                    .iter()
                    .filter(|one| !one.is_success() && one.at >= well_at);
                at >= well_at + limits.error_timeout && failed.count() >= 3
            }
            Answer::Failed(ErrorKind::NotFound) => {
                let is_known = reads.iter().any(|one| one.is_poll() && one.is_success());
                let grace_ended = self.started.map(|at| at + limits.grace);
                reads.iter().any(|one| one.status() == Some(404))
                    && (is_known || grace_ended.is_some_and(|end| at + TICK >= end))
            }
            // Redirects without end.
            Answer::Failed(ErrorKind::UnexpectedResponse) => {
                let last = reads.last().and_then(|one| one.status());
                matches!(last, Some(302 | 307))
            }
            Answer::Failed(_) => false,
        };
        if !is_right {
            broken.push(format!("{answer:?} at {at:?} is a wrong answer"));
        }
        if let Some(deadline) = limits.deadline
            && !self.waits.is_empty()
            && at > began + deadline.max(MIN_POLL_TIME) + SLACK
        {
            broken.push(format!("answered at {at:?}, after the deadline"));
        }
    }
}

/// What was asked for by `Retry-After` has passed before the same request is sent again.
fn check_retry_after(request: &Request<'_>, next: &Request<'_>, broken: &mut Vec<String>) {
    if let Some((
        at,
        Received::Response {
            has_retry_after: true,
            ..
        },
    )) = request.received
        && next.at < at + RETRY_AFTER
    {
        broken.push(format!(
            "sent {} at {:?}, before Retry-After",
            next.path, next.at
        ));
    }
}

/// Polls of one route keep the shortest interval and, within the error timeout, `Retry-After`.
fn check_intervals(
    reads: &[&Request<'_>],
    began: Duration,
    limits: Limits,
    broken: &mut Vec<String>,
) {
    let mut well_at = began;
    for (index, poll) in reads.iter().enumerate() {
        let Some((at, _)) = poll.received.filter(|_| poll.is_poll()) else {
            continue;
        };
        if poll.is_success() {
            well_at = at;
        }
        let is_again = |one: &&&Request<'_>| one.is_poll() && one.path == poll.path;
        let Some(next) = reads[index + 1..].iter().find(is_again) else {
            continue;
        };
        if next.at + SLACK < poll.at + MIN_INTERVAL.mul_f64(1.0 - JITTER) {
            broken.push(format!(
                "polled at {:?} and again at {:?}",
                poll.at, next.at
            ));
        }
        if at + RETRY_AFTER <= well_at + limits.error_timeout {
            check_retry_after(poll, next, broken);
        }
    }
}

/// No poll follows the third failure in a row after the error timeout.
fn check_end_of_outage(reads: &[&Request<'_>], limits: Limits, broken: &mut Vec<String>) {
    let (mut since, mut failures, mut is_over) = (None, 0, false);
    for poll in reads.iter().filter(|one| one.is_poll()) {
        if is_over {
            broken.push(format!("polled at {:?}, after the error timeout", poll.at));
            return;
        }
        match poll.received {
            _ if poll.is_success() => (since, failures) = (None, 0),
            // It may be what comes before the other route is tried.
            Some(_) if poll.status() == Some(404) => {}
            Some((at, _)) => {
                failures += 1;
                let since = *since.get_or_insert(poll.at);
                is_over = failures >= 3 && at >= since + limits.error_timeout;
            }
            None => {}
        }
    }
}
