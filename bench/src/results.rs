//! A large response: the results of many tests, over a socket and without one. Each case sends one
//! request, and prints the seconds until the results are decoded, of the clock and of the processor, the
//! bytes of the body, and by how much the highest resident memory has grown.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Instant;

use checksum_api::{ApiKey, Client};
use serde_json::json;

use crate::decoding::Results;
use crate::server::Server;
use crate::{Error, KEY};

/// Does a case with a run of this many tests. `odd` is a field of each test that has another type than
/// the document's.
pub(crate) async fn run(case: &str, tests: usize, odd: Option<&str>) -> Result<usize, Error> {
    let (place, is_peer) = match case.strip_suffix("-peer") {
        Some(place) => (place, true),
        None => (case, false),
    };
    let server = match place {
        "memory" => None,
        "socket" | "chunked" => {
            let count = tests.to_string();
            let arguments = ["serve-results", place, &count].into_iter().chain(odd);
            Some(Server::of(&arguments.collect::<Vec<_>>())?)
        }
        _ => return Err(format!("no case `{case}`").into()),
    };
    let body = bytes::Bytes::from(match server {
        None => body(tests, odd),
        Some(_) => String::new(),
    });
    let url = server.as_ref().map_or("http://127.0.0.1:1", |it| &it.url);
    let client = Client::builder(ApiKey::new(KEY)?).base_url(url.parse()?);
    // A million tests are more than the default allows.
    let mut client = client.max_response_bytes(1 << 30);
    if server.is_none() {
        let body = body.clone();
        client = client.transport(move |_| {
            std::future::ready(Ok(
                http::Response::new(reqwest::Body::from(body.clone())).into()
            ))
        });
    }
    let client = client.build()?;
    let peer = reqwest::Client::builder().no_proxy().build()?;
    let before = highest_memory()?;
    let (started, used) = (Instant::now(), processor_time()?);
    let found = if is_peer {
        let response = match &server {
            None => http::Response::new(reqwest::Body::from(body)).into(),
            Some(server) => peer.get(&server.url).send().await?.error_for_status()?,
        };
        response.json::<Results>().await?.tests.len()
    } else {
        let results = client.get_test_run_results().id("run-id").execute().await;
        results?.tests.len()
    };
    println!("seconds {}", started.elapsed().as_secs_f64());
    println!("processor {}", processor_time()? - used);
    println!("peak {}", highest_memory()? - before);
    println!("body {}", self::body(tests, odd).len());
    if found != tests {
        return Err(format!("{found} tests in place of {tests}").into());
    }
    Ok(1)
}

/// Returns the results of this many tests, one in ten of which has failed.
fn body(tests: usize, odd: Option<&str>) -> String {
    let mut body = r#"{"id":"run-id","status":"failed","branch":"main","tests":["#.to_owned();
    body.reserve_exact(tests * 256);
    for number in 0..tests {
        let has_failed = number % 10 == 0;
        let mut test = json!({
            "checksumTestId": format!("test-{number}"),
            "status": if has_failed { "failed" } else { "passed" },
            "errorMessage": has_failed.then_some("Timeout waiting for selector #pay-button"),
            "healthStatus": "healthy",
            "testTitle": format!("User can do the thing with the number {number}"),
            "testFilePath": format!("checksum/tests/area-{}/thing.spec.ts", number % 100),
            "tags": ["smoke", "checkout"],
        });
        if let Some(odd) = odd {
            test[odd] = json!({ "value": test[odd] });
        }
        body += if number == 0 { "" } else { "," };
        body += &test.to_string();
    }
    body + "]}"
}

/// Returns the highest resident memory so far, in bytes.
pub(crate) fn highest_memory() -> Result<u64, Error> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kibibytes.ok_or("no VmHWM")?.parse::<u64>()? * 1024)
}

/// Returns the seconds that the one thread has run. Unlike the time of day, it hardly depends on what
/// else the machine does.
pub(crate) fn processor_time() -> Result<f64, Error> {
    let statistics = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds = statistics.split(' ').next().unwrap_or_default();
    Ok(nanoseconds.parse::<f64>()? / 1e9)
}

/// Responds to one request: with the length of the body, or in chunks without it.
pub(crate) fn serve(place: &str, tests: usize, odd: Option<&str>) -> Result<(), Error> {
    let body = body(tests, odd);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    let (mut connection, _) = listener.accept()?;
    for line in BufReader::new(connection.try_clone()?).lines() {
        if line?.is_empty() {
            break;
        }
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    if place == "socket" {
        write!(connection, "{head}Content-Length: {}\r\n\r\n", body.len())?;
        connection.write_all(body.as_bytes())?;
    } else {
        write!(connection, "{head}Transfer-Encoding: chunked\r\n\r\n")?;
        for chunk in body.as_bytes().chunks(32 * 1024) {
            let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
            connection.write_all(&framed)?;
        }
        connection.write_all(b"0\r\n\r\n")?;
    }
    Ok(())
}
