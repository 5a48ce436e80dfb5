//! A server in a process of its own, so that valgrind does not count it. It knows two responses.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Error;

pub(crate) const STATUS: &str = r#"{"status":"running"}"#;

/// How long the server waits before it responds. It is longer than a client needs to begin to wait, so
/// that the client's work is the same each time.
const LATENCY: Duration = Duration::from_millis(2);

/// The running server. Dropping it ends it.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start() -> Result<Self, Error> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
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

/// Responds to the requests of one connection.
pub(crate) fn serve() -> Result<(), Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n\
         Date: Mon, 02 Mar 2026 10:00:00 GMT\r\nX-Request-Id: 3f2b8a6e-9c41-4d0e-8f27-5b1c0d9e7a63\r\n\
         Cache-Control: no-store\r\nContent-Length: {}\r\n\r\n{STATUS}",
        STATUS.len(),
    );
    let (mut connection, _) = listener.accept()?;
    connection.set_nodelay(true)?;
    let lines = BufReader::new(connection.try_clone()?).lines();
    for line in lines {
        if line?.is_empty() {
            std::thread::sleep(LATENCY);
            connection.write_all(response.as_bytes())?;
        }
    }
    Ok(())
}

/// Returns the results of this many tests, one in ten of which has failed.
pub(crate) fn results(tests: usize) -> String {
    let mut body = r#"{"id":"run-id","status":"failed","branch":"main","passed":1,"failed":1,"recovered":0,"bug":0,"tests":["#.to_owned();
    for number in 0..tests {
        let (status, error) = match number % 10 {
            0 => ("failed", r#""Timeout waiting for selector #pay-button""#),
            _ => ("passed", "null"),
        };
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"checksumTestId":"test-{number}","status":"{status}","errorMessage":{error},"healthStatus":"healthy","testTitle":"User can do the thing with the number {number}","testFilePath":"checksum/tests/area-{}/thing.spec.ts","tags":["smoke","checkout"]}}"#,
            number % 100
        );
    }
    body + "]}"
}
