//! Connections that cannot be made, and the settings that keep the key safe.

use std::io::{Read, Write};
use std::net::TcpListener;

use checksum_api::{BuildError, ErrorKind};

use crate::{KEY, builder, status_of};

#[tokio::test]
async fn a_refused_connection_is_transient_and_has_no_effect() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = builder(&origin).build().expect("a client");
    let error = status_of(&client).await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_transient() && !error.may_have_taken_effect());
}

#[tokio::test]
async fn tls_failures_have_their_own_kind() {
    // The server speaks no TLS, or this machine has no certificate authorities: one kind of error.
    let plain = || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let origin = format!("https://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            assert!(stream.read(&mut [0; 4096]).expect("a greeting") > 0);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        });
        origin
    };
    let origin = plain();
    let client = builder(&origin).build().expect("a client");
    let of_a_read = status_of(&client).await.expect_err("no TLS");
    let client = builder(&plain()).build().expect("a client");
    let of_a_start = client.run_suite().execute().await.expect_err("no TLS");
    let address = plain().parse().expect("a URL");
    let of_a_file = client.download(&address, http::HeaderMap::new()).await;
    for error in [of_a_read, of_a_start, of_a_file.expect_err("no TLS")] {
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(
            !error.is_transient() && !error.may_have_taken_effect(),
            "{error}"
        );
        assert!(error.message().contains("https://127.0.0.1:"), "{error}");
        assert!(std::error::Error::source(&error).is_some(), "{error}");
    }
}

#[test]
fn the_key_does_not_cross_a_network_in_the_clear() {
    let error = builder("http://api.example")
        .build()
        .expect_err("plain http");
    assert!(matches!(error, BuildError::PlainHttp(_)));
    builder("http://api.example")
        .allow_plain_http()
        .build()
        .expect("allowed explicitly");
}

#[test]
fn debug_does_not_print_the_key() {
    let client = builder("https://api.example").build().expect("a client");
    assert!(!format!("{client:?}").contains(KEY));
}
