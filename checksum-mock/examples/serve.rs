//! Serves the mock server to another process: prints its base URL, and stops when its input ends.
//!
//! Runs finish as soon as they start, with one failed test, so that a caller that only follows the
//! document's links reaches results and healing. Observed operations are served too. Only the API
//! key `contract-key` is accepted.
//!
//! After a line `invalid` on its input, responses to `run_suite` lack the required name and have a
//! string in place of a boolean: some clients check only one of the two.

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

    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock().lines();
        while let Some(Ok(line)) = input.next()
            && sender.send(line).is_ok()
        {}
    });
    while let Some(line) = lines.recv().await {
        if line == "invalid" {
            let invalid = Fault::respond_with(r#"{"sharded":"no"}"#);
            let invalid = invalid.header("content-type", "application/json");
            mock.fault(invalid.on_operation("run_suite").always());
        }
    }
    Ok(())
}
