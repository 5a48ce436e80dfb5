//! A server in a process of its own, so that valgrind does not count it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Error;

pub(crate) const STATUS: &str = r#"{"status":"running"}"#;

/// How long the server waits before it responds. It is longer than a client needs to begin to wait, so
/// that the client's work is the same each time.
const LATENCY_MILLISECONDS: &str = "2";

/// The size of an attachment.
const FILE_BYTES: usize = 20_000;

/// The running server. Dropping it ends it.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start() -> Result<Self, Error> {
        Self::of(&["serve", LATENCY_MILLISECONDS, "0"])
    }

    /// Starts this program with other arguments. It prints its port.
    pub(crate) fn of(arguments: &[&str]) -> Result<Self, Error> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut port)?;
        let url = format!("http://127.0.0.1:{}", port.trim());
        Ok(Self { child, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Responds to each request after this time. Port 0 is any free one.
pub(crate) fn serve(latency: Duration, port: u16) -> Result<(), Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    println!("{}", listener.local_addr()?.port());
    for connection in listener.incoming() {
        let connection = connection?;
        std::thread::spawn(move || respond(&connection, latency));
    }
    Ok(())
}

/// Responds to the requests of one connection.
fn respond(mut connection: &TcpStream, latency: Duration) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut path = String::new();
    for line in BufReader::new(connection).lines() {
        let line = line?;
        if let Some(target) = line.strip_prefix("GET ") {
            path = target.replace(" HTTP/1.1", "");
        }
        if line.is_empty() {
            std::thread::sleep(latency);
            let body = body(&path);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n\
                 Date: Mon, 02 Mar 2026 10:00:00 GMT\r\nX-Request-Id: 3f2b8a6e-9c41-4d0e-8f27-5b1c0d9e7a63\r\n\
                 Cache-Control: no-store\r\nContent-Length: {}\r\n\r\n",
                body.len(),
            );
            connection.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
        }
    }
    Ok(())
}

/// Returns the response for a path: a file, the attachments of a test, or the status of a run.
fn body(path: &str) -> String {
    if path.starts_with("/files/") {
        return "x".repeat(FILE_BYTES);
    }
    match path.strip_suffix("/attachments") {
        // The id of the test begins with the number of its files.
        Some(test) => {
            let test = test.rsplit('/').next().unwrap_or_default();
            let files = test.split('-').next().and_then(|files| files.parse().ok());
            let urls: Vec<String> = (0..files.unwrap_or(0))
                .map(|file| format!(r#"{{"url":"/files/{test}/{file}.png"}}"#))
                .collect();
            format!(r#"{{"attachments":[{}]}}"#, urls.join(","))
        }
        None => STATUS.to_owned(),
    }
}
