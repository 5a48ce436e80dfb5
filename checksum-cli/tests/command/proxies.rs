//! Proxies from the environment: never for loopback, and a clear error for one that cannot be used.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use checksum_mock::RunScript;

use crate::invocation::{checksum, start_mock};
use crate::tls::Authority;

const OF_HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// The first test run of the mock server.
const FIRST_RUN: &str = "00000000-0000-4000-8000-000000000001";

/// Returns a listener in the place of a proxy, and its port.
fn port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

fn is_untouched(listener: &TcpListener) -> bool {
    listener.set_nonblocking(true).expect("a socket");
    matches!(listener.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_proxy_is_used_for_loopback() {
    for host in ["127.0.0.1", "localhost", "LOCALHOST"] {
        for variable in OF_HTTP {
            let mock = start_mock().await;
            mock.next_run(RunScript::new().fail_tests(["test-def-456"]));
            let (proxy, proxy_port) = port();
            let proxy_url = format!("http://127.0.0.1:{proxy_port}");
            let directory = tempfile::tempdir().expect("a directory");
            let base_url = mock.url().replace("127.0.0.1", host);
            // Operations and downloads.
            checksum(&base_url, "run suite --poll-interval 0s")
                .env(variable, &proxy_url)
                .end()
                .exits(1);
            let file = directory.path().join("report.html");
            let report = format!("report {FIRST_RUN} --download");
            let ended = checksum(&base_url, &report)
                .argument(&file)
                .env(variable, &proxy_url)
                .end()
                .exits(0);
            assert!(file.exists(), "{ended:?}");
            assert!(is_untouched(&proxy), "{host} {variable}: {ended:?}");
        }
    }
}

#[test]
fn other_hosts_are_reached_through_the_proxy() {
    let authority = Authority::new("trusted");
    let server = authority.serves("checksum.invalid", |_| {});
    let target = server.port;
    for variable in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        let (listener, proxy_port) = port();
        let proxy = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a connection");
            tunnel(stream, target)
        });
        let file = authority.file();
        checksum("https://checksum.invalid", "me")
            .env("SSL_CERT_FILE", file.to_str().expect("UTF-8"))
            .env(variable, &format!("http://127.0.0.1:{proxy_port}"))
            .end()
            .exits(0);
        let first = proxy.join().expect("a proxy");
        assert_eq!(first, "CONNECT checksum.invalid:443 HTTP/1.1", "{variable}");
    }
}

/// Connects to that port on loopback whatever the request names; returns the request line.
fn tunnel(stream: TcpStream, port: u16) -> String {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let first = lines.next().expect("a request");
    assert!(lines.take_while(|line| !line.is_empty()).count() > 0);
    let server = TcpStream::connect(("127.0.0.1", port)).expect("the server");
    write!(&stream, "HTTP/1.1 200 OK\r\n\r\n").expect("written");
    let (from_client, to_client) = (stream.try_clone().expect("a handle"), stream);
    let (from_server, to_server) = (server.try_clone().expect("a handle"), server);
    thread::spawn(move || std::io::copy(&mut &from_client, &mut &to_server));
    let _ = std::io::copy(&mut &from_server, &mut &to_client);
    first
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_proxy_is_a_configuration_error() {
    let mock = start_mock().await;
    for (variable, value, reason) in [
        (
            "ALL_PROXY",
            "socks5h://me:hunter2@127.0.0.1:1",
            "socks5h proxies are not supported",
        ),
        (
            "all_proxy",
            "socks4://127.0.0.1:1",
            "socks4 proxies are not supported",
        ),
        (
            "HTTPS_PROXY",
            "socks5://127.0.0.1:1",
            "socks5 proxies are not supported",
        ),
        ("https_proxy", "http://", "not the URL of a proxy"),
        (
            "HTTPS_PROXY",
            "http://me:hunter2@no host",
            "not the URL of a proxy",
        ),
    ] {
        for arguments in ["me", "run suite", "wait job"] {
            let ended = checksum("https://checksum.invalid", arguments)
                .env(variable, value)
                .end()
                .exits(2);
            for text in [variable, reason] {
                ended.stderr_has(text);
            }
            ended.stderr_lacks("hunter2");
            assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        }
        for (url, arguments) in [
            (&*mock.url(), "me"),
            ("https://checksum.invalid", "run suite --dry-run"),
        ] {
            checksum(url, arguments).env(variable, value).end().exits(0);
        }
    }
}
