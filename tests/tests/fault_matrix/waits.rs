//! Waits for a run, a batch, and a set of both, in which one request has a fault.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use checksum_api::ErrorKind;
use checksum_api_ext::{
    ApiKey, Checksum, ChecksumBuilder, Error, Event, Handle, PollPolicy, PrNumber, RetryPolicy,
    WatchSet,
};
use checksum_mock::{Fault, Mock, RunScript};
use checksum_tests::builder_of;
use serde_json::json;
use tokio::time::Instant;

use crate::cases::{self, Case, Expected, MAX_BYTES};
use crate::expected::ensure;
use crate::table::{self, Column, Table};

/// The longest that one fault may make a wait longer: the time for which polls may fail, and the
/// time of a request.
const MAX_LONGER: Duration = Duration::from_secs(300 + 30);

/// How a work ended: what its end means, or the error of its wait.
type End = Result<String, Error>;

struct Waited {
    /// That of each work, in the order of their keys.
    ends: Vec<End>,
    requests: u64,
    elapsed: Duration,
    /// The operation and the body of each response.
    responses: Vec<(Option<&'static str>, String)>,
}

/// Returns the builder of a client that retries almost at once, since time is real here.
pub(crate) fn on_a_socket(mock: &Mock) -> ChecksumBuilder {
    let retry = RetryPolicy::default().initial_delay(Duration::from_millis(1));
    Checksum::builder()
        .api_key(ApiKey::new("key").expect("a key"))
        .base_url(mock.url().parse().expect("a URL"))
        .retry_policy(retry)
        .max_requests_per_second(10_000)
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    Run,
    /// A run of a service that has the operations of the vendor's own client.
    ObservedRun,
    Batch,
    /// A run and a batch, polled one after the other.
    Set,
}

impl Work {
    /// Starts the work. Its script ends it after the third poll.
    async fn start(self, client: &Checksum) -> Vec<Handle> {
        let mut handles = Vec::new();
        if self != Self::Batch {
            let run = client.run_suite().start().await.expect("a run");
            handles.push(Handle::from(&run));
        }
        if matches!(self, Self::Batch | Self::Set) {
            let (repo, number) = ("acme-co/webapp".parse(), PrNumber::new(42));
            let (repo, number) = (repo.expect("a name"), number.expect("a number"));
            let batch = client.generate(repo, number, "branch").start().await;
            handles.push(Handle::from(&batch.expect("a batch")));
        }
        handles
    }

