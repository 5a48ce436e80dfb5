//! Compares what callers, the client and the service have done with what they may do.

use std::time::Duration;

use checksum_api_ext::ErrorKind;
use checksum_mock::RecordedRequest;

use crate::caller::{JITTER, MIN_INTERVAL};
use crate::records::{Answer, Entry, Event, Request};
use crate::schedule::{Cause, Limits, RETRY_AFTER, Schedule, TICK};

/// How much a limit on times may be exceeded: by the client's timers and its budget's slack.
const SLACK: Duration = Duration::from_millis(50);

/// The least time that the first poll of a wait may take, whatever its deadline.
const MIN_POLL_TIME: Duration = Duration::from_secs(5);

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

/// Returns whether it is a poll by the name of the work, and neither what a redirect led to nor a
/// confirmation by the id of a test run.
fn is_poll(request: &Request) -> bool {
    !request.is_start && !request.path.contains('?') && !request.path.contains(TEST_RUN)
}

/// Returns the requests of each process or wait that began at one of these places.
fn spans<'a>(
    begins: &[usize],
    requests: &'a [Request],
    is_wanted: impl Fn(&Request) -> bool,
) -> Vec<Vec<&'a Request>> {
    let ends = begins.iter().skip(1).chain([&usize::MAX]);
    let spans = begins.iter().zip(ends).map(|(from, until)| {
        let within = |one: &&Request| one.position > *from && one.position <= *until;
        let requests = requests.iter().filter(within);
        requests.filter(|one| is_wanted(one)).collect()
    });
    spans.collect()
}

/// Returns what broke a rule, one line each.
pub(crate) fn violations(
    schedule: &Schedule,
    history: &[Entry],
    requests: &[Request],
    log: &[RecordedRequest],
) -> Vec<String> {
    let mut found = Vec::new();
    let limits = schedule.limits;
    for request in requests {
        let is_of = |entry: &Entry| match &entry.event {
            Event::Started(_, id) => work(id) == work(&request.path),
            _ => false,
        };
        let mut own = history.iter().filter(|one| one.caller == request.caller);
        if !request.is_start && !own.any(is_of) {
            found.push(format!("{} at {:?} has no cause", request.path, request.at));
        }
    }
    for caller in 0..schedule.watches.len() {
        let began = places(history, |one| {
            one.caller == caller && one.event == Event::Began
        });
        for polls in spans(&began, requests, |one| one.caller == caller && is_poll(one)) {
            check_rate(&polls, limits.polls_per_second as usize, &mut found);
        }
    }
    let mut starts = 0;
    for (number, cause) in schedule.causes.iter().enumerate() {
        let id = format!("\"{}\"", Cause::id(number));
        let of_cause = OfCause {
            outcomes: schedule.outcomes(cause),
            intents: places(history, |one| one.event == Event::IntentStored(number)),
            started: history.iter().find_map(|entry| match &entry.event {
                Event::Started(of, id) if *of == number => Some((entry.at, id.as_str())),
                _ => None,
            }),
            waits: places(history, |one| one.event == Event::WaitBegan(number)),
            answers: places(
                history,
                |one| matches!(&one.event, Event::Answered(of, _) if *of == number),
            ),
            began: places(history, |one| {
                one.caller == cause.caller && one.event == Event::Began
            }),
            starts: requests
                .iter()
                .filter(|one| one.body.contains(&id))
                .collect(),
            history,
            requests,
        };
        starts += of_cause.starts.len();
        let mut broken = Vec::new();
        // Without those to which the service responded that it did nothing.
        let served = log.iter().filter(|one| one.body.to_string().contains(&id));
        let served = served.filter(|one| !matches!(one.status, Some(307 | 308 | 429)));
        let served = served.count();
        if served > 1 {
            broken.push(format!("the service got {served} starts"));
        }
        of_cause.check_starts(&mut broken);
        of_cause.check_polls(limits, &mut broken);
        of_cause.check_answer(limits, &mut broken);
        let broken = broken.into_iter();
        found.extend(broken.map(|rule| format!("{}: {rule}", Cause::id(number))));
    }
    if starts != requests.iter().filter(|one| one.is_start).count() {
        found.push("a start has no cause".to_owned());
    }
    found
}

fn places(history: &[Entry], is_wanted: impl Fn(&Entry) -> bool) -> Vec<usize> {
    let entries = history.iter().enumerate();
    let wanted = entries.filter(|(_, entry)| is_wanted(entry));
    wanted.map(|(place, _)| place).collect()
}

/// No process polls more often than its budget allows.
fn check_rate(polls: &[&Request], count: usize, found: &mut Vec<String>) {
    for window in polls.windows(count + 1) {
        let (first, last) = (window[0].at, window[count].at);
        if last + SLACK < first + Duration::from_secs(1) {
            found.push(format!("more than {count} polls in a second, at {first:?}"));
        }
    }
}

/// What has happened for one cause.
struct OfCause<'a> {
    outcomes: &'a [&'a str],
    history: &'a [Entry],
    requests: &'a [Request],
    starts: Vec<&'a Request>,
    /// When it was started, and the id of the work.
    started: Option<(Duration, &'a str)>,
    // Places in the history.
    intents: Vec<usize>,
    waits: Vec<usize>,
    answers: Vec<usize>,
    /// Where processes of its caller began.
    began: Vec<usize>,
}

