use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures_util::stream;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tower::ServiceExt;

/// The connection that a request came on, which a fault may reset.
///
/// axum's own server hides it, which is why this crate has a loop of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Option<Arc<Notify>>);

impl Connection {
    /// Resets the connection; the request's future ends with it. Where there is no socket, an
    /// answer that breaks off comes closest.
    pub(crate) async fn reset(&self) -> Response {
        match &self.0 {
            None => {
                let broken = Err::<Vec<u8>, _>(std::io::ErrorKind::ConnectionReset);
                let broken = broken.map_err(std::io::Error::from);
                Response::new(Body::from_stream(stream::iter([broken])))
            }
            Some(reset) => {
                reset.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// Long enough for a connection to end meanwhile.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// Serves until it is dropped, and its connections with it.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Answers are small and whole: waiting to fill a packet only delays them.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(serve_connection(stream, router.clone()));
                }
                // Too many open files, say: serve those that are there, and try again.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, router: Router) {
    let reset = Arc::new(Notify::new());
    let connection = Connection(Some(reset.clone()));
    let service = router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(connection.clone());
        request.map(Body::new)
    });
    let service = TowerToHyperService::new(service);
    let mut serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        served = &mut serving => {
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended badly");
            }
        }
        () = reset.notified() => {
            // Closing with a linger of zero sends a reset in place of an orderly end.
            let stream = serving.into_parts().io.into_inner();
            let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        }
    }
}
