//! `checksum mock`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::invocation::{checksum, for_programs};

#[test]
fn mock_server_runs_in_another_process() {
    for (end, code) in [
        ("passed", 0),
        ("healed", 0),
        ("failed", 1),
        ("process-error", 6),
        ("cancelled", 9),
    ] {
        let arguments = format!("mock --port 0 --end-state {end} --output json");
        let mut server = checksum("", &arguments).spawn();
        let mut line = String::new();
        let stdout = server.stdout.take().expect("standard output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let serving = for_programs(&line);
        assert_eq!(serving["type"], "mock");
        let url = serving["url"].as_str().expect("an address");
        let ended = checksum(url, "run suite --poll-interval 0s").end();
        server.kill().expect("killed");
        server.wait().expect("gone");
        ended.exits(code);
    }
}

/// If it runs out of file descriptors, it closes slow connections.
#[cfg(unix)]
#[test]
fn mock_server_survives_slow_connections() {
    let mut server = checksum("", "mock --port 0")
        .by_shell("ulimit -n 64")
        .spawn();
    let mut url = String::new();
    let stdout = server.stdout.take().expect("standard output");
    BufReader::new(stdout).read_line(&mut url).expect("a line");
    let address = url.trim().strip_prefix("http://").expect("an address");
    let address = address.strip_suffix("/public-api").expect("an address");
    let address = address.parse().expect("an address");
    let connect = |_| {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.write_all(b"GET /public-api/v1/me HTTP/1.1\r\n")?;
        Ok(stream)
    };
    let slow: std::io::Result<Vec<TcpStream>> = (0..200).map(connect).collect();
    let ended = slow.as_ref().map(|_| checksum(url.trim(), "me").end());
    server.kill().expect("killed");
    server.wait().expect("gone");
    ended.expect("connections").exits(0);
}
