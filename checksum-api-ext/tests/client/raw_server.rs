//! A server that sends given bytes and closes the connection, for truncated responses.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

pub(crate) struct RawServer {
    pub(crate) origin: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl RawServer {
    /// Sends one of these on each connection, in order, and closes it.
    pub(crate) fn responding<A: Into<Vec<u8>>>(responses: impl IntoIterator<Item = A>) -> Self {
        let responses: Vec<Vec<u8>> = responses.into_iter().map(Into::into).collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let record = requests.clone();
        std::thread::spawn(move || {
            for response in responses {
                let (mut stream, _) = listener.accept().expect("a connection");
                let reader = BufReader::new(stream.try_clone().expect("a handle"));
                let lines = reader.lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                record
                    .lock()
                    .expect("a lock")
                    .push(head.join("\n").to_lowercase());
                stream.write_all(&response).expect("written");
            }
        });
        Self { origin, requests }
    }

    /// The heads of the requests so far, in lower case.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("a lock").clone()
    }
}

/// Returns a response whose head may announce more than the body has.
pub(crate) fn response(head: &str, body: &str) -> String {
    let head = head.replace('\n', "\r\n");
    format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n{body}")
}
