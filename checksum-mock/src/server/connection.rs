//! Accepts connections, limits their number and idle time, and takes one from the HTTP library if a
//! fault says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::clock::Clock;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long a connection may take to send the head of its next request.
    pub(crate) head_timeout: Duration,
    pub(crate) max_connections: usize,
}

/// A time of the clock in which connections are refused. The channel reports that it has begun.
#[derive(Debug)]
pub(crate) struct Outage {
    pub(crate) lasts: Duration,
    pub(crate) begun: oneshot::Sender<()>,
}

/// What happens to a connection in place of a response.
#[derive(Debug)]
pub(crate) enum Takeover {
    Reset,
    /// Writes bytes with a pause before each, and closes the connection.
    Write {
        bytes: Bytes,
        pause: Duration,
        clock: Clock,
    },
}

/// The connection of a request, so that a fault can take it over.
///
/// This crate accepts connections by itself because axum's server does not give access to them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Option<Arc<Socket>>);

impl Connection {
    /// Takes the connection over, which drops the request's future. Without a socket, returns a
    /// response whose body fails.
    pub(crate) async fn take_over(&self, takeover: Takeover) -> Response {
        match &self.0 {
            None => {
                let broken = Err::<Vec<u8>, _>(std::io::ErrorKind::ConnectionReset);
                let broken = broken.map_err(std::io::Error::from);
                Response::new(Body::from_stream(stream::iter([broken])))
            }
            Some(socket) => {
                let _ = socket.takeovers.send(takeover);
                std::future::pending().await
            }
        }
    }
}

#[derive(Debug)]
struct Socket {
    takeovers: mpsc::UnboundedSender<Takeover>,
    close: Notify,
    /// Since when it has had no request; `None` while it has one, and once it is being closed.
    idle_since: Mutex<Option<Instant>>,
}

impl Socket {
    fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Takeover>) {
        let (takeovers, receiver) = mpsc::unbounded_channel();
        let socket = Self {
            takeovers,
            close: Notify::new(),
            idle_since: Mutex::new(Some(Instant::now())),
        };
        (Arc::new(socket), receiver)
    }

    fn idle_since(&self) -> MutexGuard<'_, Option<Instant>> {
        let lock = self.idle_since.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many connections may wait until they are accepted.
const BACKLOG: u32 = 1024;

/// How long to wait for a connection to close before accepting the next one.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(10);

/// Serves until its future is dropped, which drops its connections too.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    limits: Limits,
    mut outages: mpsc::UnboundedReceiver<Outage>,
    clock: Clock,
) {
    let mut connections = Connections::default();
    loop {
        tokio::select! {
            Some(outage) = outages.recv() => {
                connections.close_all().await;
                listener = match refuse(listener, outage, &mut outages, &clock).await {
                    Ok(listener) => listener,
                    Err(error) => return tracing::error!(%error, "cannot serve again"),
                };
            }
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

/// Keeps the port without listening, so that it refuses connections and nobody else gets it, until
/// the latest outage is over.
async fn refuse(
    listener: TcpListener,
    mut outage: Outage,
    outages: &mut mpsc::UnboundedReceiver<Outage>,
    clock: &Clock,
) -> std::io::Result<TcpListener> {
    let address = listener.local_addr()?;
    drop(listener);
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    while !outage.lasts.is_zero() {
        let _ = outage.begun.send(());
        tokio::select! {
            () = clock.sleep(outage.lasts) => return socket.listen(BACKLOG),
            Some(next) = outages.recv() => outage = next,
        }
    }
    let listener = socket.listen(BACKLOG);
    let _ = outage.begun.send(());
    listener
}

#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<Id, Arc<Socket>>,
}

impl Connections {
    fn open(&mut self, stream: TcpStream, router: Router, limits: Limits) {
        let (socket, takeovers) = Socket::new();
        let head_timeout = limits.head_timeout;
        let serving = serve_socket(
            stream,
            socket.clone(),
            takeovers,
            router,
            head_timeout,
            reset,
        );
        let task = self.tasks.spawn(serving);
        self.open.insert(task.id(), socket);
    }

    /// Closes the connection that has been idle for longest, and waits for one to end.
    async fn close_one(&mut self) {
        let sockets = self.open.values();
        let idle = sockets.filter_map(|socket| Some(((*socket.idle_since())?, socket)));
        if let Some((_, socket)) = idle.min_by_key(|(since, _)| *since) {
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

    /// Closes all connections: those that have a request after its response.
    async fn close_all(&mut self) {
        for socket in self.open.values() {
            socket.close.notify_one();
        }
        while self
            .open
            .values()
            .any(|socket| socket.idle_since().is_some())
            && let Some(ended) = self.tasks.join_next_with_id().await
        {
            self.forget(ended);
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.open.remove(&id);
    }
}

/// Serves one connection that is not the listener's. To reset it means to drop it.
pub(crate) async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    head_timeout: Duration,
) {
    let (socket, takeovers) = Socket::new();
    serve_socket(stream, socket, takeovers, router, head_timeout, drop).await;
}

/// Closing with a linger of zero sends a reset.
fn reset(stream: TcpStream) {
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}

async fn serve_socket<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    socket: Arc<Socket>,
    mut takeovers: mpsc::UnboundedReceiver<Takeover>,
    router: Router,
    head_timeout: Duration,
    reset: fn(S),
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
        // Otherwise the order in which connections are taken over would be left to chance.
        biased;
        served = &mut serving => {
            if let Err(error) = served {
                tracing::debug!(%error, "connection failed");
            }
        }
        Some(takeover) = takeovers.recv() => {
            take_over(serving.into_parts().io.into_inner(), takeover, reset).await;
        }
        () = socket.close.notified() => {
            let is_idle = socket.idle_since().is_some();
            tracing::debug!(is_idle, "closing a connection");
            if !is_idle {
                std::pin::Pin::new(&mut serving).graceful_shutdown();
                let _ = serving.await;
            }
        }
    }
}

async fn take_over<S: AsyncWrite + Unpin>(mut stream: S, takeover: Takeover, reset: fn(S)) {
    match takeover {
        Takeover::Reset => reset(stream),
        Takeover::Write {
            bytes,
            pause,
            clock,
        } => {
            let size = if pause.is_zero() { bytes.len() } else { 1 };
            for part in bytes.chunks(size.max(1)) {
                clock.sleep(pause).await;
                // The client may have gone.
                if stream.write_all(part).await.is_err() {
                    break;
                }
            }
        }
    }
}
