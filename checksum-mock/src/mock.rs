use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::api_key::ApiKey;
use crate::server::Limits;
use crate::service::{ROOT, Service, router};
use crate::{BatchScript, Clock, Fault, RecordedRequest, RunScript, server};

/// The stand-in. Dropping it stops its server.
#[derive(Debug)]
pub struct Mock {
    service: Arc<Service>,
    server: Option<JoinHandle<()>>,
}

/// Settings of a [`Mock`]; made by [`Mock::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct MockBuilder {
    pub(crate) api_key: ApiKey,
    port: u16,
    pub(crate) clock: Clock,
    pub(crate) default_run: RunScript,
    pub(crate) failing_tests: Vec<String>,
    pub(crate) is_observed: bool,
    pub(crate) kept_requests: usize,
    pub(crate) kept_runs: usize,
    pub(crate) kept_bytes: usize,
    pub(crate) request_timeout: Duration,
    max_connections: usize,
}

/// Why the stand-in could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve on {address}")]
pub struct MockError {
    address: SocketAddr,
    source: std::io::Error,
}

impl Default for MockBuilder {
    fn default() -> Self {
        Self {
            api_key: ApiKey::default(),
            port: 0,
            clock: Clock::default(),
            default_run: RunScript::default(),
            failing_tests: Vec::new(),
            is_observed: false,
            kept_requests: 10_000,
            kept_runs: 10_000,
            kept_bytes: 64 * 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            max_connections: 4096,
        }
    }
}

impl Mock {
    /// Serves on a free port of the loopback interface, in real time, with any key.
    ///
    /// # Errors
    ///
    /// No port could be had.
    pub async fn start() -> Result<Self, MockError> {
        Self::builder().start().await
    }

    /// Starts from the defaults: a free port, real time, any key.
    pub fn builder() -> MockBuilder {
        MockBuilder::default()
    }

    /// The base URL, such as `http://127.0.0.1:4010/public-api`.
    pub fn url(&self) -> String {
        format!("{}{ROOT}", self.service.origin)
    }

    /// The clock, to move it by hand.
    pub fn clock(&self) -> &Clock {
        &self.service.clock
    }

    /// What becomes of the next run. Scripts are used up in the order in which they are given; a
    /// run without one passes.
    pub fn next_run(&self, script: RunScript) {
        self.service.state().next_runs.push_back(script);
    }

    /// What becomes of the next healing batch.
    pub fn next_heal(&self, script: BatchScript) {
        self.service.state().next_heals.push_back(script);
    }

    /// What becomes of the next generation batch.
    pub fn next_generation(&self, script: BatchScript) {
        self.service.state().next_generations.push_back(script);
    }

    /// Sets the tests that `find_affected_tests` returns from now on, in this order, whichever
    /// files changed; none is possible. A grep finds them too, also those that the project does
    /// not have.
    ///
    /// Without it, a changed file affects the tests of the test file `NAME.spec.ts` where `NAME`
    /// is one of the parts of its path: `src/cart.ts`, say, and `src/cart/total.ts` those of
    /// `cart.spec.ts`.
    pub fn affect<Id: Into<String>>(&self, tests: impl IntoIterator<Item = Id>) {
        self.service.state().affected = Some(tests.into_iter().map(Into::into).collect());
    }

    /// Lets something go wrong. Of several faults that are meant for a request, the one that was
    /// given first happens.
    pub fn fault(&self, fault: Fault) {
        self.service.faults().push(fault);
    }

