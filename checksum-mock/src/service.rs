use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::{QueryRejection, RawPathParamsRejection};
use axum::extract::{Path, Query, RawPathParams, Request, State as Shared};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get, on};
use futures_util::{StreamExt, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};

use crate::answer::{Answer, Refusal};
use crate::api_key::ApiKey;
use crate::call::{Call, Members};
use crate::fault::{self, FaultKind};
use crate::server::Connection;
use crate::state::State;
use crate::{Clock, Fault, ROUTES, RecordedRequest, Route, RunScript, files};

/// The path that stands before the paths of the document.
pub(crate) const ROOT: &str = "/public-api";

/// The size above which a request body is refused.
const MAX_REQUEST_BYTES: usize = 2 * 1024 * 1024;

/// What requests share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) clock: Clock,
    pub(crate) api_key: ApiKey,
    /// Scheme, host and port.
    pub(crate) origin: String,
    state: Mutex<State>,
    faults: Mutex<Vec<Fault>>,
    requests: Mutex<Vec<RecordedRequest>>,
}

impl Service {
    pub(crate) fn new(
        clock: Clock,
        api_key: ApiKey,
        default_run: RunScript,
        origin: String,
    ) -> Arc<Self> {
        let state = State::new(default_run);
        Arc::new(Self {
            clock,
            api_key,
            origin,
            state: Mutex::new(state),
            faults: Mutex::default(),
            requests: Mutex::default(),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        locked(&self.faults)
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, Vec<RecordedRequest>> {
        locked(&self.requests)
    }
}

/// A panic in one test's handler should not take the others' answers with it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn router(service: Arc<Service>) -> Router {
    let mut api = Router::new();
    for route in ROUTES {
        let filter = match route.method {
            "POST" => MethodFilter::POST,
            _ => MethodFilter::GET,
        };
        let handler = move |service, parameters, query, method, headers, body| async move {
            act(route, service, parameters, query, (method, headers), body)
                .map_err(|refusal| refusal.0)
        };
        api = api.route(&format!("{ROOT}{}", route.path), on(filter, handler));
    }
    api.fallback(|| async { Refusal::not_found("there is no such route").0 })
        .method_not_allowed_fallback(|| async {
            let message = "the route does not take this method";
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message).0
        })
        .layer(from_fn_with_state(service.clone(), receive))
        // Outside the layer: files are no part of the API, and need no key.
        .route("/files/{run}/{name}", get(file))
        .with_state(service)
}

/// Records a request, lets its fault happen, and asks for its key.
async fn receive(Shared(service): Shared<Arc<Service>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_REQUEST_BYTES).await else {
        let message = format!("the body is larger than {MAX_REQUEST_BYTES} bytes");
        return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
            .0
            .into_response();
    };
    let below_root = parts.uri.path().strip_prefix(ROOT);
    let route = below_root.and_then(|path| Route::find(parts.method.as_str(), path));
    let head = (&parts.method, &parts.uri, &parts.headers);
    let recorded = RecordedRequest::new(route, head, &body, service.clock.now());
    service.requests().push(recorded);

    let connection = parts
        .extensions
        .get::<Connection>()
        .cloned()
        .unwrap_or_default();
    let is_accepted = service.api_key.is_carried_by(&parts.headers);
    let proceed = async move {
        if is_accepted {
            next.run(Request::from_parts(parts, Body::from(body))).await
        } else {
            let message = "the Authorization header has no valid API key";
            Refusal::new(StatusCode::UNAUTHORIZED, message)
                .0
                .into_response()
        }
    };
    let fault = fault::take(&mut service.faults(), route.map(|route| route.operation_id));
    match fault {
        None => proceed.await,
        Some(FaultKind::Answer {
            status,
            headers,
            body,
        }) => {
            let mut response = (status, body).into_response();
            response.headers_mut().remove(CONTENT_TYPE);
            response.headers_mut().extend(headers);
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

async fn file(Path((_, name)): Path<(String, String)>) -> Response {
    match files::find(&name) {
        Some((content_type, bytes)) => ([(CONTENT_TYPE, content_type)], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
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
