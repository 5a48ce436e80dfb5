//! Starts the mock server, and gives tests access to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::fault::Fault;
use crate::script::{BatchScript, RunScript};
use crate::server::{
    ApiKey, App, BASE_PATH, Limits, RecordedRequest, Settings, router, serve, serve_connection,
};
use crate::state;
use crate::state::store::Limit;

/// A running mock server. Dropping it stops it.
#[derive(Debug)]
pub struct Mock {
    app: Arc<App>,
    server: Option<JoinHandle<()>>,
}

/// Configures a [`Mock`]. Returned by [`Mock::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct MockBuilder {
    port: u16,
    max_connections: usize,
    app: Settings,
    state: state::Settings,
}

/// The error of [`MockBuilder::start`]: the port is not available.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve on {address}")]
pub struct MockError {
    address: SocketAddr,
    source: std::io::Error,
}

impl Default for MockBuilder {
    fn default() -> Self {
        Self {
            port: 0,
            max_connections: 4096,
            app: Settings {
                api_key: ApiKey::default(),
                clock: Clock::default(),
                max_recorded_requests: 10_000,
                has_page: false,
                request_timeout: Duration::from_secs(30),
            },
            state: state::Settings {
                default_run: RunScript::default(),
                failing_tests: Vec::new(),
                is_observed: false,
                limit: Limit {
                    finished: 10_000,
                    bytes: 64 * 1024 * 1024,
                },
            },
        }
    }
}

impl Mock {
    /// Starts with the defaults: on a free port of the loopback interface, in real time, accepting
    /// any API key.
    ///
    /// # Errors
    ///
    /// Returns an error if no port is available.
    pub async fn start() -> Result<Self, MockError> {
        Self::builder().start().await
    }

    /// Returns a builder with the defaults of [`start`](Self::start).
    pub fn builder() -> MockBuilder {
        MockBuilder::default()
    }

    /// Returns the base URL, such as `http://127.0.0.1:4010/public-api`.
    pub fn url(&self) -> String {
        format!("{}{BASE_PATH}", self.app.origin)
    }

    /// Returns the address of the page for people, such as `http://127.0.0.1:4010/`. Only
    /// [`MockBuilder::page`] makes the mock server serve it.
    pub fn page_url(&self) -> String {
        format!("{}/", self.app.origin)
    }

    /// Returns the clock, for example to advance it.
    pub fn clock(&self) -> &Clock {
        self.app.clock()
    }

    /// Queues the script of one of the next runs. Each start of a run takes the first script of the
    /// queue, or that of [`MockBuilder::default_run`] if the queue is empty.
    pub fn next_run(&self, script: RunScript) {
        self.app.state().next_runs.push_back(script);
    }

    /// Queues the script of one of the next healing batches, as [`next_run`](Self::next_run) does.
    /// Default: [`BatchScript::new`].
    pub fn next_heal(&self, script: BatchScript) {
        self.app.state().next_heals.push_back(script);
    }

    /// Queues the script of one of the next generation batches, as [`next_run`](Self::next_run)
    /// does. Default: [`BatchScript::new`].
    pub fn next_generation(&self, script: BatchScript) {
        self.app.state().next_generations.push_back(script);
    }

    /// Sets the tests that `find_affected_tests` returns from now on, in this order, whichever
    /// files changed; the list may be empty. A grep finds these tests too, even if the project does
    /// not have them.
    ///
    /// Default: a changed file affects the tests of the test file `NAME.spec.ts` if `NAME` is one
    /// of the parts of its path. So `src/cart.ts` and `src/cart/total.ts` affect the tests of
    /// `cart.spec.ts`.
    pub fn set_affected_tests<Id: Into<String>>(&self, tests: impl IntoIterator<Item = Id>) {
        self.app.state().affected = Some(tests.into_iter().map(Into::into).collect());
    }

    /// Injects a fault. If several faults apply to a request, it gets the one that was injected
    /// first.
    pub fn fault(&self, fault: Fault) {
        self.app.faults().push(fault);
    }

    /// Removes all faults.
    pub fn remove_faults(&self) {
        self.app.faults().clear();
    }

    /// Refuses connections for this time of the mock server's [`Clock`], as a service that is down.
    /// Closes those that are open: one that has a request after its response. Returns as soon as
    /// connections are refused. A second call replaces the first, and [`Duration::ZERO`] ends it.
    /// Has no effect on [`router`](Self::router).
    pub async fn refuse_connections(&self, lasts: Duration) {
        self.app.refuse_connections(lasts).await;
    }

