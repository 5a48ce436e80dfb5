//! Measures a result of a hundred thousand tests: the body's size, the time to decode it, and how
//! far the process's peak memory grows.
//!
//! ```text
//! cargo run --release -p checksum-tests --example large_result
//! ```

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use checksum_api_ext::Checksum;
use checksum_tests::memory;

const TESTS: usize = 100_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let body = body();
    let bytes = body.len();
    let body = bytes::Bytes::from(body);
    let checksum = Checksum::builder()
        .api_key("any".parse()?)
        .transport(move |_| {
            let response = http::Response::new(reqwest::Body::from(body.clone()));
            async { Ok(response.into()) }
        })
        .build()?;
    let before = memory::highest()?;
    let started = Instant::now();
    let results = checksum.test_run("run-id".parse()?).results().await?;
    let seconds = started.elapsed().as_secs_f64();
    let grown = memory::highest()?.saturating_sub(before);
    let failed = results.failed().count();
    writeln!(
        std::io::stdout(),
        "{} tests, {failed} failed, {bytes} bytes: {seconds:.2} s, {grown} bytes more memory, {:.1} times the body",
        results.tests().len(),
        grown as f64 / bytes as f64,
    )?;
    Ok(())
}

/// Builds the text in one piece, so that this does not take more memory than the decoding.
fn body() -> String {
    let mut body = String::with_capacity(TESTS * 256);
    body += r#"{"id":"run-id","status":"failed","tests":["#;
    for number in 0..TESTS {
        body += if number == 0 { "" } else { "," };
        body += &test(number);
    }
    body += "]}";
    body
}

fn test(number: usize) -> String {
    let (status, error) = match number % 10 {
        0 => ("failed", r#""Timeout waiting for selector #pay-button""#),
        _ => ("passed", "null"),
    };
    format!(
        r#"{{"checksumTestId":"test-{number}","status":"{status}","errorMessage":{error},"healthStatus":"healthy","testTitle":"User can do the thing with the number {number}","testFilePath":"checksum/tests/area-{}/thing.spec.ts","tags":["smoke","checkout"]}}"#,
        number % 100
    )
}
