//! A transport over the simulated network, which records each request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use checksum_api_ext::TransportError;
use futures_util::stream;
use http::header::RETRY_AFTER;
use http::{Method, Uri};
use hyper::rt::{Executor, Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioIo, TokioTimer};
use reqwest::{Request, Response};
use tower::util::BoxCloneSyncService;
use turmoil::net::TcpStream;

use crate::records::{self, Received, Records};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// More requests than any schedule needs. It ends a loop that would send without end.
const MAX_REQUESTS: usize = 2_000;

/// The HTTP client of one process. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Network {
    client: Client<Connector, reqwest::Body>,
    records: Arc<Records>,
    caller: usize,
}

type Connector = BoxCloneSyncService<Uri, Socket, std::io::Error>;

/// A request that the client waits for.
struct Pending<'a> {
    records: &'a Records,
    number: usize,
    received: Received,
}

impl Network {
    pub(crate) fn new(records: Arc<Records>, caller: usize) -> Self {
        let connect = |uri: Uri| async move {
            let address = (uri.host().unwrap_or_default().to_owned(), 80);
            let connecting = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address));
            Ok(Socket(TokioIo::new(connecting.await??)))
        };
        let connector = BoxCloneSyncService::new(tower::service_fn(connect));
        let client = Client::builder(InOrder)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self {
            client,
            records,
            caller,
        }
    }

    pub(crate) async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut pending = Pending::new(self, &request);
        let request: http::Request<reqwest::Body> = request.try_into()?;
        let response = match self.client.request(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                pending.received = Received::NotSent;
                return Err(TransportError::not_sent(error));
            }
            Err(error) => {
                pending.received = Received::Lost;
                return Err(TransportError::connection_lost(error));
            }
        };
        // The body is read here, so that the record knows whether it arrived.
        let (head, body) = response.into_parts();
        let mut body = reqwest::Response::from(http::Response::new(reqwest::Body::wrap(body)));
        let (mut parts, mut whole) = (Vec::<Result<Bytes, reqwest::Error>>::new(), Vec::new());
        loop {
            match body.chunk().await {
                Ok(None) => break,
                Ok(Some(part)) => {
                    whole.extend_from_slice(&part);
                    parts.push(Ok(part));
                }
                Err(error) => {
                    whole.clear();
                    parts.push(Err(error));
                    break;
                }
            }
        }
        pending.received = Received::Response {
            status: head.status.as_u16(),
            has_retry_after: head.headers.contains_key(RETRY_AFTER),
            is_json: serde_json::from_slice::<serde::de::IgnoredAny>(&whole).is_ok(),
        };
        let body = reqwest::Body::wrap_stream(stream::iter(parts));
        Ok(http::Response::from_parts(head, body).into())
    }
}

impl<'a> Pending<'a> {
    fn new(network: &'a Network, request: &Request) -> Self {
        let records = &network.records;
        let position = records.history.lock().expect("no panic").len();
        let mut requests = records.requests.lock().expect("no panic");
        assert!(requests.len() < MAX_REQUESTS, "requests without end");
        let (url, body) = (request.url(), request.body());
        let body = body.and_then(reqwest::Body::as_bytes).unwrap_or_default();
        requests.push(records::Request {
            position,
            at: records.now(),
            caller: network.caller,
            is_start: request.method() == Method::POST,
            path: format!("{}{}", url.path(), url.query().map_or("", |_| "?")),
            body: String::from_utf8_lossy(body).into_owned(),
            received: None,
        });
        Self {
            records,
            number: requests.len() - 1,
            received: Received::Abandoned,
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let received = (self.records.now(), self.received.clone());
        let mut requests = self.records.requests.lock().expect("no panic");
        requests[self.number].received = Some(received);
    }
}

/// Spawns tasks that a crash drops in their order. The order of tokio's other tasks depends on what
/// other threads do.
#[derive(Clone)]
struct InOrder;

impl<F: Future<Output = ()> + 'static> Executor<F> for InOrder {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(task);
    }
}

/// A connection of the simulated network.
pub(crate) struct Socket(TokioIo<TcpStream>);

impl Connection for Socket {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
