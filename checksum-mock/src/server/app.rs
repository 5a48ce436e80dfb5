//! Handles a request: logs it, applies a fault, checks the API key, and calls the operation.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::ALLOW;
use http::request::Parts;
use tokio::sync::{mpsc, oneshot};

use super::api_key::ApiKey;
use super::connection::{Connection, Outage};
use super::request_log::RequestLog;
use super::{faults, files};
use crate::clock::Clock;
use crate::fault::{self, Fault, FaultKind};
use crate::operations::json_object::JsonObject;
use crate::operations::request::ApiRequest;
use crate::operations::response::{OperationResult, Rejection};
use crate::routes::Route;
use crate::state::{self, State};

/// The path of the base URL.
pub(crate) const BASE_PATH: &str = "/public-api";

const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;

/// The settings of the server, which do not change while it runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) api_key: ApiKey,
    pub(crate) clock: Clock,
    pub(crate) max_recorded_requests: usize,
    /// Whether the page for people and its control routes are served.
    pub(crate) has_page: bool,
    /// How long a request's body may take to arrive.
    pub(crate) request_timeout: Duration,
}

/// The values that all requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) settings: Settings,
    /// Scheme, host and port.
    pub(crate) origin: String,
    state: Mutex<State>,
    faults: Mutex<Vec<Fault>>,
    request_log: Mutex<RequestLog>,
    /// Closed if there is no socket.
    outages: mpsc::UnboundedSender<Outage>,
}

impl App {
    pub(crate) fn new(
        settings: Settings,
        state: state::Settings,
        origin: String,
        outages: mpsc::UnboundedSender<Outage>,
    ) -> Arc<Self> {
        let log = RequestLog::new(settings.max_recorded_requests, state.limit.bytes);
        Arc::new(Self {
            settings,
            origin,
            state: Mutex::new(State::new(state)),
            faults: Mutex::default(),
            request_log: Mutex::new(log),
            outages,
        })
    }

    /// Refuses connections for this time, if there is a socket. Returns once it does.
    pub(crate) async fn refuse_connections(&self, lasts: Duration) {
        let (begun, has_begun) = oneshot::channel();
        let _ = self.outages.send(Outage { lasts, begun });
        let _ = has_begun.await;
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.settings.clock
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Returns the state after everything that was due until now.
    pub(crate) fn advanced_state(&self) -> MutexGuard<'_, State> {
        self.state_at(self.clock().now())
    }

    fn state_at(&self, now: Duration) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.advance_to(now);
        state
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        lock(&self.faults)
    }

    pub(crate) fn request_log(&self) -> MutexGuard<'_, RequestLog> {
        lock(&self.request_log)
    }

    /// Reads a body, within the limits of time and size.
    pub(crate) async fn read(&self, body: Body) -> Result<Bytes, Rejection> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        let body = tokio::time::timeout(
            self.settings.request_timeout,
            to_bytes(body, MAX_BODY_BYTES),
        );
        let Ok(body) = body.await else {
            let message = "the body did not arrive in time";
            return Err(Rejection::new(StatusCode::REQUEST_TIMEOUT, message));
        };
        body.map_err(|_| {
            let message = format!("the body is larger than {MAX_BODY_BYTES} bytes");
            Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        })
    }

    fn respond(
        &self,
        route: Option<&Route>,
        parts: &Parts,
        body: Result<Bytes, Rejection>,
    ) -> Response {
        let body = match body {
            Ok(body) => body,
            Err(rejection) => return rejection.into_response(),
        };
        let path = parts.uri.path();
        let method = parts.method.as_str();
        // Files are not part of the API, and need no key.
        if let Some(path) = path.strip_prefix(state::files::ROOT) {
            return match method {
                "GET" => files::respond(&self.advanced_state(), path, &parts.headers),
                _ => wrong_method("GET".to_owned()),
            };
        }
        let is_observed = self.state().is_observed();
        if !self.settings.api_key.is_in(&parts.headers, is_observed) {
            let message = "the request has no valid API key";
            return Rejection::new(StatusCode::UNAUTHORIZED, message).into_response();
        }
        let path = path.strip_prefix(BASE_PATH).unwrap_or_default();
        let is_served = |route: &&Route| is_observed || !route.is_observed;
        if let Some(route) = route.filter(is_served) {
            return self.handle(route, path, parts, &body).into_response();
        }
        let others = Route::with_path(path).filter(is_served);
        let allowed: Vec<_> = others.map(|route| route.method).collect();
        match &*allowed {
            [] => Rejection::not_found("there is no such route").into_response(),
            methods => wrong_method(methods.join(",")),
        }
    }

    fn handle(&self, route: &Route, path: &str, parts: &Parts, body: &[u8]) -> OperationResult {
        let query = match parts.uri.query() {
            None => Vec::new(),
            Some(_) => {
                let query = Query::try_from_uri(&parts.uri);
                let rejected = |error: QueryRejection| {
                    Rejection::new(StatusCode::BAD_REQUEST, error.to_string())
                };
                query.map_err(rejected)?.0
            }
        };
        let request = ApiRequest {
            parameters: route.parameters(path)?,
            query,
            body: match route.method {
                "POST" => JsonObject::parse(&parts.headers, body)?,
                _ => JsonObject::default(),
            },
            origin: &self.origin,
            now: self.clock().now(),
        };
        (route.handler)(&mut self.state_at(request.now), &request)
    }
}

/// Locks a mutex, also after a panic: one failed request must not fail the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wrong_method(allowed: String) -> Response {
    let message = "the route does not take this method";
    let rejection = Rejection::new(StatusCode::METHOD_NOT_ALLOWED, message);
    ([(ALLOW, allowed)], rejection).into_response()
}

/// Returns the API and the files.
pub(crate) fn api_router(app: Arc<App>) -> Router {
    Router::new().fallback(receive).with_state(app)
}

async fn receive(Shared(app): Shared<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let route = path
        .strip_prefix(BASE_PATH)
        .and_then(|path| Route::of_request(method, path));
    let operation_id = route.map(|route| route.operation_id);
    tracing::debug!(method, path, operation_id, "received");
    let fault = fault::take(&mut app.faults(), operation_id);
    let body = match &fault {
        Some(fault) if matches!(fault.kind, FaultKind::ResetBeforeReading) => Ok(Bytes::new()),
        _ => app.read(body).await,
    };
    let logged = body.as_deref().unwrap_or_default();
    let now = app.clock().now();
    let number = app.request_log().push(&parts, operation_id, logged, now);
    let handle = || app.respond(route, &parts, body);
    let response = match fault {
        None => handle(),
        Some(fault) => {
            let connection = parts.extensions.get::<Connection>().cloned();
            faults::apply(fault, handle, connection.unwrap_or_default(), app.clock()).await
        }
    };
    app.request_log().set_status(number, response.status());
    response
}
