//! The matrix: each fault of the mock server, with each operation of both clients, and at each poll
//! of a run, a batch, and a set of both. Rules decide what is right; `checksum-mock/FAULTS.md` shows what happens.

mod cases;
mod expected;
mod table;
mod waits;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use checksum_api::{ErrorKind, OperationId};
use checksum_api_ext::{Checksum, ChecksumBuilder, Started};
use checksum_mock::{Fault, Mock, MockBuilder, RunScript};
use checksum_tests::operations::Inputs;
use checksum_tests::{builder_of, ext_operations};
use tokio::time::Instant;

use crate::cases::{Case, MAX_BYTES};
use crate::table::{Column, Table};
use crate::waits::on_a_socket;

/// A mock server that has each kind of work, a client, and what identifies that work.
struct Service {
    mock: Mock,
    client: Checksum,
    inputs: Inputs,
    /// The body of the normal response to each operation.
    bodies: Vec<String>,
}

impl Service {
    /// Calls each operation once.
    async fn new(mock: Mock, builder: ChecksumBuilder) -> Self {
        let last = Arc::new(Mutex::new(String::new()));
        let client = builder.max_response_bytes(MAX_BYTES).build();
        let client = client.expect("a client");
        let mut inputs = Inputs::documented();
        let mut bodies = Vec::new();
        let inspected = client.raw().inspect_responses({
            let last = last.clone();
            move |response| {
                let body = String::from_utf8(response.body.to_vec()).expect("text");
                *last.lock().expect("no panic") = body;
            }
        });
        for operation in OperationId::ALL {
            let response = inputs.call(&inspected, *operation).await;
            inputs.learn(*operation, &response.expect("a response"));
            bodies.push(last.lock().expect("no panic").clone());
        }
        Self {
            mock,
            client,
            inputs,
            bodies,
        }
    }

    /// Calls each operation by both clients while a fault applies, and checks the results.
    async fn check(&self, case: &Case, table: &mut Table) {
        for (operation, body) in OperationId::ALL.iter().copied().zip(&self.bodies) {
            let expected = case.expected.of(operation);
            for is_raw in [true, false] {
                if !is_raw && operation == OperationId::RunGrep {
                    continue;
                }
                let fault = (case.make)(body).on_operation(operation.as_str());
                self.mock.fault(fault.always());
                let (before, began) = (self.mock.request_count(), Instant::now());
                let count = || self.mock.request_count() - before;
                let (checked, shown) = if is_raw {
                    let call = self.inputs.call(self.client.raw(), operation);
                    let result = call.await.map(drop);
                    let checked = expected.check_raw(&result, count());
                    (
                        checked.map_err(|it| format!("{it}: {result:?}")),
                        table::raw(&result),
                    )
                } else {
                    let call = ext_operations::call(&self.inputs, &self.client, operation);
                    let result = call.await;
                    let checked = expected.check_ext(operation, &result, count());
                    let shown = table::ext(&result, count());
                    (checked.map_err(|it| format!("{it}: {result:?}")), shown)
                };
                self.mock.remove_faults();
                let cell = format!("{}: {operation}, raw: {is_raw}", case.name);
                if let Err(reason) = checked {
                    table.wrong.push(format!("{cell}: {reason}"));
                }
                let attempts = if is_raw { 1 } else { 4 };
                let timeout = match operation {
                    // The extension crate waits for this one as long as the vendor's client.
                    OperationId::FindAffectedTests => Duration::from_secs(300),
                    _ => TIMEOUT,
                };
                let limit = timeout * attempts + Duration::from_secs(60);
                if began.elapsed() > limit {
                    table
                        .wrong
                        .push(format!("{cell}: it took {:?}", began.elapsed()));
                }
                let column = Column::Call { operation, is_raw };
                table.add(&case.group, column, shown);
            }
        }
    }
}

fn builder() -> MockBuilder {
    let script = RunScript::new().queued(0).running(0);
    let script = script.fail_tests(["test-def-456"]);
    Mock::builder().observed().default_run(script)
}

async fn in_process() -> Service {
    let mock = builder().without_socket();
    let client = builder_of(&mock);
    Service::new(mock, client).await
}

const TIMEOUT: Duration = Duration::from_secs(30);

#[test]
fn matrix() {
    let paused = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    let mut table = Table::default();
    paused().block_on(async {
        let service = in_process().await;
        for case in cases::errors()
            .iter()
            .chain(&cases::redirects())
            .chain(&cases::bodies())
            .chain(&cases::timing())
        {
            service.check(case, &mut table).await;
            waits::check(case, false, &mut table).await;
        }
        waits::check_states(&mut table).await;
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mock = builder().start().await.expect("a mock");
        let client = on_a_socket(&mock);
        let service = Service::new(mock, client).await;
        for case in cases::wire() {
            service.check(&case, &mut table).await;
            waits::check(&case, true, &mut table).await;
        }
        service.mock.refuse_connections(Duration::MAX).await;
        service.check(&cases::refused(), &mut table).await;
        waits::check_refused(&mut table).await;
    });
    table.check();
}

/// The bytes of the head come one by one, so that only a limit of the whole time ends the call.
#[tokio::test]
async fn a_slow_head_ends_at_the_request_timeout() {
    let mock = Mock::start().await.expect("a mock");
    let head = "HTTP/1.1 200 OK\r\n".repeat(1000);
    mock.fault(Fault::slow_raw(head, Duration::from_millis(20)).always());
    let builder = on_a_socket(&mock).request_timeout(Duration::from_millis(100));
    let client = builder.build().expect("a client");
    let read = client.project().await.expect_err("a time-out");
    assert_eq!(
        read.raw().map(checksum_api::Error::kind),
        Some(ErrorKind::Timeout)
    );
    let start = client.run_suite().start().await.expect_err("a time-out");
    assert_eq!(start.started(), Started::Maybe);
}
