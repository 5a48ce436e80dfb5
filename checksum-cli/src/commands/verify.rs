use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use checksum_api::{
    Answer, ByteStream, Client, DOCUMENT, Error, ErrorKind, GeneratedError, ResponseValue,
};
use checksum_api_ext::PollPolicy;
use checksum_api_ext::types::{TestId, TestRunId};
use checksum_contract::{Document, Drift, Exchange, Recording, compare};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arguments::Verify;
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::{CHECK_THE_KEY, Failure, of_request};
use crate::message::{DriftReport, Message, Read, ReadOutcome};
use crate::output::{Output, tell};
use crate::redaction::redact;

/// How many bugs are looked at.
const BUGS: u64 = 20;

/// Where the latest test run's id may be: the description does not say.
const RUN_ID_PLACES: [&str; 6] = ["/id", "/testRunId", "/runId", "/testRun/id", "/run/id", ""];

pub(super) async fn execute(arguments: Verify, output: &mut Output) -> Result<ExitCode, Failure> {
    let checksum = credentials::client(&arguments.connection, PollPolicy::default())?;
    let document = Document::parse(DOCUMENT)?;
    let mut verification = Verification {
        client: checksum.api(),
        document: &document,
        report: DriftReport::default(),
        recording: Recording::default(),
        failure: None,
        unknown: Vec::new(),
        output,
    };
    verification.read_all(&arguments).await;
    let mut exit_code = verification.exit_code(&arguments);
    let (mut report, recording) = (verification.report, verification.recording);
    if let Some(path) = &arguments.save
        && let Err(error) = save(&recording, path)
    {
        tell(&format!("error: cannot write the recording: {error}"));
        if exit_code == ExitCode::Pass {
            exit_code = ExitCode::PassedButIncomplete;
        }
    }
    report.ends_with(exit_code);
    output.result(&report, &Message::Contract(&report));
    if exit_code == ExitCode::Refused {
        tell("error: the service refused");
        tell(CHECK_THE_KEY);
    }
    Ok(exit_code)
}

struct Verification<'a> {
    client: &'a Client,
    document: &'a Document,
    report: DriftReport,
    recording: Recording,
    /// What the first read that failed ends the command with.
    failure: Option<ExitCode>,
    /// The operations that the service answered with 404.
    unknown: Vec<&'static str>,
    output: &'a mut Output,
}

