//! Sends the requests that only read, and compares each response.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use checksum_api::types::{JobName, TestId, TestRunId};
use checksum_api::{Client, Error, ErrorKind, OperationId, RawResponse};
use serde_json::Value;

use super::compare::{Drift, Drifts, compare};
use super::report::{FAILED, NOT_FOUND, Outcome, REJECTED, Report, UNAUTHORIZED};
use super::schema::Schemas;

/// The fields that may contain the id of the latest test run.
const RUN_ID_FIELDS: [&str; 6] = ["id", "testRunId", "runId", "data", "testRun", "run"];

/// A request that is sent when it is awaited. Its decoded response is dropped.
type Request<'r> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'r>>;

/// The requests to send, and their results.
pub(super) struct Requests<'a> {
    pub(super) client: Client,
    pub(super) schemas: Schemas<'a>,
    pub(super) job: Option<JobName>,
    /// The test run to read: the latest, unless one is given.
    pub(super) test_run: Option<TestRunId>,
    pub(super) test: Option<TestId>,
}

impl Requests<'_> {
    /// Sends each request once. The latest run comes before what needs its id.
    pub(super) async fn send_all(&mut self) -> Result<Report> {
        let mut report = Report::default();
        let names_test_run = self.test_run.is_some();
        let reads = OperationId::ALL.iter().copied();
        let mut reads: Vec<OperationId> = reads.filter(|id| id.operation().is_read()).collect();
        reads.sort_by_key(|id| match id {
            OperationId::GetProject => 0,
            OperationId::GetLatestTestRun => 1,
            _ => 2,
        });
        for id in reads {
            let outcome = if report.has(UNAUTHORIZED) {
                Outcome::Skipped("the service rejected the key before")
            } else if id == OperationId::GetLatestTestRun && names_test_run {
                Outcome::Skipped("--test-run names one")
            } else {
                self.read(id).await?
            };
            report.add(id, outcome);
        }
        Ok(report)
    }

    /// Sends a request, and compares the response. The text of an error is dropped, since it may
    /// contain private data.
    async fn read(&mut self, id: OperationId) -> Result<Outcome> {
        let seen = Arc::new(Mutex::new(None));
        let inspector = seen.clone();
        let client = self
            .client
            .inspect_responses(move |response: &RawResponse| {
                *inspector.lock().unwrap_or_else(PoisonError::into_inner) = Some(response.clone());
            });
        let decoded = match self.request(id, &client) {
            Ok(request) => request.await,
            Err(reason) => return Ok(Outcome::Skipped(reason)),
        };
        let response = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let success = response.filter(|response| response.status.is_success());
        let Some(response) = success else {
            return Ok(failure(decoded.err().as_ref()));
        };
        let expected = self.schemas.expected(id, response.status.as_u16())?;
        let mut drifts = Drifts::new();
        let mut add = |difference, provenance| {
            drifts.insert(Drift::new("$", difference, provenance), 1);
        };
        if !expected.lists_status {
            add("the document does not list this status code", "assumed");
        }
        if decoded.is_err_and(|error| error.kind() == ErrorKind::UnexpectedBody) {
            add(
                "the client cannot decode the response",
                &expected.provenance,
            );
        }
        let media_type = response.headers.get("content-type");
        let is_text = media_type.is_some_and(|name| name.as_bytes().starts_with(b"text/plain"));
        match serde_json::from_slice(&response.body) {
            Ok(body) => {
                drifts.extend(compare(&expected, &body));
                self.remember(id, &body);
            }
            Err(_) if is_text && expected.allows_text => {}
            Err(_) => add("the response is not JSON", &expected.provenance),
        }
        Ok(Outcome::Compared(drifts))
    }

    /// Keeps the ids that later requests need.
    fn remember(&mut self, id: OperationId, body: &Value) {
        match id {
            OperationId::GetLatestTestRun => self.test_run = run_id(body),
            OperationId::GetTestRunResults => {
                let test = body.pointer("/tests/0/checksumTestId");
                self.test = test.and_then(|id| id.as_str()?.parse().ok());
            }
            _ => {}
        }
    }

    /// Returns the request of an operation, or why none can be sent.
    fn request<'r>(
        &self,
        id: OperationId,
        client: &'r Client,
    ) -> Result<Request<'r>, &'static str> {
        use OperationId as Id;
        let job = self.job.as_ref().ok_or("no --job was given");
        let run = self.test_run.as_ref().ok_or("no test run id is known");
        let test = self.test.as_ref().ok_or("no test id is known");
        Ok(match id {
            Id::GetProject => request(client.get_project().execute()),
            Id::GetLatestTestRun => request(client.get_latest_test_run().execute()),
            Id::GetRunStatus => request(client.get_run_status().job_name(job?).execute()),
            Id::GetRunStatusV2 => request(client.get_run_status_v2().job_name(job?).execute()),
            Id::GetRunStatusByRunId => {
                request(client.get_run_status_by_run_id().run_id(run?).execute())
            }
            Id::GetTestRunResults => request(client.get_test_run_results().id(run?).execute()),
            Id::GetTestRunReport => request(client.get_test_run_report().id(run?).execute()),
            Id::GetTestAttachments => {
                let attachments = client.get_test_attachments();
                request(attachments.run_id(run?).test_id(test?).execute())
            }
            Id::ListBugs => request(client.list_bugs().limit(20_u64).execute()),
            Id::FindAffectedTests => return Err("it needs a list of files"),
            Id::GetHealBatch | Id::GetGenerationBatch => return Err("no batch id is known"),
            Id::RunSuite
            | Id::RunCollection
            | Id::RunTests
            | Id::RunGrep
            | Id::RunGrepV2
            | Id::TriggerAutoHeal
            | Id::TriggerAutoGenerate => return Err("it would start work"),
        })
    }
}

fn request<'r, T>(response: impl Future<Output = Result<T, Error>> + 'r) -> Request<'r> {
    Box::pin(async { response.await.map(drop) })
}

/// Returns why a request failed, without any text of the service.
fn failure(error: Option<&Error>) -> Outcome {
    let Some((error, kind)) = error.map(|error| (error, error.kind())) else {
        return Outcome::NotCompared(FAILED, "no usable response".to_owned());
    };
    let exit_code = match kind {
        ErrorKind::Unauthorized | ErrorKind::Forbidden => UNAUTHORIZED,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::Rejected | ErrorKind::InvalidRequest => REJECTED,
        _ => FAILED,
    };
    let reason = match error.status() {
        Some(status) => format!("{kind:?} (status {})", status.as_u16()),
        None => format!("no response ({kind:?})"),
    };
    Outcome::NotCompared(exit_code, reason)
}

fn run_id(latest: &Value) -> Option<TestRunId> {
    match latest.as_str() {
        Some(id) => id.parse().ok(),
        None => RUN_ID_FIELDS
            .iter()
            .find_map(|name| run_id(latest.get(name)?)),
    }
}