    async fn wait(self, client: &Checksum, handles: Vec<Handle>) -> Vec<End> {
        match &handles[..] {
            [Handle::Run(handle)] => {
                let report = client.resume_run(handle.clone()).await;
                vec![report.map(|report| report.outcome().to_string())]
            }
            [Handle::GenerationBatch(handle)] => {
                let status = client.resume_generation_batch(handle.clone()).await;
                vec![status.map(|status| status.state().to_string())]
            }
            _ => ends(&mut client.watch(handles).max_concurrent(1)).await,
        }
    }
}

/// Returns how each work of a set ended.
async fn ends(set: &mut WatchSet) -> Vec<End> {
    let mut ends = BTreeMap::new();
    while let Some((handle, event)) = set.next().await {
        let end = match event {
            Ok(Event::Finished(report)) => Ok(report.state().to_owned()),
            Ok(_) => continue,
            Err(error) => Err(error),
        };
        let other = ends.insert(handle.to_string(), end);
        assert!(other.is_none(), "{handle} ended twice");
    }
    ends.into_values().collect()
}

/// Returns a mock server whose runs fail, and a client of it.
async fn service(is_observed: bool, has_socket: bool) -> (Mock, ChecksumBuilder) {
    let script = RunScript::new().queued(1).running(1);
    let mut builder = Mock::builder().default_run(script.fail_tests(["test-def-456"]));
    if is_observed {
        builder = builder.observed();
    }
    if has_socket {
        let mock = builder.start().await.expect("a mock");
        let client = on_a_socket(&mock).poll_policy(PollPolicy::immediate());
        (mock, client)
    } else {
        let mock = builder.without_socket();
        let client = builder_of(&mock);
        (mock, client)
    }
}

/// Waits for work. `fault` is injected after its start.
async fn wait(fault: Option<Fault>, work: Work, has_socket: bool) -> Waited {
    let (mock, client) = service(work == Work::ObservedRun, has_socket).await;
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let client = client
        .max_response_bytes(MAX_BYTES)
        .inspect_responses({
            let bodies = bodies.clone();
            move |response| {
                let body = String::from_utf8_lossy(&response.body).into_owned();
                bodies.lock().expect("no panic").push(body);
            }
        })
        .build()
        .expect("a client");
    let handles = work.start(&client).await;
    let starts = handles.len();
    fault.into_iter().for_each(|fault| mock.fault(fault));
    let began = Instant::now();
    let ends = work.wait(&client, handles).await;
    let bodies = bodies.lock().expect("no panic").clone();
    let requests = mock.requests().into_iter();
    let operations = requests.map(|request| request.operation_id);
    Waited {
        ends,
        requests: mock.request_count() - starts as u64,
        elapsed: began.elapsed(),
        responses: operations.zip(bodies).skip(starts).collect(),
    }
}

/// Injects a fault into each request of a wait, one after the other. Without a socket, tokio's time
/// must be paused.
pub(crate) async fn check(case: &Case, has_socket: bool, table: &mut Table) {
    let is_first = !table.has_wait(&case.group);
    for work in [Work::Run, Work::ObservedRun] {
        check_work(case, work, has_socket, table).await;
    }
    // All waits share one poller, so that one case of each row is enough.
    if is_first {
        for work in [Work::Batch, Work::Set] {
            check_work(case, work, has_socket, table).await;
        }
    }
}

async fn check_work(case: &Case, work: Work, has_socket: bool, table: &mut Table) {
    let usual = wait(None, work, has_socket).await;
    for (at, (operation, body)) in usual.responses.iter().enumerate() {
        // A set may poll its works in another order than before, but each as usual.
        let before = usual.responses[..at].iter();
        let after = before.filter(|(other, _)| other == operation).count();
        let fault = (case.make)(body).on_operation(operation.expect("an operation"));
        let fault = fault.after(after.try_into().expect("few requests"));
        let waited = wait(Some(fault), work, has_socket).await;
        let is_poll = matches!(operation, Some("get_run_status" | "get_generation_batch"));
        if let Err(reason) = check_wait(&case.expected, &usual, &waited, is_poll) {
            let cell = format!("{}: request {at} of {work:?}, {operation:?}", case.name);
            table
                .wrong
                .push(format!("{cell}: {reason}: {:?}", waited.ends));
        }
        let error = waited.ends.into_iter().find_map(Result::err);
        let result = error.map_or(Ok(()), Err);
        table.add(&case.group, Column::Wait, table::wait(&result));
    }
}

/// Refuses connections before each poll of a set, until a poll has failed: each work still ends as
/// usual.
pub(crate) async fn check_refused(table: &mut Table) {
    for work in [Work::Run, Work::ObservedRun, Work::Batch, Work::Set] {
        let usual = wait(None, work, true).await;
        for at in 0..usual.responses.len() {
            let (mock, client) = service(work == Work::ObservedRun, true).await;
            let client = client.build().expect("a client");
            let handles = work.start(&client).await;
            let started = mock.request_count();
            let mut set = client.watch(handles).max_concurrent(1);
            let (mut is_due, mut failures, mut ended) = (true, 0, Vec::new());
            for _ in 0..100 {
                // Nothing is polled between two events.
                let requests = mock.request_count() - started;
                if is_due && (at as u64..usual.requests).contains(&requests) {
                    mock.refuse_connections(Duration::MAX).await;
                    is_due = false;
                }
                match set.next().await {
                    None => break,
                    Some((_, Ok(Event::PollFailed(failure)))) => {
                        let kind = failure.error.raw().map(checksum_api::Error::kind);
                        // Or the request met the end of the connection that was open.
                        let kinds = [Some(ErrorKind::Connect), Some(ErrorKind::ConnectionLost)];
                        assert!(kinds.contains(&kind), "{}", failure.error);
                        failures += 1;
                        mock.refuse_connections(Duration::ZERO).await;
                    }
                    Some((handle, Ok(Event::Finished(report)))) => {
                        ended.push((handle.to_string(), report.state().to_owned()));
                    }
                    Some((_, event)) => drop(event.expect("an event")),
                }
            }
            ended.sort();
            let ended: Vec<String> = ended.into_iter().map(|(_, state)| state).collect();
            let expected: Vec<String> = usual.ends.iter().flatten().cloned().collect();
            let has_failed = is_due || failures > 0;
            if ended != expected || !has_failed {
                let wrong = format!("refused at {at} of {work:?}: {failures} failures, {ended:?}");
                table.wrong.push(wrong);
            }
            table.add(&cases::refused().group, Column::Wait, table::wait(&Ok(())));
        }
    }
}

/// Injects into each request of a wait a status that is not what the service knows.
pub(crate) async fn check_states(table: &mut Table) {
    let pending =
        |status: &str| json!({ "status": status, "isTerminal": false, "verdict": "pending" });
    for (name, fields) in [
        ("a status that goes back to queued", pending("queued")),
        ("a status that is stale", pending("running")),
        ("an unknown state", pending("warming-up")),
        ("counts that shrink", json!({ "passed": 0, "failed": 0 })),
        ("another test run id", json!({ "testRunId": "another" })),
        ("no test run id", json!({ "testRunId": null })),
    ] {
        let mut expected = Expected::success();
        // The status may be polled again, and then confirmed again.
        expected.hops = 2;
        let case = Case {
            name: name.to_owned(),
            group: name.to_owned(),
            make: Box::new(move |_| Fault::fields(fields.clone())),
            expected,
        };
        check_work(&case, Work::Run, false, table).await;
        check_work(&case, Work::ObservedRun, false, table).await;
    }
    let unknown = Fault::status(404).on_operation("get_run_status").times(3);
    let waited = wait(Some(unknown), Work::Run, false).await;
    assert!(waited.ends[0].as_ref().is_ok_and(|end| end == "failed"));
}

/// At most one work ends with an error, and the others as usual.
fn check_wait(
    expected: &Expected,
    usual: &Waited,
    waited: &Waited,
    is_poll: bool,
) -> Result<(), String> {
    let limit = usual.elapsed + MAX_LONGER;
    ensure!(waited.elapsed <= limit, "it took {:?}", waited.elapsed);
    ensure!(waited.ends.len() == usual.ends.len(), "the number of ends");
    let mut result = Ok(());
    for (end, usual) in waited.ends.iter().zip(&usual.ends) {
        match end {
            Ok(verdict) => ensure!(
                usual.as_ref().ok() == Some(verdict),
                "the verdict {verdict}"
            ),
            Err(error) => {
                ensure!(result.is_ok(), "two works failed");
                result = Err(error);
            }
        }
    }
    let must_end = is_poll && expected.must_end_a_wait();
    ensure!(!must_end || result.is_err(), "the wait went on");
    expected.check_wait(result, waited.requests, usual.requests)
}
