//! `cargo xtask verify`: reports where the responses of a service differ from the document.
//!
//! Responses contain what belongs to a customer: titles, URLs, error texts, ids. No value of a
//! response is printed or saved, but for values of enumerations that look like a word, and names of
//! fields that look like a name. No rule can tell a private word that looks like a public one.

mod compare;
mod deviation;
mod document;
mod privacy;
mod recording;
mod report;
mod requests;
#[cfg(test)]
mod tests;

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use checksum_api::types::{JobName, TestRunId};
use checksum_api::{ApiKey, Client, OPENAPI_YAML, OperationId, Redactor};
use clap::{Args, ValueEnum};

use self::deviation::Drift;
use self::document::Document;
use self::recording::Recording;
use self::report::{Report, tally};
use self::requests::Requests;

/// No key is as long as this. A longer file was given by mistake.
const MAX_KEY_BYTES: u64 = 16 * 1024;

/// A shorter key, such as `any` for a mock server, is not redacted: it would tear words apart.
const MIN_SECRET_BYTES: usize = 4;

const EXIT_CODES: &str = "\
Exit codes:
    0  no drift in what was read
    1  drift: a response contradicts a documented part
    2  usage or configuration, or the service does not know what was asked for
    4  unauthorized: the service does not accept the key (401, 403)
    5  the service or the network failed, so that not all could be read
   10  no drift, but the recording could not be written";

#[derive(Args, Debug, Default)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Also read the status of the run with this job name, by both versions of the API
    #[arg(long, value_name = "NAME")]
    job: Option<JobName>,
    /// Read this test run instead of the latest
    #[arg(long, value_name = "ID")]
    test_run: Option<TestRunId>,
    /// Write the shapes of the responses, without their values, to a file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Send nothing, and compare what `--save` wrote
    #[arg(long, value_name = "FILE", conflicts_with_all = ["job", "test_run", "save", "base_url", "api_key_file", "api_key_stdin"])]
    recording: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// The URL of the API. Default: CHECKSUM_API_BASE_URL, or the service itself
    // Parsed later: clap would print a text that it rejects, with the credentials in it.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Read the API key from a file. Default: CHECKSUM_API_KEY
    #[arg(long, value_name = "PATH", conflicts_with = "api_key_stdin")]
    api_key_file: Option<PathBuf>,
    /// Read the API key from standard input
    #[arg(long)]
    api_key_stdin: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    #[default]
    Text,
    Json,
}

