//! A server that sends given bytes, to be cut off where a real one would be.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

pub(crate) struct Wire {
    pub(crate) origin: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Wire {
    /// Answers one connection after the other with these, and closes each.
    pub(crate) fn answering<A: Into<Vec<u8>>>(answers: impl IntoIterator<Item = A>) -> Self {
        let answers: Vec<Vec<u8>> = answers.into_iter().map(Into::into).collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let record = requests.clone();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().expect("a connection");
                let reader = BufReader::new(stream.try_clone().expect("a handle"));
                let lines = reader.lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                record
                    .lock()
                    .expect("a lock")
                    .push(head.join("\n").to_lowercase());
                stream.write_all(&answer).expect("written");
            }
        });
        Self { origin, requests }
    }

    /// The heads of the requests so far, in lower case.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("a lock").clone()
    }
}

/// An answer of which the head may promise more than the body has.
pub(crate) fn answer(head: &str, body: &str) -> String {
    let head = head.replace('\n', "\r\n");
    format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n{body}")
}
