//! Connections: resets, time-outs, and their limit. Only these tests use a socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use checksum_mock::{Clock, Fault, Mock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

const SUITE: &str = "POST /public-api/v1/execution/suite HTTP/1.1\r\nhost: x\r\n\
    authorization: Bearer key\r\ncontent-length: 0\r\n\r\n";
const PROJECT: &str = "GET /public-api/v1/me HTTP/1.1\r\nhost: x\r\n\
    authorization: Bearer key\r\n\r\n";
const LAST: &str = "GET /public-api/v1/execution/status/job-name-12345 HTTP/1.1\r\nhost: x\r\n\
    authorization: Bearer key\r\nconnection: close\r\n\r\n";

fn address(mock: &Mock) -> SocketAddr {
    let url = mock.url();
    let address = url.trim_start_matches("http://");
    address.trim_end_matches("/public-api").parse().unwrap()
}

/// Sends requests on one connection, and reads until it closes.
async fn exchange(mock: &Mock, requests: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address(mock)).await?;
    stream.write_all(requests.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response)
}

#[tokio::test]
async fn it_serves_only_on_the_loopback_interface() {
    let mock = Mock::start().await.unwrap();
    assert!(address(&mock).ip().is_loopback());
    let response = exchange(&mock, LAST).await.unwrap();
    assert!(
        response.starts_with("HTTP/1.1 404 Not Found\r\n"),
        "{response}"
    );
}

#[tokio::test]
async fn a_connection_serves_several_requests() {
    let mock = Mock::start().await.unwrap();
    let response = exchange(&mock, &format!("{SUITE}{LAST}")).await.unwrap();
    assert_eq!(response.matches("HTTP/1.1 200 OK").count(), 2, "{response}");
}

#[tokio::test]
async fn a_stream_of_another_listener_is_served_until_a_fault_takes_it_over() {
    let mock = Mock::builder().without_socket();
    mock.fault(Fault::reset_after_handling().after(1));
    let (mut client, stream) = tokio::io::duplex(4096);
    let requests = format!("{SUITE}{SUITE}");
    client.write_all(requests.as_bytes()).await.unwrap();
    mock.serve_connection(stream).await;
    let mut response = String::new();
    client.read_to_string(&mut response).await.unwrap();
    assert_eq!(response.matches("HTTP/1.1 200 OK").count(), 1, "{response}");
    assert_eq!(mock.request_count(), 2);
}

#[tokio::test]
async fn an_unavailable_port_is_an_error() {
    let mock = Mock::start().await.unwrap();
    let port = address(&mock).port();
    let error = Mock::builder().port(port).start().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot serve on 127.0.0.1:{port}")
    );
}

#[tokio::test]
async fn a_reset_closes_the_connection_before_or_after_the_effect() {
    for (fault, status) in [
        (Fault::reset_before_handling(), "404"),
        (Fault::reset_after_handling(), "200"),
    ] {
        let mock = Mock::start().await.unwrap();
        mock.fault(fault);
        let error = exchange(&mock, SUITE).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let response = exchange(&mock, LAST).await.unwrap();
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}")),
            "{response}"
        );
    }
}

#[tokio::test]
async fn a_reset_needs_no_body_of_the_request() {
    let mock = Mock::start().await.unwrap();
    mock.fault(Fault::reset_before_reading());
    let begun = SUITE.replace("content-length: 0", "content-length: 10");
    let error = exchange(&mock, &begun).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn raw_bytes_are_sent_as_they_are_and_end_the_connection() {
    let mock = Mock::start().await.unwrap();
    let raw = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\ncontent-length: 7\r\n\r\n{}";
    mock.fault(Fault::raw(raw).and_handle());
    let paused = Fault::slow_raw(raw, Duration::from_millis(1)).probability(1.0, 7);
    mock.fault(paused);
    assert_eq!(exchange(&mock, SUITE).await.unwrap(), raw);
    assert_eq!(exchange(&mock, SUITE).await.unwrap(), raw);
    let response = exchange(&mock, LAST).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "it took effect");
}

