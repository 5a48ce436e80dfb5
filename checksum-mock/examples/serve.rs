//! Serves the stand-in to another process: prints its base URL, and ends when its input does.
//!
//! Runs have ended as soon as they are started, and one of their tests has failed, so that a
//! caller who only follows the document's links gets to results and to healing. Every operation of
//! the document is served, the observed ones too. Only the key `contract-key` is accepted.
//!
//! A line `lie` on the input makes every later response to `run_suite` lack the name that the
//! document requires, and have text where it wants a boolean: some clients check only one of them.

use std::error::Error;
use std::io::{BufRead, Write};

use checksum_mock::{Fault, Mock, RunScript};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let run = RunScript::new().queued(0).running(0);
    let mock = Mock::builder()
        .api_key("contract-key")
        .default_run(run.fail_tests(["test-def-456"]))
        .max_recorded_requests(0)
        .observed()
        .start()
        .await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", mock.url())?;
    stdout.flush()?;

    let (lines, mut told) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock().lines();
        while let Some(Ok(line)) = input.next()
            && lines.send(line).is_ok()
        {}
    });
    while let Some(line) = told.recv().await {
        if line == "lie" {
            let nameless = Fault::respond_with(r#"{"sharded":"no"}"#);
            let nameless = nameless.header("content-type", "application/json");
            mock.fault(nameless.on_operation("run_suite").always());
        }
    }
    Ok(())
}
