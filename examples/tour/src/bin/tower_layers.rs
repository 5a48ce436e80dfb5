//! Sends requests through layers of tower: at most 20 requests in a second, 4 at a time, and 10 s for
//! each.
//!
//! No layer may send a request twice, such as tower's `Retry`: a start would no longer happen at most
//! once. The client repeats what may be repeated. The client's own request timeout includes the time
//! that a request waits in the layers.

#![expect(clippy::print_stdout, reason = "the output of an example")]

use std::error::Error;
use std::net::TcpListener;
use std::time::Duration;

use checksum_api_ext::{RetryPolicy, Transport, TransportError};
use checksum_mock::Mock;
use reqwest::{Request, Response, redirect};
use tower::timeout::error::Elapsed;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mock = Mock::start().await?;
    // The client follows redirects itself: after one, an error would not say what was sent. The mock
    // server is on this machine, where no proxy is needed.
    let http = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy();
    let layers = ServiceBuilder::new()
        .buffer(1_000)
        .rate_limit(20, Duration::from_secs(1))
        .concurrency_limit(4)
        .map_request(|mut request: Request| {
            let headers = request.headers_mut();
            headers.insert("x-team", reqwest::header::HeaderValue::from_static("web"));
            request
        })
        .timeout(Duration::from_secs(10))
        .service(http.build()?);
    let checksum = tour::builder_for(&mock)
        .transport(transport(layers.clone()))
        .build()?;

    let report = checksum.run_suite().start().await?.await?;

    println!("the run has {}", report.outcome());
    let requests = mock.requests();
    let marked = requests
        .iter()
        .filter(|request| request.header("x-team") == Some("web"));
    println!(
        "{} of {} requests went through the layers",
        marked.count(),
        requests.len()
    );

    // The layers keep the knowledge that nothing was sent, so that the start may be repeated.
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let without_server = tour::builder_for(&mock)
        .base_url(format!("http://{nobody}").parse()?)
        .retry_policy(RetryPolicy::none())
        .transport(transport(layers))
        .build()?;
    if let Err(error) = without_server.run_suite().start().await {
        println!("without a server, started is {:?}", error.started());
    }
    Ok(())
}

/// Makes a transport of any service that sends requests.
fn transport<S>(service: S) -> impl Transport
where
    S: Service<Request, Response = Response, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    move |request| {
        let sending = service.clone().oneshot(request);
        async move { sending.await.map_err(transport_error) }
    }
}

/// Says whether the service may have received the request, which decides whether a start may be sent
/// again.
fn transport_error(error: BoxError) -> TransportError {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => (*error).into(),
        Err(error) if error.is::<Elapsed>() => TransportError::timeout(error),
        Err(error) => TransportError::connection_lost(error),
    }
}