#[tokio::test]
async fn a_body_is_cut_where_the_fault_says_and_how() {
    let whole = r#"{"name":"job-name-12345"}"#;
    let mock = Mock::start().await.unwrap();
    mock.fault(Fault::truncated().at_byte(3));
    let response = exchange(&mock, SUITE).await.unwrap();
    assert!(response.ends_with(&format!("\r\n\r\n{}", &whole[..3])));
    mock.fault(Fault::reset_in_body().at_byte(10));
    let mut stream = begin(&mock, SUITE).await;
    let mut read = Vec::new();
    let error = stream.read_to_end(&mut read).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

/// The clock stands still, so that only the second call ends the first.
#[tokio::test]
async fn connections_are_refused_for_a_time() {
    let builder = Mock::builder().clock(Clock::manual());
    let mock = builder.start().await.unwrap();
    let mut idle = begin(&mock, "").await;
    exchange(&mock, LAST).await.unwrap();
    for _ in 0..2 {
        mock.refuse_connections(Duration::from_secs(1)).await;
        assert_eq!(idle.read(&mut [0]).await.unwrap(), 0, "it was closed");
        let error = exchange(&mock, LAST).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
    mock.refuse_connections(Duration::ZERO).await;
    exchange(&mock, LAST).await.unwrap();
    assert_eq!(mock.request_count(), 2);
}

#[tokio::test]
async fn a_reset_leaves_other_connections_alone() {
    let mock = Mock::start().await.unwrap();
    let mut other = TcpStream::connect(address(&mock)).await.unwrap();
    let (begin, rest) = LAST.split_at(10);
    other.write_all(begin.as_bytes()).await.unwrap();
    mock.fault(Fault::reset_before_handling());
    exchange(&mock, SUITE).await.unwrap_err();
    other.write_all(rest.as_bytes()).await.unwrap();
    let mut response = String::new();
    other.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 404"), "{response}");
}

#[tokio::test]
async fn a_truncated_response_has_half_of_its_body() {
    let mock = Mock::start().await.unwrap();
    mock.fault(Fault::truncated());
    let response = exchange(&mock, SUITE).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let whole = r#"{"name":"job-name-12345"}"#;
    let length = format!("content-length: {}", whole.len());
    assert!(head.contains(&length), "{head}");
    assert_eq!(body, &whole[..whole.len() / 2]);
}

#[tokio::test]
async fn dropping_the_mock_closes_its_port_and_connections() {
    let mock = Mock::start().await.unwrap();
    let address = address(&mock);
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(&SUITE.as_bytes()[..10]).await.unwrap();
    drop(mock);
    // The server's task is dropped, which closes the connection or resets it.
    let _ = open.read_to_end(&mut Vec::new()).await;
    assert!(TcpStream::connect(address).await.is_err());
}

/// Opens a connection and sends a part of a request.
async fn begin(mock: &Mock, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address(mock)).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Reads one response of the route of the project.
async fn read_project(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"}") {
        let mut buffer = [0; 1024];
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(length > 0, "the connection was closed");
        assert!(read.len() < 64 * 1024, "the response does not end");
        read.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_complete_head_is_closed_in_time() {
    let mock = Mock::start().await.unwrap();
    for sent in ["", &LAST[..10], &SUITE[..SUITE.len() - 2], PROJECT] {
        let started = Instant::now();
        let mut stream = begin(&mock, sent).await;
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        assert!(started.elapsed() >= Duration::from_secs(30), "{sent:?}");
        assert!(started.elapsed() < Duration::from_secs(31), "{sent:?}");
        assert_eq!(response.starts_with("HTTP/1.1 200"), sent == PROJECT);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_body_does_not_arrive_gets_408_in_time() {
    let builder = Mock::builder().request_timeout(Duration::from_secs(2));
    let mock = builder.start().await.unwrap();
    let started = Instant::now();
    let request = SUITE.replace("content-length: 0", "content-length: 10") + "12345";
    let response = exchange(&mock, &request).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 408"), "{response}");
    assert_eq!(started.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn too_many_connections_close_the_one_that_was_idle_longest() {
    let builder = Mock::builder().max_connections(3);
    let mock = builder.start().await.unwrap();
    let mut slow = Vec::new();
    for _ in 0..20 {
        // A request after each makes sure that the connection before it was accepted.
        slow.push(begin(&mock, &SUITE[..10]).await);
        let response = exchange(&mock, LAST).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 404"), "{response}");
    }
    for stream in &mut slow[..17] {
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "it was closed");
    }
    slow[19].write_all(&LAST.as_bytes()[10..]).await.unwrap();
}

#[tokio::test]
async fn a_connection_with_a_request_is_not_closed_for_another() {
    let builder = Mock::builder().max_connections(1).clock(Clock::manual());
    let mock = builder.start().await.unwrap();
    mock.fault(Fault::delay(Duration::from_secs(60)));
    let mut first = begin(&mock, PROJECT).await;
    for _ in 0..1_000_000 {
        if mock.request_count() > 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(mock.request_count(), 1);
    let mut second = begin(&mock, PROJECT).await;
    mock.clock().advance(Duration::from_secs(60));
    assert!(read_project(&mut first).await.starts_with("HTTP/1.1 200"));
    assert!(read_project(&mut second).await.starts_with("HTTP/1.1 200"));
}