impl Verification<'_> {
    async fn read_all(&mut self, arguments: &Verify) {
        self.read("get_project", async |client: &Client| {
            client.get_project().execute().await
        })
        .await;
        let test_run = match &arguments.test_run {
            Some(id) => {
                self.skip("get_latest_test_run", "--test-run names one");
                Some(id.clone())
            }
            None => {
                let latest = self.read("get_latest_test_run", async |client: &Client| {
                    client.get_latest_test_run().execute().await
                });
                latest.await.as_ref().and_then(run_id)
            }
        };
        self.read_test_run(test_run.as_ref()).await;
        self.read("list_bugs", async |client: &Client| {
            client.list_bugs().limit(BUGS).execute().await
        })
        .await;
        let Some(job) = &arguments.job else {
            self.skip("get_run_status", "no --job was given");
            self.skip("get_run_status_v2", "no --job was given");
            return;
        };
        self.read("get_run_status", async |client: &Client| {
            client.get_run_status().job_name(job).execute().await
        })
        .await;
        self.read("get_run_status_v2", async |client: &Client| {
            client.get_run_status_v2().job_name(job).execute().await
        })
        .await;
    }

    async fn read_test_run(&mut self, id: Option<&TestRunId>) {
        let Some(id) = id else {
            for operation in ["get_test_run_results", "get_test_run_report"] {
                self.skip(operation, "no test run's id is known");
            }
            self.skip("get_test_attachments", "no test run's id is known");
            return;
        };
        let results = self.read("get_test_run_results", async |client: &Client| {
            client.get_test_run_results().id(id).execute().await
        });
        let first_test = results.await.as_ref().and_then(first_test);
        self.read("get_test_run_report", async |client: &Client| {
            client.get_test_run_report().id(id).execute().await
        })
        .await;
        let Some(test) = &first_test else {
            self.skip("get_test_attachments", "no test's id is known");
            return;
        };
        self.read("get_test_attachments", |client| async move {
            let request = client.get_test_attachments().run_id(id).test_id(test);
            request.send().await
        })
        .await;
    }

    /// Makes one request, compares what comes back, and gives it where it is JSON. Of what the
    /// service says in errors nothing is kept: it may repeat what is private.
    async fn read<T, Sending>(
        &mut self,
        operation: &'static str,
        send: impl FnOnce(Client) -> Sending,
    ) -> Option<Value>
    where
        T: DeserializeOwned,
        Sending: Future<Output = Result<ResponseValue<T>, GeneratedError<ByteStream>>>,
    {
        if self.is_refused() {
            self.skip(operation, "the service had refused before");
            return None;
        }
        let Some(described) = self.document.operation(operation) else {
            self.skip(operation, "the document does not have it");
            return None;
        };
        let seen = Arc::new(Mutex::new(None));
        let tap = {
            let seen = seen.clone();
            move |answer: &Answer| {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.clone());
            }
        };
        let send = |client: Client| send(client.with_tap(tap));
        let error = self.client.call(send).await.err();
        let answer: Option<Answer> = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let json: Option<Value> = answer
            .as_ref()
            .and_then(|answer| serde_json::from_slice(&answer.body).ok());
        if let Some(answer) = &answer {
            let content_type = answer.headers.get("content-type");
            self.recording.push(Exchange::new(
                self.document,
                described,
                answer.status.as_u16(),
                content_type.and_then(|value| value.to_str().ok()),
                json.as_ref(),
            ));
        }
        let (outcome, reason) = match &error {
            None => (ReadOutcome::Compared, None),
            Some(error) => match error.kind() {
                ErrorKind::NotJson | ErrorKind::UnexpectedShape => (ReadOutcome::Compared, None),
                ErrorKind::Unauthorized | ErrorKind::Forbidden => {
                    (ReadOutcome::Refused, Some(reason(error)))
                }
                ErrorKind::NotFound => {
                    self.unknown.push(operation);
                    let reason = "the service does not know it (404)";
                    (ReadOutcome::Skipped, Some(reason.to_owned()))
                }
                _ => {
                    self.failure.get_or_insert(of_request(error));
                    (ReadOutcome::Failed, Some(reason(error)))
                }
            },
        };
        let mut drifts = Vec::new();
        if outcome == ReadOutcome::Compared {
            match &json {
                None => drifts.push(Drift::not_json(described)),
                Some(json) => drifts = compare(self.document, described, json),
            }
            let is_undecodable = |error: &Error| error.kind() == ErrorKind::UnexpectedShape;
            if error.as_ref().is_some_and(is_undecodable) {
                drifts.push(Drift::undecodable(described));
            }
        }
        self.push(operation, outcome, reason, drifts);
        json.filter(|_| outcome == ReadOutcome::Compared)
    }

    fn skip(&mut self, operation: &'static str, reason: &str) {
        let reason = Some(reason.to_owned());
        self.push(operation, ReadOutcome::Skipped, reason, Vec::new());
    }

    fn push(
        &mut self,
        operation: &'static str,
        outcome: ReadOutcome,
        reason: Option<String>,
        drifts: Vec<Drift>,
    ) {
        let read = Read {
            operation,
            outcome,
            reason,
        };
        self.output.event(&Message::Read(&read));
        for drift in &drifts {
            self.output.event(&match drift.is_failure() {
                true => Message::Drift(drift),
                false => Message::Note(drift),
            });
        }
        self.report.push(read, drifts);
    }

    fn is_refused(&self) -> bool {
        self.has(ReadOutcome::Refused)
    }

    fn has(&self, outcome: ReadOutcome) -> bool {
        let mut reads = self.report.reads().iter();
        reads.any(|read| read.outcome == outcome)
    }

    fn exit_code(&self, arguments: &Verify) -> ExitCode {
        let are_unknown =
            |operations: [&str; 2]| operations.iter().all(|o| self.unknown.contains(o));
        // A 404 is a matter of what there is, unless it was asked for by name, or is all there is.
        let named_unknown = (arguments.job.is_some()
            && are_unknown(["get_run_status", "get_run_status_v2"]))
            || (arguments.test_run.is_some()
                && are_unknown(["get_test_run_results", "get_test_run_report"]));
        if self.is_refused() {
            ExitCode::Refused
        } else if self.report.has_drift() {
            ExitCode::Failed
        } else if let Some(failure) = self.failure {
            failure
        } else if named_unknown || !self.has(ReadOutcome::Compared) {
            ExitCode::Usage
        } else {
            ExitCode::Pass
        }
    }
}

/// Why there was no usable answer, without a word of the service's.
fn reason(error: &Error) -> String {
    let text = match error.kind() {
        ErrorKind::InvalidRequest => "the request cannot be made",
        ErrorKind::Connect => "no connection",
        ErrorKind::Tls => "no TLS connection",
        ErrorKind::Timeout => "no answer in time",
        ErrorKind::Interrupted => "the connection broke",
        ErrorKind::TooLarge => "the answer is too large",
        ErrorKind::Redirected => "redirected to another address",
        _ => match error.status() {
            Some(status) => return format!("status {}", status.as_u16()),
            None => "no usable answer",
        },
    };
    text.to_owned()
}

fn run_id(latest: &Value) -> Option<TestRunId> {
    let mut places = RUN_ID_PLACES.iter();
    places.find_map(|place| latest.pointer(place)?.as_str()?.parse().ok())
}

fn first_test(results: &Value) -> Option<TestId> {
    let id = results.pointer("/tests/0/checksumTestId");
    id?.as_str()?.parse().ok()
}

/// Writes the whole file or leaves what was there.
fn save(recording: &Recording, path: &Path) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    let mut json = Vec::new();
    recording.save(&mut json)?;
    // The names of fields are kept, and the service may have put anything into one.
    file.write_all(redact(&String::from_utf8_lossy(&json)).as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