impl OfCause<'_> {
    /// An intent comes before each start, and nothing that may have started it is sent again.
    fn check_starts(&self, broken: &mut Vec<String>) {
        if let Some(first) = self.starts.first()
            && !self.intents.iter().any(|intent| *intent < first.position)
        {
            broken.push("started without an intent".to_owned());
        }
        for pair in self.starts.windows(2) {
            if !pair[0].started_nothing() {
                let (at, received) = (pair[1].at, &pair[0].received);
                broken.push(format!("started again at {at:?} after {received:?}"));
            }
            check_retry_after(pair[0], pair[1], broken);
        }
    }

    fn is_of_work(&self, request: &Request) -> bool {
        let id = self.started.and_then(|(_, id)| work(id));
        !request.is_start && id.is_some() && id == work(&request.path)
    }

    fn check_polls(&self, limits: Limits, broken: &mut Vec<String>) {
        let answered = self.answers.first().copied().unwrap_or(usize::MAX);
        let mut own = self.requests.iter().filter(|one| self.is_of_work(one));
        if let Some(late) = own.find(|one| one.position > answered) {
            broken.push(format!("polled at {:?}, after the answer", late.at));
        }
        let polls = |one: &Request| self.is_of_work(one) && !one.path.contains(TEST_RUN);
        let of_waits = spans(&self.waits, self.requests, polls);
        for (wait, polls) in self.waits.iter().zip(of_waits) {
            check_intervals(&polls, self.history[*wait].at, limits, broken);
            check_end_of_outage(&polls, limits, broken);
        }
    }

    fn check_answer(&self, limits: Limits, broken: &mut Vec<String>) {
        let [place] = *self.answers else {
            broken.push(format!("answered {} times", self.answers.len()));
            return;
        };
        let at = self.history[place].at;
        let Event::Answered(_, answer) = &self.history[place].event else {
            unreachable!("an answer");
        };
        let wait = self.waits.last();
        let began = wait.map(|wait| self.history[*wait].at).unwrap_or_default();
        let reads = spans(&self.waits, self.requests, |one| self.is_of_work(one));
        let reads = reads.last().map(Vec::as_slice).unwrap_or_default();
        let successes = reads.iter().filter(|one| one.is_success());
        let success = successes
            .filter_map(|one| Some(one.received.as_ref()?.0))
            .max();
        let well_at = success.unwrap_or(began);
        let is_right = match answer {
            Answer::Outcome(outcome) => self.outcomes.contains(&outcome.as_str()),
            Answer::NotStarted => self.starts.iter().all(|one| {
                one.started_nothing() || matches!(one.status(), Some(400..=407 | 409..=499))
            }),
            Answer::MayHaveStarted => {
                let mut crashes = self.began.iter().filter(|began| **began < place);
                let is_lost = crashes.any(|at| self.intents.iter().any(|intent| intent < at));
                let last = self.starts.last();
                let is_unknown = last.is_some_and(|start| !start.started_nothing());
                self.started.is_none() && (is_lost || is_unknown)
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
                // A redirect may have led to the status.
                let is_status = |one: &&&Request| !one.path.contains(TEST_RUN) && one.is_success();
                let is_known = reads.iter().find(is_status).is_some();
                let is_old = |(started, _)| at + TICK >= started + limits.grace;
                reads.iter().any(|one| one.status() == Some(404))
                    && (is_known || self.started.is_some_and(is_old))
            }
            // Redirects without end.
            Answer::Failed(ErrorKind::UnexpectedResponse) => {
                matches!(reads.last().and_then(|one| one.status()), Some(302 | 307))
            }
            Answer::Failed(_) => false,
        };
        if !is_right {
            broken.push(format!("{answer:?} at {at:?} is a wrong answer"));
        }
        if let Some(deadline) = limits.deadline.filter(|_| wait.is_some())
            && at > began + deadline.max(MIN_POLL_TIME) + SLACK
        {
            broken.push(format!("answered at {at:?}, after the deadline"));
        }
    }
}

/// The time of `Retry-After` has passed before the same request is sent again.
fn check_retry_after(request: &Request, next: &Request, broken: &mut Vec<String>) {
    if let Some((at, _)) = &request.received
        && request.has_retry_after()
        && next.at < *at + RETRY_AFTER
    {
        let Request { path, at, .. } = next;
        broken.push(format!("sent {path} at {at:?}, before Retry-After"));
    }
}

/// Polls of one route keep the shortest interval and, within the error timeout, `Retry-After`.
fn check_intervals(polls: &[&Request], began: Duration, limits: Limits, broken: &mut Vec<String>) {
    let mut well_at = began;
    for (index, poll) in polls.iter().enumerate() {
        let Some((at, _)) = poll.received else {
            continue;
        };
        if poll.is_success() {
            well_at = at;
        }
        if !is_poll(poll) {
            continue;
        }
        let mut later = polls[index + 1..].iter();
        let Some(next) = later.find(|one| one.path == poll.path) else {
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
fn check_end_of_outage(polls: &[&Request], limits: Limits, broken: &mut Vec<String>) {
    let (mut since, mut failures, mut is_over) = (None, 0, false);
    for poll in polls {
        if is_over {
            broken.push(format!("polled at {:?}, after the error timeout", poll.at));
            return;
        }
        match poll.received {
            _ if poll.is_success() => (since, failures) = (None, 0),
            // The poll goes on where a redirect leads to, and after 404 by the other route.
            Some((at, _)) if !matches!(poll.status(), Some(302 | 307 | 404)) => {
                failures += 1;
                let since = *since.get_or_insert(poll.at);
                is_over = failures >= 3 && at >= since + limits.error_timeout;
            }
            _ => {}
        }
    }
}
