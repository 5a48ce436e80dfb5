//! Requests over plain http to this machine: by the program's own client, and by ours.

use std::io::{Read, Write};
use std::net::TcpListener;

use checksum_api_ext::{Checksum, Error};

/// Serves a project to every request, and gives the server's origin.
pub fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a request");
                head.push(byte[0]);
            }
            let body = r#"{"id": "a", "name": "My Project"}"#;
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}");
            write!(stream, "{head}\r\n\r\n{body}").expect("written");
        }
    });
    origin
}

/// Makes a client as any program does, and a request by it.
pub async fn by_own_client(origin: &str) {
    let client = reqwest::Client::new();
    let response = client.get(origin).send().await.expect("a response");
    assert_eq!(response.status(), 200);
}

/// Makes one of our clients.
pub fn checksum(base_url: &str) -> Result<Checksum, Error> {
    Checksum::builder()
        .api_key("key".parse().expect("a key"))
        .base_url(base_url.parse().expect("a URL"))
        .build()
}

/// Makes one of our clients, and a request by it.
pub async fn by_ours(origin: &str) {
    let checksum = checksum(origin).expect("a client");
    let project = checksum.project().await.expect("a project");
    assert_eq!(project.name, "My Project");
}