    /// The requests so far, in the order of arrival, downloads of files included. Of very many the
    /// latest; see [`MockBuilder::max_recorded_requests`] and [`MockBuilder::max_recorded_bytes`].
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.service.record().latest()
    }

    /// How many requests there were, those that [`requests`](Self::requests) no longer has
    /// included.
    pub fn request_count(&self) -> u64 {
        self.service.record().count()
    }

    /// The ids of all healing batches that are kept, those that `autoHeal` started included: the API itself does
    /// not tell which batch that was.
    pub fn heal_batches(&self) -> Vec<String> {
        let mut state = self.service.state();
        state.settle(self.service.clock.now());
        state.heal_ids()
    }

    /// The service without its socket, for an in-process transport.
    pub fn router(&self) -> Router {
        router(self.service.clone())
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

impl MockBuilder {
    /// Only this key is accepted.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = ApiKey::only(key);
        self
    }

    /// The port to serve on; 0, the default, is any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// What becomes of runs for which [`Mock::next_run`] gives nothing else.
    pub fn default_run(mut self, script: RunScript) -> Self {
        self.default_run = script;
        self
    }

    /// Tests that fail in each run that has them and for which [`Mock::next_run`] gives nothing
    /// else.
    pub fn failing_tests<Id: Into<String>>(mut self, tests: impl IntoIterator<Item = Id>) -> Self {
        self.failing_tests = tests.into_iter().map(Into::into).collect();
        self
    }

    /// Serves what was observed of the live service beside what is documented.
    ///
    /// | part | what is added |
    /// | --- | --- |
    /// | key | `ChecksumAppCode: <key>` is accepted beside `Authorization: Bearer <key>` |
    /// | start of a run | the response has `runId` and `sharded` |
    /// | `suiteIds` of `run_suite` | only these suites run: `suite-abc-123` (the tests with the tag `smoke`), `suite-def-456` (`checkout`); an unknown one has no test, and an empty list runs all tests |
    /// | `shardCount` of `run_grep_v2` | the run is [sharded](RunScript::sharded); beside `autoHeal` the response is 400 |
    /// | `get_run_status_by_run_id` | the status of each run with `isTerminal`, `verdict` and `failureReason`; a run that selects no test has the verdict `fail`, although its state is `passed` |
    /// | `find_affected_tests` | see [`Mock::affect`] |
    ///
    /// Without this, the stand-in responds with 404 to both observed operations, as to any unknown
    /// path, and ignores these fields of requests.
    pub fn observed(mut self) -> Self {
        self.is_observed = true;
        self
    }

    /// How many of the latest requests are kept for [`Mock::requests`]. Default: 10,000.
    pub fn max_recorded_requests(mut self, count: usize) -> Self {
        self.kept_requests = count;
        self
    }

    /// How many runs that have ended are kept, and how many ended batches of healing and of
    /// generation. Default: 10,000 of each; 0 counts as 1.
    ///
    /// When another one starts, those that ended first are forgotten: the service knows them no
    /// longer and responds with 404.
    pub fn max_finished_runs(mut self, count: usize) -> Self {
        self.kept_runs = count;
        self
    }

    /// How much memory the kept requests may take, roughly and in bytes; as much again the runs,
    /// the healing batches and the generation batches. Default: 64 MiB each, which is enough for
    /// some 10,000 runs of six tests.
    ///
    /// Beyond it the oldest requests are forgotten; of runs and batches first those that ended
    /// first, then those that started first, never the latest.
    pub fn max_recorded_bytes(mut self, bytes: usize) -> Self {
        self.kept_bytes = bytes;
        self
    }

    /// How long a request's head may take to arrive, and then its body. Default: 30 s each.
    ///
    /// A connection whose next head does not arrive in that time is closed, an idle one too. A
    /// request whose body does not arrive gets 408. The time is tokio's, not that of the
    /// [`Clock`].
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How many connections are open at a time. Default: 4,096.
    ///
    /// For another one, and where the process has no file descriptor left, the connection that
    /// has been without a request for longest is closed. Where each has a request, the other one
    /// waits.
    pub fn max_connections(mut self, count: usize) -> Self {
        self.max_connections = count;
        self
    }

    /// The time that the stand-in lives in; real time without.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Serves on the loopback interface.
    ///
    /// # Errors
    ///
    /// The port could not be had.
    pub async fn start(self) -> Result<Mock, MockError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let failed = |source| MockError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let origin = format!("http://{}", listener.local_addr().map_err(failed)?);
        let limits = Limits {
            head_timeout: self.request_timeout,
            max_connections: self.max_connections,
        };
        let service = Service::new(self, origin);
        let server = tokio::spawn(server::serve(listener, router(service.clone()), limits));
        Ok(Mock {
            service,
            server: Some(server),
        })
    }

    /// Serves through [`Mock::router`] alone, without a socket: for tests under tokio's paused
    /// clock, which a socket would make undependable.
    pub fn without_socket(self) -> Mock {
        let origin = "https://checksum.invalid".to_owned();
        let service = Service::new(self, origin);
        Mock {
            service,
            server: None,
        }
    }
}