    /// Returns the latest requests in the order of their arrival, including downloads of files.
    /// [`MockBuilder::max_recorded_requests`] and [`MockBuilder::max_memory`] limit them.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.app.request_log().latest()
    }

    /// Returns how many requests were received, including those that
    /// [`requests`](Self::requests) no longer returns.
    pub fn request_count(&self) -> u64 {
        self.app.request_log().count()
    }

    /// Returns the ids of all healing batches, including those that `autoHeal` started: the API
    /// does not say which batch that was.
    pub fn heal_batches(&self) -> Vec<String> {
        self.app.advanced_state().heal_ids()
    }

    /// Returns the service as a [`Router`], for a transport within the process.
    pub fn router(&self) -> Router {
        router(self.app.clone())
    }

    /// Serves a connection that your own listener has accepted, until it is closed: of TLS, of a
    /// Unix socket, or of a simulated network. Faults can take it over as one of the mock server's
    /// own. A reset drops the stream.
    pub fn serve_connection<S>(&self, stream: S) -> impl Future<Output = ()> + Send + use<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let head_timeout = self.app.settings.request_timeout;
        serve_connection(stream, self.router(), head_timeout)
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
    /// Accepts only this API key. Default: any that is not empty.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.app.api_key = ApiKey::only(key);
        self
    }

    /// Sets the port. Default: 0, which takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the script of runs for which [`Mock::next_run`] has none. Default: [`RunScript::new`].
    pub fn default_run(mut self, script: RunScript) -> Self {
        self.state.default_run = script;
        self
    }

    /// Sets tests that fail in every run that selects them and for which [`Mock::next_run`] has no
    /// script. Default: none.
    pub fn failing_tests<Id: Into<String>>(mut self, tests: impl IntoIterator<Item = Id>) -> Self {
        self.state.failing_tests = tests.into_iter().map(Into::into).collect();
        self
    }

    /// Serves also what was observed of the live service and is not documented.
    ///
    /// | part | what is added |
    /// | --- | --- |
    /// | API key | `ChecksumAppCode: <key>` is accepted beside `Authorization: Bearer <key>` |
    /// | start of a run | the response has `runId` and `sharded` |
    /// | `suiteIds` of `run_suite` | only these suites run: `suite-abc-123` (the tests with the tag `smoke`), `suite-def-456` (`checkout`); an unknown one has no test, and an empty list runs all tests |
    /// | `shardCount` of `run_grep_v2` | the run is [sharded](RunScript::sharded); beside `autoHeal` the response is 400 |
    /// | `get_run_status_by_run_id` | the status of each run with `isTerminal`, `verdict` and `failureReason`; a run that selects no test has the verdict `fail`, although its state is `passed` |
    /// | `find_affected_tests` | see [`Mock::set_affected_tests`] |
    ///
    /// Without this, the mock server responds with 404 to both observed operations, as to any
    /// unknown path, and ignores these fields of requests.
    pub fn observed(mut self) -> Self {
        self.state.is_observed = true;
        self
    }

    /// Serves a page for people on `/`, on which they see runs, batches and requests, start runs,
    /// script them and inject faults; the API reference on `/docs`; the API's description as JSON on
    /// `/openapi.json`; and the control routes that the page uses, below `/mock`.
    ///
    /// These routes need no API key. They respond with 403 to requests that another web page sends
    /// and to those for a host that is not the loopback interface. They are not recorded, and no
    /// fault applies to them. Default: none of them is served.
    pub fn page(mut self) -> Self {
        self.app.has_page = true;
        self
    }

    /// Limits the requests that [`Mock::requests`] returns. Default: 10,000.
    pub fn max_recorded_requests(mut self, count: usize) -> Self {
        self.app.max_recorded_requests = count;
        self
    }

    /// Limits how many finished runs, finished healing batches and finished generation batches are
    /// kept. Default: 10,000 of each; 0 counts as 1.
    ///
    /// The start of another one drops those that finished first. Requests for them then get 404.
    pub fn max_finished_runs(mut self, count: usize) -> Self {
        self.state.limit.finished = count;
        self
    }

    /// Limits the memory, in bytes, of recorded requests, of runs, of healing batches and of
    /// generation batches, each on its own and approximately. Default: 64 MiB, enough for about
    /// 10,000 runs of six tests.
    ///
    /// Beyond it the oldest requests are dropped; of runs and batches first those that finished
    /// first, then those that started first, and never the latest.
    pub fn max_memory(mut self, bytes: usize) -> Self {
        self.state.limit.bytes = bytes;
        self
    }

    /// Limits how long a request's head may take to arrive, and then its body. Default: 30 s each.
    ///
    /// A connection whose next head does not arrive in time is closed, also an idle one. A request
    /// whose body does not arrive in time gets 408. The time is tokio's, not that of the
    /// [`Clock`].
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.app.request_timeout = timeout;
        self
    }

    /// Limits how many connections are open at a time. Default: 4,096.
    ///
    /// For another one, and if the process has no file descriptor left, the connection that has
    /// been idle for longest is closed. If none is idle, the new one waits.
    pub fn max_connections(mut self, count: usize) -> Self {
        self.max_connections = count;
        self
    }

    /// Sets the clock. Default: [`Clock::real`].
    pub fn clock(mut self, clock: Clock) -> Self {
        self.app.clock = clock;
        self
    }

    /// Starts serving on the loopback interface.
    ///
    /// # Errors
    ///
    /// Returns an error if the port is not available.
    pub async fn start(self) -> Result<Mock, MockError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let failed = |source| MockError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let origin = format!("http://{}", listener.local_addr().map_err(failed)?);
        let limits = Limits {
            head_timeout: self.app.request_timeout,
            max_connections: self.max_connections,
        };
        let (sender, outages) = mpsc::unbounded_channel();
        let clock = self.app.clock.clone();
        let app = App::new(self.app, self.state, origin, sender);
        let serving = serve(listener, router(app.clone()), limits, outages, clock);
        let server = tokio::spawn(serving);
        Ok(Mock {
            app,
            server: Some(server),
        })
    }

    /// Returns a mock server without a socket, which serves only through [`Mock::router`]: for
    /// tests with tokio's paused time, in which sockets are unreliable.
    pub fn without_socket(self) -> Mock {
        let (no_outages, _) = mpsc::unbounded_channel();
        let origin = "https://checksum.invalid".to_owned();
        Mock {
            app: App::new(self.app, self.state, origin, no_outages),
            server: None,
        }
    }
}
