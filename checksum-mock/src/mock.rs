use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::api_key::ApiKey;
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
    pub(crate) broken_tests: Vec<String>,
    pub(crate) kept_requests: usize,
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
            broken_tests: Vec::new(),
            kept_requests: 10_000,
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

    /// Lets something go wrong. Of several faults that are meant for a request, the one that was
    /// given first happens.
    pub fn fault(&self, fault: Fault) {
        self.service.faults().push(fault);
    }

    /// The requests so far, in the order of arrival, downloads of files included. Of very many the
    /// latest; see [`MockBuilder::keep_requests`].
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.service.record().latest()
    }

    /// How many requests there were, those that [`requests`](Self::requests) no longer has
    /// included.
    pub fn request_count(&self) -> u64 {
        self.service.record().count()
    }

    /// The ids of all healing batches, those that `autoHeal` started included: the API itself does
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
    pub fn broken_tests<Id: Into<String>>(mut self, tests: impl IntoIterator<Item = Id>) -> Self {
        self.broken_tests = tests.into_iter().map(Into::into).collect();
        self
    }

    /// How many of the latest requests are kept for [`Mock::requests`]; 10 000 without.
    pub fn keep_requests(mut self, count: usize) -> Self {
        self.kept_requests = count;
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
        let service = Service::new(self, origin);
        let server = tokio::spawn(server::serve(listener, router(service.clone())));
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
