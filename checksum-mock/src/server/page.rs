//! The page for people, the API reference, and the control routes. Only programs and web pages of
//! this machine may use them.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::app::{App, api_router};
use super::control;
use crate::operations::json_object::JsonObject;
use crate::operations::response::Rejection;

/// The path, the content type and the content of each file.
const ASSETS: [(&str, &str, &str); 8] = [
    (
        "/",
        "text/html; charset=utf-8",
        include_str!("../page/index.html"),
    ),
    (
        "/docs",
        "text/html; charset=utf-8",
        include_str!("../page/docs.html"),
    ),
    (
        "/mock/style.css",
        "text/css; charset=utf-8",
        include_str!("../page/style.css"),
    ),
    (
        "/mock/element.js",
        "text/javascript; charset=utf-8",
        include_str!("../page/element.js"),
    ),
    (
        "/mock/page.js",
        "text/javascript; charset=utf-8",
        include_str!("../page/page.js"),
    ),
    (
        "/mock/docs.js",
        "text/javascript; charset=utf-8",
        include_str!("../page/docs.js"),
    ),
    (
        "/favicon.ico",
        "image/svg+xml",
        include_str!("../page/icon.svg"),
    ),
    (
        "/openapi.json",
        "application/json",
        include_str!(concat!(env!("OUT_DIR"), "/openapi.json")),
    ),
];

/// A browser then loads nothing from another origin, and runs no inline script.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Returns the API and the files and, if it is wanted, the page before them.
pub(crate) fn router(app: Arc<App>) -> Router {
    let api = api_router(app.clone());
    if !app.settings.has_page {
        return api;
    }
    let mut page = Router::new()
        .route("/mock/state", get(overview))
        .route("/mock/next-runs", post(add_script).delete(remove_scripts))
        .route("/mock/faults", post(add_fault).delete(remove_faults))
        .route("/mock/outage", post(refuse_connections));
    for (path, content_type, content) in ASSETS {
        let asset = move || async move { ([(CONTENT_TYPE, content_type)], content) };
        page = page.route(path, get(asset));
    }
    page.route_layer(from_fn(protect))
        .fallback_service(api)
        .with_state(app)
}

/// Rejects requests of web pages from elsewhere, and adds the headers.
async fn protect(request: Request, next: Next) -> Response {
    let mut response = if is_local(request.headers()) {
        next.run(request).await
    } else {
        let message = "only pages of this server may use it, under the name of the loopback \
                       interface";
        Rejection::new(StatusCode::FORBIDDEN, message).into_response()
    };
    let headers = HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value)));
    response.headers_mut().extend(headers);
    response
}

/// Returns whether a request is for the loopback interface, since a foreign name may lead here too
/// (DNS rebinding), and comes from a page of this server, if it comes from a page.
fn is_local(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value: &HeaderValue| value.to_str().unwrap_or("?"))
    };
    let host = text(HOST);
    let is_loopback = |host: &str| {
        let authority = host.parse::<Authority>();
        authority.is_ok_and(|authority| LOOPBACK.contains(&authority.host()))
    };
    let is_own = |origin: &str| host.is_some() && origin.strip_prefix("http://") == host;
    host.is_none_or(is_loopback) && text(ORIGIN).is_none_or(is_own)
}

async fn overview(Shared(app): Shared<Arc<App>>) -> Json<serde_json::Value> {
    Json(control::overview(&app))
}

async fn add_script(
    Shared(app): Shared<Arc<App>>,
    request: Request,
) -> Result<StatusCode, Rejection> {
    let script = control::script(&read(&app, request).await?)?;
    app.state().next_runs.push_back(script);
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_scripts(Shared(app): Shared<Arc<App>>) -> StatusCode {
    app.state().next_runs.clear();
    StatusCode::NO_CONTENT
}

async fn add_fault(
    Shared(app): Shared<Arc<App>>,
    request: Request,
) -> Result<StatusCode, Rejection> {
    let fault = control::fault(&read(&app, request).await?)?;
    app.faults().push(fault);
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_faults(Shared(app): Shared<Arc<App>>) -> StatusCode {
    app.faults().clear();
    StatusCode::NO_CONTENT
}

async fn refuse_connections(
    Shared(app): Shared<Arc<App>>,
    request: Request,
) -> Result<StatusCode, Rejection> {
    let lasts = control::outage(&read(&app, request).await?)?;
    app.refuse_connections(lasts).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn read(app: &App, request: Request) -> Result<JsonObject, Rejection> {
    let (parts, body) = request.into_parts();
    JsonObject::parse(&parts.headers, &app.read(body).await?)
}
