use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::{QueryRejection, RawPathParamsRejection};
use axum::extract::{Query, RawPathParams, Request, State as Shared};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get, on};
use futures_util::{StreamExt, stream};
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Uri};

use crate::answer::{Answer, Refusal};
use crate::api_key::ApiKey;
use crate::call::{Call, Members};
use crate::fault::{self, FaultKind};
use crate::kept::Limit;
use crate::record::Record;
use crate::server::Connection;
use crate::state::State;
use crate::{Clock, Fault, MockBuilder, ROUTES, RecordedRequest, Route, files};

/// The path that stands before the paths of the document.
pub(crate) const ROOT: &str = "/public-api";

/// The size above which a request body is refused.
const MAX_REQUEST_BYTES: usize = 2 * 1024 * 1024;

/// What requests share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) clock: Clock,
    api_key: ApiKey,
    /// Whether it serves what is merely observed.
    is_observed: bool,
    /// Scheme, host and port.
    pub(crate) origin: String,
    /// How long a request's body may take to arrive.
    request_timeout: Duration,
    state: Mutex<State>,
    faults: Mutex<Vec<Fault>>,
    record: Mutex<Record>,
}

impl Service {
    pub(crate) fn new(settings: MockBuilder, origin: String) -> Arc<Self> {
        let kept = Limit {
            ended: settings.kept_runs,
            bytes: settings.kept_bytes,
        };
        Arc::new(Self {
            clock: settings.clock,
            api_key: settings.api_key,
            is_observed: settings.is_observed,
            origin,
            request_timeout: settings.request_timeout,
            state: Mutex::new(State::new(
                settings.default_run,
                settings.failing_tests,
                settings.is_observed,
                kept,
            )),
            faults: Mutex::default(),
            record: Mutex::new(Record::new(settings.kept_requests, settings.kept_bytes)),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        locked(&self.faults)
    }

    /// Whether the request carries the key in a header that is read.
    fn is_authorized(&self, headers: &HeaderMap) -> bool {
        self.api_key.is_bearer_of(headers)
            || (self.is_observed && self.api_key.is_app_code_of(headers))
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        locked(&self.record)
    }
}

/// A panic in one test's handler should not take the others' answers with it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn router(service: Arc<Service>) -> Router {
    let mut api = Router::new();
    let is_served = |route: &&Route| service.is_observed || !route.is_observed;
    for route in ROUTES.iter().filter(is_served) {
        let filter = match route.method {
            "POST" => MethodFilter::POST,
            _ => MethodFilter::GET,
        };
        let handler = move |service, parameters, query, method, headers, body| async move {
            act(route, service, parameters, query, (method, headers), body)
        };
        api = api.route(&format!("{ROOT}{}", route.path), on(filter, handler));
    }
    api.route(&format!("{}/{{*path}}", files::ROOT), get(file))
        .fallback(|| async { Refusal::not_found("there is no such route") })
        .method_not_allowed_fallback(|| async {
            let message = "the route does not take this method";
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message)
        })
        .layer(from_fn_with_state(service.clone(), receive))
        .with_state(service)
}

/// Records a request, lets its fault happen, and asks for its key.
async fn receive(Shared(service): Shared<Arc<Service>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(service.request_timeout, to_bytes(body, MAX_REQUEST_BYTES));
    let body = match body.await {
        Ok(read) => read.map_err(|_| {
            let message = format!("the body is larger than {MAX_REQUEST_BYTES} bytes");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        }),
        Err(_) => {
            let message = "the body did not arrive in time";
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, message))
        }
    };
    let path = parts.uri.path();
    let below_root = path.strip_prefix(ROOT);
    let route = below_root.and_then(|path| Route::find(parts.method.as_str(), path));
    let operation_id = route.map(|route| route.operation_id);
    let head = (&parts.method, &parts.uri, &parts.headers);
    let recorded = RecordedRequest::new(route, head, service.clock.now());
    tracing::debug!(method = recorded.method, path, operation_id, "received");
    let read = body.as_deref().unwrap_or_default();
    service.record().push(recorded, read);

    let connection = parts
        .extensions
        .get::<Connection>()
        .cloned()
        .unwrap_or_default();
    // Files are no part of the API, and need no key.
    let is_accepted = path.starts_with(files::ROOT) || service.is_authorized(&parts.headers);
    let proceed = async move {
        let body = match body {
            Ok(body) => body,
            Err(refusal) => return refusal.into_response(),
        };
        if !is_accepted {
            let message = "the request has no valid API key";
            return Refusal::new(StatusCode::UNAUTHORIZED, message).into_response();
        }
        next.run(Request::from_parts(parts, Body::from(body))).await
    };
    let fault = fault::take(&mut service.faults(), operation_id);
    match fault {
        None => proceed.await,
        Some(FaultKind::Answer {
            status,
            headers,
            body,
        }) => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            response
        }
        Some(FaultKind::Delay(by)) => {
            let response = proceed.await;
            service.clock.sleep(by).await;
            response
        }
        Some(FaultKind::ResetBefore) => connection.reset().await,
        Some(FaultKind::ResetAfter) => {
            proceed.await;
            connection.reset().await
        }
        Some(FaultKind::Truncated) => truncated(proceed.await).await,
        Some(FaultKind::Silence) => std::future::pending().await,
    }
}

/// Acts on a request to an operation.
fn act(
    route: &Route,
    Shared(service): Shared<Arc<Service>>,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
    (method, headers): (Method, HeaderMap),
    body: Bytes,
) -> Result<Answer, Refusal> {
    let bad = |error: String| Refusal::new(StatusCode::BAD_REQUEST, error);
    let parameters = parameters.map_err(|error| bad(error.to_string()))?;
    let Query(query) = query.map_err(|error| bad(error.to_string()))?;
    let call = Call {
        parameters: parameters
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        query,
        body: match method {
            Method::POST => Members::read(&headers, &body)?,
            _ => Members::default(),
        },
        origin: service.origin.clone(),
        now: service.clock.now(),
    };
    let mut state = service.state();
    state.settle(call.now);
    (route.handler)(&mut state, &call)
}

async fn file(
    Shared(service): Shared<Arc<Service>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = service.state();
    state.settle(service.clock.now());
    let path = uri.path().strip_prefix(files::ROOT).unwrap_or_default();
    let file = files::find(&state, path.trim_start_matches('/'))?;
    file.answer(&headers).map_err(|error| {
        let message = error.to_string();
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    })
}

/// An answer of which half arrives.
async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = whole.slice(..whole.len() / 2);
    let cut = stream::once(async {
        // Lets the server send the half before it learns of the end.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("cut by a fault"))
    });
    let body = stream::iter([Ok(half)]).chain(cut);
    Response::from_parts(parts, Body::from_stream(body))
}
