//! How many requests a second a mock server responds to, and how much processor time it takes for each:
//! `servers mock` or `servers wiremock`. The server has one thread, and 16 connections ask for the status
//! of a run as soon as they have the last response.

#![expect(clippy::print_stdout, reason = "a program for a benchmark")]

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use checksum_mock::{Mock, RunScript};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use wiremock::ResponseTemplate;
use wiremock::matchers::{method, path};

type Error = Box<dyn std::error::Error + Send + Sync>;

const CONNECTIONS: usize = 16;
const SECONDS: u64 = 2;
const STATUS: &str = "/public-api/v1/execution/status/job-name-12345";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let address = match std::env::args().nth(1).as_deref() {
        Some("mock") => mock()?,
        Some("wiremock") => wiremock().await,
        _ => return Err("usage: servers mock|wiremock".into()),
    };
    let before = nanoseconds_of_server()?;
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        clients.spawn(send(address, until));
    }
    let mut requests = 0;
    while let Some(sent) = clients.join_next().await {
        requests += sent??;
    }
    let spent = nanoseconds_of_server()? - before;
    println!("per-second {}", requests / SECONDS);
    println!("microseconds {}", spent as f64 / 1e3 / requests as f64);
    Ok(())
}

/// Returns the processor time of all threads but this one.
fn nanoseconds_of_server() -> Result<u64, Error> {
    let mut sum = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let thread = thread?;
        if *thread.file_name() != *std::process::id().to_string() {
            let spent = std::fs::read_to_string(thread.path().join("schedstat"))?;
            sum += spent.split(' ').next().ok_or("no time")?.parse::<u64>()?;
        }
    }
    Ok(sum)
}

/// Serves one run, in a thread of its own, as wiremock does.
fn mock() -> Result<SocketAddr, Error> {
    let (address, has_started) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let run = RunScript::new().running(Duration::from_secs(600));
            let mock = Mock::builder().default_run(run).start().await?;
            let url = mock.url();
            let (_, rest) = url.split_once("//").ok_or("a URL")?;
            let socket: SocketAddr = rest.split('/').next().ok_or("an address")?.parse()?;
            let suite = "POST /public-api/v1/execution/suite";
            exchange(&mut TcpStream::connect(socket).await?, suite).await?;
            address.send(socket)?;
            std::future::pending::<Result<(), Error>>().await
        })
    });
    Ok(has_started.recv()?)
}

async fn wiremock() -> SocketAddr {
    let server = wiremock::MockServer::start().await;
    let status =
        ResponseTemplate::new(200).set_body_raw(r#"{"status":"running"}"#, "application/json");
    let mock = wiremock::Mock::given(method("GET")).and(path(STATUS));
    mock.respond_with(status).mount(&server).await;
    let address = *server.address();
    // It stops when it is dropped.
    std::mem::forget(server);
    address
}

/// Sends requests until then, and returns how many.
async fn send(address: SocketAddr, until: Instant) -> Result<u64, Error> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut requests = 0;
    while Instant::now() < until {
        exchange(&mut stream, &format!("GET {STATUS}")).await?;
        requests += 1;
    }
    Ok(requests)
}

/// Sends a request, and reads the response, whose body is a JSON object without another in it.
async fn exchange(stream: &mut TcpStream, request: &str) -> Result<(), Error> {
    let head = "HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer key\r\n\r\n";
    stream
        .write_all(format!("{request} {head}").as_bytes())
        .await?;
    let mut response = Vec::with_capacity(512);
    while !response.ends_with(b"}") {
        if stream.read_buf(&mut response).await? == 0 {
            return Err("the server has closed the connection".into());
        }
    }
    match response.starts_with(b"HTTP/1.1 200 ") {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&response).into()),
    }
}