/// Sends the requests, or reads a recording, and prints the report.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let outcome = match &arguments.recording {
        Some(path) => replay(path, arguments.output, &mut io::stdout()),
        None => verify(arguments, |name| env::var_os(name), &mut io::stdout()),
    };
    match outcome {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn verify(
    arguments: Arguments,
    variable: impl Fn(&str) -> Option<std::ffi::OsString>,
    stdout: &mut impl Write,
) -> Result<u8> {
    let mut secrets = Redactor::new();
    let client = client(&arguments, variable, &mut secrets)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let Arguments {
        job,
        test_run,
        save,
        output,
        ..
    } = arguments;
    let (report, recording, exit_code) = runtime.block_on(read(&client, job, test_run))?;
    let text = match output {
        Output::Text => report.to_string(),
        Output::Json => format!("{:#}\n", report.to_json(exit_code)),
    };
    stdout.write_all(secrets.redact(&text).as_bytes())?;
    if exit_code == 4 {
        eprintln!("error: the service rejected the API key: check the key and its project");
    }
    let saved = save.map_or(Ok(()), |path| {
        // The names of unknown fields are saved, and the service may put the key into one.
        let text = serde_json::to_string_pretty(&recording)? + "\n";
        write(&path, &secrets.redact(&text)).with_context(|| path.display().to_string())
    });
    Ok(match saved {
        Err(error) => {
            eprintln!("error: cannot write the recording: {error:#}");
            if exit_code == 0 { 10 } else { exit_code }
        }
        Ok(()) => exit_code,
    })
}

/// Reads everything, and returns the report, the recording and the exit code.
async fn read(
    client: &Client,
    job: Option<JobName>,
    test_run: Option<TestRunId>,
) -> Result<(Report, Recording, u8)> {
    let mut asked_for: Vec<&[OperationId]> = Vec::new();
    if job.is_some() {
        asked_for.push(&[OperationId::GetRunStatus, OperationId::GetRunStatusV2]);
    }
    if test_run.is_some() {
        asked_for.push(&[
            OperationId::GetTestRunResults,
            OperationId::GetTestRunReport,
        ]);
    }
    let document = Document::parse(OPENAPI_YAML)?;
    let mut requests = Requests {
        client,
        document: &document,
        job,
        test_run,
        first_test: None,
        report: Report::default(),
        recording: Recording::default(),
    };
    requests.send_all().await?;
    let exit_code = requests.report.exit_code(&asked_for);
    Ok((requests.report, requests.recording, exit_code))
}

/// Compares a recording with the document.
fn replay(path: &Path, output: Output, stdout: &mut impl Write) -> Result<u8> {
    let document = Document::parse(OPENAPI_YAML)?;
    let recording = Recording::load(path).with_context(|| path.display().to_string())?;
    let exchanges = recording.exchanges.iter();
    let drifts: Result<Vec<Vec<Drift>>> = exchanges.map(|e| e.replay(&document)).collect();
    let drifts = drifts?.concat();
    if output == Output::Json {
        writeln!(stdout, "{:#}", serde_json::to_value(&drifts)?)?;
    } else {
        for drift in &drifts {
            writeln!(stdout, "{}  {}: {drift}", drift.sort(), drift.operation)?;
        }
        let count = recording.exchanges.len();
        writeln!(stdout, "{}; responses recorded: {count}", tally(&drifts))?;
    }
    Ok(drifts.iter().any(Drift::is_failure).into())
}

/// Builds a client, and adds its key to the secrets.
fn client(
    arguments: &Arguments,
    variable: impl Fn(&str) -> Option<std::ffi::OsString>,
    secrets: &mut Redactor,
) -> Result<Client> {
    let variable = |name: &str| match variable(name).map(std::ffi::OsString::into_string) {
        Some(Err(_)) => anyhow::bail!("{name} is not valid Unicode"),
        Some(Ok(text)) => Ok(Some(text)),
        None => Ok(None),
    };
    let (from, text) = if let Some(path) = &arguments.api_key_file {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| name.clone())?;
        (name.clone(), read_key(file).context(name)?)
    } else if arguments.api_key_stdin {
        ("standard input".to_owned(), read_key(io::stdin().lock())?)
    } else {
        let name = "CHECKSUM_API_KEY";
        let text = variable(name)?.context("no API key: set CHECKSUM_API_KEY")?;
        (name.to_owned(), text)
    };
    if text.trim().len() >= MIN_SECRET_BYTES {
        secrets.add(text.trim());
    }
    let mut builder = Client::builder(ApiKey::new(text).context(from)?);
    let name = "CHECKSUM_API_BASE_URL";
    let (from, url) = match &arguments.base_url {
        Some(url) => ("--base-url", Some(url.clone())),
        None => (name, variable(name)?.filter(|url| !url.is_empty())),
    };
    if let Some(url) = url {
        builder = builder.base_url(url.parse().context(from)?);
    }
    Ok(builder.build()?)
}

fn read_key(source: impl Read) -> Result<String> {
    let mut text = String::new();
    source.take(MAX_KEY_BYTES + 1).read_to_string(&mut text)?;
    ensure!(
        text.len() as u64 <= MAX_KEY_BYTES,
        "the text is too large for a key"
    );
    Ok(text)
}

/// Writes the whole file, or leaves what was there.
fn write(path: &Path, text: &str) -> Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    fs::write(file.path(), text)?;
    file.persist(path)?;
    Ok(())
}
