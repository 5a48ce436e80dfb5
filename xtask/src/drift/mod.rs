//! `cargo xtask verify`: reports where the responses of a service differ from the document.
//!
//! Responses contain private data: titles, URLs, error texts, ids. No value of a response is
//! printed, but for values of enumerations that look like a word, and names of fields that look
//! like a name. No rule can recognise a private word that looks like a public one.

mod compare;
mod privacy;
mod report;
mod requests;
mod schema;
#[cfg(test)]
mod tests;

use std::env::{self, VarError};
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use checksum_api::types::{JobName, TestRunId};
use checksum_api::{ApiKey, Client, OperationId, Redactor};
use clap::Args;

use self::report::Report;
use self::requests::Requests;
use self::schema::Schemas;
use crate::document::Document;

const API_KEY_ENV: &str = "CHECKSUM_API_KEY";
const BASE_URL_ENV: &str = "CHECKSUM_API_BASE_URL";

/// A shorter key, such as `any` for a mock server, is not redacted, because that would change other
/// words.
const MIN_SECRET_BYTES: usize = 4;

const AFTER_HELP: &str = "\
Environment variables:
    CHECKSUM_API_KEY       the API key
    CHECKSUM_API_BASE_URL  the URL of the API. Default: the service itself

Exit codes:
    0  no drift in what was read
    1  drift: a response contradicts a documented part
    2  usage or configuration, or the service does not know what an option names
    4  unauthorized: the service does not accept the key (401, 403)
    5  the service or the network failed, so that not all could be read";

#[derive(Args, Debug, Default)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Also read the status of the run with this job name, by both versions of the API
    #[arg(long, value_name = "NAME")]
    job: Option<JobName>,
    /// Read this test run instead of the latest
    #[arg(long, value_name = "ID")]
    test_run: Option<TestRunId>,
}

/// Sends the requests, and prints the report.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let verified = variable(API_KEY_ENV).and_then(|key| {
        let base_url = variable(BASE_URL_ENV)?;
        verify(arguments, key, base_url, &mut io::stdout())
    });
    match verified {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn variable(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        // The text of this error repeats the value.
        Err(VarError::NotUnicode(_)) => bail!("{name} is not valid Unicode"),
    }
}

/// Returns the exit code.
fn verify(
    arguments: Arguments,
    key: Option<String>,
    base_url: Option<String>,
    stdout: &mut impl Write,
) -> Result<u8> {
    let key = key.with_context(|| format!("no API key: set {API_KEY_ENV}"))?;
    // The service may repeat the key, for example as the name of a field.
    let mut secrets = Redactor::new();
    if key.trim().len() >= MIN_SECRET_BYTES {
        secrets.add(key.trim());
    }
    let mut client = Client::builder(ApiKey::new(key).context(API_KEY_ENV)?);
    if let Some(url) = base_url {
        client = client.base_url(url.parse().context(BASE_URL_ENV)?);
    }
    let document = Document::current()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (report, exit_code) = runtime.block_on(read(client.build()?, &document, arguments))?;
    stdout.write_all(secrets.redact(&report.to_string()).as_bytes())?;
    if exit_code == 4 {
        eprintln!("error: the service rejected the API key: check the key and its project");
    }
    Ok(exit_code)
}

/// Reads everything, and returns the report and the exit code.
async fn read(client: Client, document: &Document, arguments: Arguments) -> Result<(Report, u8)> {
    use OperationId::{GetRunStatus, GetRunStatusV2, GetTestRunReport, GetTestRunResults};
    let Arguments { job, test_run } = arguments;
    let mut named: Vec<&[OperationId]> = Vec::new();
    if job.is_some() {
        named.push(&[GetRunStatus, GetRunStatusV2]);
    }
    if test_run.is_some() {
        named.push(&[GetTestRunResults, GetTestRunReport]);
    }
    let mut requests = Requests {
        client,
        schemas: Schemas::of(document)?,
        job,
        test_run,
        test: None,
    };
    let report = requests.send_all().await?;
    let exit_code = report.exit_code(&named);
    Ok((report, exit_code))
}
