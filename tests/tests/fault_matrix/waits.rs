//! A wait for a run, in which one request has a fault.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use checksum_api_ext::{
    ApiKey, Checksum, ChecksumBuilder, Error, PollPolicy, RetryPolicy, RunReport,
};
use checksum_mock::{Fault, Mock, RunScript};
use checksum_tests::builder_of;
use serde_json::json;
use tokio::time::Instant;

use crate::cases::{Case, Expected, MAX_BYTES};
use crate::expected::ensure;
use crate::table::{self, Column, Table};

/// The longest that one fault may make a wait longer: the time for which polls may fail, and the
/// time of a request.
const MAX_LONGER: Duration = Duration::from_secs(300 + 30);

struct Waited {
    result: Result<RunReport, Error>,
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

/// How the mock server is set up.
#[derive(Clone, Copy)]
struct Setup {
    is_observed: bool,
    has_socket: bool,
}

/// Waits for a run that fails. `fault` is injected after its start.
async fn wait(fault: Option<Fault>, setup: Setup) -> Waited {
    let script = RunScript::new().queued(1).running(1);
    let builder = Mock::builder().default_run(script.fail_tests(["test-def-456"]));
    let builder = if setup.is_observed {
        builder.observed()
    } else {
        builder
    };
    let (mock, client) = if setup.has_socket {
        let mock = builder.start().await.expect("a mock");
        let client = on_a_socket(&mock).poll_policy(PollPolicy::immediate());
        (mock, client)
    } else {
        let mock = builder.without_socket();
        let client = builder_of(&mock);
        (mock, client)
    };
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
    let run = client.run_suite().start().await.expect("a run");
    let started = mock.request_count();
    fault.into_iter().for_each(|fault| mock.fault(fault));
    let began = Instant::now();
    let result = run.await;
    let bodies = bodies.lock().expect("no panic").clone();
    let operations = mock
        .requests()
        .into_iter()
        .map(|request| request.operation_id);
    Waited {
        result,
        requests: mock.request_count() - started,
        elapsed: began.elapsed(),
        responses: operations.zip(bodies).skip(1).collect(),
    }
}

/// Injects a fault into each request of a wait, one after the other. Without a socket, tokio's time
/// must be paused.
pub(crate) async fn check(case: &Case, has_socket: bool, table: &mut Table) {
    for is_observed in [false, true] {
        let setup = Setup {
            is_observed,
            has_socket,
        };
        let usual = wait(None, setup).await;
        for (at, (operation, body)) in usual.responses.iter().enumerate() {
            let after = u32::try_from(at).expect("few requests");
            let fault = (case.make)(body).after(after).times(1);
            let waited = wait(Some(fault), setup).await;
            let is_poll = *operation == Some("get_run_status");
            if let Err(reason) = check_wait(&case.expected, &usual, &waited, is_poll) {
                let cell = format!("{}: request {at} of a wait, {operation:?}", case.name);
                table
                    .wrong
                    .push(format!("{cell}: {reason}: {:?}", waited.result));
            }
            let result = waited.result.map(drop);
            table.add(&case.group, Column::Wait, table::wait(&result));
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
        check(&case, false, table).await;
    }
    let setup = Setup {
        is_observed: false,
        has_socket: false,
    };
    let unknown = Fault::status(404).on_operation("get_run_status").times(3);
    let waited = wait(Some(unknown), setup).await;
    assert!(!waited.result.expect("a report").is_success());
}

fn check_wait(
    expected: &Expected,
    usual: &Waited,
    waited: &Waited,
    is_poll: bool,
) -> Result<(), String> {
    let limit = usual.elapsed + MAX_LONGER;
    ensure!(waited.elapsed <= limit, "it took {:?}", waited.elapsed);
    let outcome = |waited: &Waited| waited.result.as_ref().map(RunReport::outcome).ok();
    let verdict = outcome(waited);
    let is_right = verdict.is_none() || verdict == outcome(usual);
    ensure!(is_right, "the verdict {verdict:?}");
    let must_end = is_poll && expected.must_end_a_wait();
    ensure!(!must_end || verdict.is_none(), "the wait went on");
    let result = waited.result.as_ref().map(drop);
    expected.check_wait(result, waited.requests, usual.requests)
}
