//! The mock server that the checks send requests to.

use anyhow::Result;
use checksum_mock::{Fault, Mock, MockBuilder, RunScript};
use tokio::runtime::Runtime;

/// The key that it accepts.
pub(super) const API_KEY: &str = "conformance-key";

/// The operation whose responses can be made invalid.
pub(super) const FAULTY: &str = "run_suite";

/// A mock server, and the threads that it runs on.
pub(super) struct MockServer {
    _runtime: Runtime,
    mock: Mock,
}

impl MockServer {
    /// Starts a server of every operation. Its runs have ended as soon as they are started, and one
    /// test has failed, so that links lead to results and to healing.
    pub(super) fn start() -> Result<Self> {
        let run = RunScript::new().queued(0).running(0);
        let builder = Mock::builder()
            .api_key(API_KEY)
            .default_run(run.fail_tests(["test-def-456"]))
            .max_recorded_requests(0)
            .observed();
        Self::start_with(builder)
    }

    pub(super) fn start_with(builder: MockBuilder) -> Result<Self> {
        let runtime = Runtime::new()?;
        let mock = runtime.block_on(builder.start())?;
        Ok(Self {
            _runtime: runtime,
            mock,
        })
    }

    pub(super) fn url(&self) -> String {
        self.mock.url().to_string()
    }

    /// Scripts the next run.
    pub(super) fn next_run(&self, script: RunScript) {
        self.mock.next_run(script);
    }

    /// Makes every later response of `FAULTY` lack a required field, and have text where a boolean
    /// has to be: some clients check only one of them.
    pub(super) fn send_invalid_responses(&self) {
        let fault = Fault::respond_with(r#"{"sharded":"no"}"#);
        let fault = fault.header("content-type", "application/json");
        self.mock.fault(fault.on_operation(FAULTY).always());
    }
}
