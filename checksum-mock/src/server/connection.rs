//! Accepts connections, limits their number and idle time, and resets one if a fault says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures_util::stream;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tower::ServiceExt;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long a connection may take to send the head of its next request.
    pub(crate) head_timeout: Duration,
    pub(crate) max_connections: usize,
}

/// The connection of a request, so that a fault can reset it.
///
/// This crate accepts connections by itself because axum's server does not give access to them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Option<Arc<Socket>>);

impl Connection {
    /// Resets the connection, which drops the request's future. Without a socket, returns a response
    /// whose body fails.
    pub(crate) async fn reset(&self) -> Response {
        match &self.0 {
            None => {
                let broken = Err::<Vec<u8>, _>(std::io::ErrorKind::ConnectionReset);
                let broken = broken.map_err(std::io::Error::from);
                Response::new(Body::from_stream(stream::iter([broken])))
            }
            Some(socket) => {
                socket.reset.notify_one();
                std::future::pending().await
            }
        }
    }
}

#[derive(Debug)]
struct Socket {
    reset: Notify,
    close: Notify,
    /// Since when it has had no request; `None` while it has one, and once it is being closed.
    idle_since: Mutex<Option<Instant>>,
}

impl Socket {
    fn new() -> Self {
        Self {
            reset: Notify::new(),
            close: Notify::new(),
            idle_since: Mutex::new(Some(Instant::now())),
        }
    }

    fn idle_since(&self) -> MutexGuard<'_, Option<Instant>> {
        let lock = self.idle_since.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait for a connection to close before accepting the next one.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(10);

/// Serves until its future is dropped, which drops its connections too.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: Limits) {
    let mut connections = Connections::default();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    while connections.open.len() >= limits.max_connections.max(1) {
                        connections.close_one().await;
                    }
                    // Responses are small and whole: waiting to fill a packet only delays them.
                    let _ = stream.set_nodelay(true);
                    connections.open(stream, router.clone(), limits);
                }
                // For example too many open files: close a connection and try again.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    connections.close_one().await;
                }
            },
            Some(ended) = connections.tasks.join_next_with_id() => connections.forget(ended),
        }
    }
}

#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<Id, Arc<Socket>>,
}

impl Connections {
    fn open(&mut self, stream: TcpStream, router: Router, limits: Limits) {
        let socket = Arc::new(Socket::new());
        let serving = serve_connection(stream, socket.clone(), router, limits.head_timeout);
        let task = self.tasks.spawn(serving);
        self.open.insert(task.id(), socket);
    }

    /// Closes the connection that has been idle for longest, and waits for one to end.
    async fn close_one(&mut self) {
        let sockets = self.open.values();
        let idle = sockets.filter_map(|socket| Some(((*socket.idle_since())?, socket)));
        if let Some((_, socket)) = idle.min_by_key(|(since, _)| *since) {
            *socket.idle_since() = None;
            socket.close.notify_one();
        }
        let ended = self.tasks.join_next_with_id();
        match tokio::time::timeout(CLOSE_TIMEOUT, ended).await {
            Ok(Some(ended)) => self.forget(ended),
            // There is no connection to wait for.
            Ok(None) => tokio::time::sleep(CLOSE_TIMEOUT).await,
            Err(_) => {}
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.open.remove(&id);
    }
}

async fn serve_connection(
    stream: TcpStream,
    socket: Arc<Socket>,
    router: Router,
    head_timeout: Duration,
) {
    let service = service_fn(|mut request: http::Request<hyper::body::Incoming>| {
        let connection = Connection(Some(socket.clone()));
        request.extensions_mut().insert(connection);
        let response = router.clone().oneshot(request.map(Body::new));
        let socket = &socket;
        async move {
            *socket.idle_since() = None;
            let response = response.await;
            *socket.idle_since() = Some(Instant::now());
            response
        }
    });
    let mut serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        served = &mut serving => {
            if let Err(error) = served {
                tracing::debug!(%error, "connection failed");
            }
        }
        () = socket.reset.notified() => {
            // Closing with a linger of zero sends a reset.
            let stream = serving.into_parts().io.into_inner();
            let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        }
        () = socket.close.notified() => {
            tracing::debug!("closed an idle connection: too many are open");
        }
    }
}
