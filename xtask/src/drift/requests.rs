//! Sends the requests that only read, and compares each response.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use checksum_api::types::{JobName, TestId, TestRunId};
use checksum_api::{Client, Error, ErrorKind, OperationId, RawResponse};
use serde_json::Value;

use super::deviation::{Drift, DriftKind};
use super::document::{Document, Provenance};
use super::recording::{Exchange, Recording};
use super::report::{Outcome, Report};

/// How many bugs are asked for.
const BUGS: u64 = 20;

/// Under which names the latest test run's id may stand.
const RUN_ID_FIELDS: [&str; 6] = ["id", "testRunId", "runId", "data", "testRun", "run"];

/// What to read.
pub(super) struct Requests<'a> {
    pub(super) client: &'a Client,
    pub(super) document: &'a Document,
    pub(super) job: Option<JobName>,
    /// The latest, unless one is given.
    pub(super) test_run: Option<TestRunId>,
    pub(super) first_test: Option<TestId>,
    pub(super) report: Report,
    pub(super) recording: Recording,
}

impl Requests<'_> {
    /// Reads everything once. The latest run comes first, since others need its id.
    pub(super) async fn send_all(&mut self) -> Result<()> {
        let names_test_run = self.test_run.is_some();
        let reads = OperationId::ALL.iter().copied();
        let mut reads: Vec<OperationId> = reads.filter(|id| id.operation().is_read()).collect();
        reads.sort_by_key(|id| match id {
            OperationId::GetProject => 0,
            OperationId::GetLatestTestRun => 1,
            _ => 2,
        });
        for id in reads {
            let skip = match id {
                _ if self.report.has(Outcome::Unauthorized) => {
                    Some("the service rejected the key before")
                }
                OperationId::GetLatestTestRun if names_test_run => Some("--test-run names one"),
                _ => None,
            };
            let body = match skip {
                Some(reason) => {
                    self.report.add(id, Outcome::Skipped, reason);
                    None
                }
                None => self.read(id).await?,
            };
            match (id, body) {
                (OperationId::GetLatestTestRun, Some(body)) => self.test_run = run_id(&body),
                (OperationId::GetTestRunResults, Some(body)) => {
                    let test = body.pointer("/tests/0/checksumTestId");
                    self.first_test = test.and_then(|id| id.as_str()?.parse().ok());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends a request, compares the response, and returns its body if it is a success in JSON.
    /// Nothing is kept of the text of errors: it may repeat what is private.
    async fn read(&mut self, id: OperationId) -> Result<Option<Value>> {
        let seen = Arc::new(Mutex::new(None));
        let tap = seen.clone();
        let client = self
            .client
            .inspect_responses(move |response: &RawResponse| {
                *tap.lock().unwrap_or_else(PoisonError::into_inner) = Some(response.clone());
            });
        let sent = match self.send(id, &client).await {
            Ok(sent) => sent,
            Err(reason) => {
                self.report.add(id, Outcome::Skipped, reason);
                return Ok(None);
            }
        };
        let response = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(RawResponse {
            status,
            headers,
            body,
            ..
        }) = response
        else {
            let (outcome, reason) = failure(sent.err().as_ref());
            self.report.add(id, outcome, reason);
            return Ok(None);
        };
        let body: Option<Value> = serde_json::from_slice(&body).ok();
        let media = headers
            .get("content-type")
            .and_then(|media| media.to_str().ok());
        let (exchange, mut drifts) = Exchange::of(
            self.document,
            id.as_str(),
            status.as_u16(),
            media,
            body.as_ref(),
        )?;
        self.recording.exchanges.push(exchange);
        if !status.is_success() {
            let (outcome, reason) = failure(sent.err().as_ref());
            self.report.add(id, outcome, reason);
            return Ok(None);
        }
        if sent.is_err_and(|error| error.kind() == ErrorKind::UnexpectedBody) {
            let response = self.document.response(id.as_str(), status.as_u16());
            let provenance = response.map_or(Provenance::Documented, |r| r.provenance);
            drifts.push(Drift::of_response(
                id.as_str(),
                provenance,
                DriftKind::Undecodable,
            ));
        }
        self.report.compared(id, drifts);
        Ok(body)
    }

    /// Sends the request of an operation, or returns why it cannot be sent.
    async fn send(
        &self,
        id: OperationId,
        client: &Client,
    ) -> Result<Result<(), Error>, &'static str> {
        let job = self.job.as_ref().ok_or("no --job was given");
        let run = self.test_run.as_ref().ok_or("no test run id is known");
        let test = self.first_test.as_ref().ok_or("no test id is known");
        Ok(match id {
            OperationId::GetProject => client.get_project().execute().await.map(drop),
            OperationId::GetLatestTestRun => client.get_latest_test_run().execute().await.map(drop),
            OperationId::GetRunStatus => client
                .get_run_status()
                .job_name(job?)
                .execute()
                .await
                .map(drop),
            OperationId::GetRunStatusV2 => client
                .get_run_status_v2()
                .job_name(job?)
                .execute()
                .await
                .map(drop),
            OperationId::GetRunStatusByRunId => client
                .get_run_status_by_run_id()
                .run_id(run?)
                .execute()
                .await
                .map(drop),
            OperationId::GetTestRunResults => client
                .get_test_run_results()
                .id(run?)
                .execute()
                .await
                .map(drop),
            OperationId::GetTestRunReport => client
                .get_test_run_report()
                .id(run?)
                .execute()
                .await
                .map(drop),
            OperationId::GetTestAttachments => {
                let request = client.get_test_attachments().run_id(run?).test_id(test?);
                request.execute().await.map(drop)
            }
            OperationId::ListBugs => client.list_bugs().limit(BUGS).execute().await.map(drop),
            OperationId::FindAffectedTests => return Err("it needs a list of files"),
            OperationId::GetHealBatch | OperationId::GetGenerationBatch => {
                return Err("no batch id is known");
            }
            OperationId::RunSuite
            | OperationId::RunCollection
            | OperationId::RunTests
            | OperationId::RunGrep
            | OperationId::RunGrepV2
            | OperationId::TriggerAutoHeal
            | OperationId::TriggerAutoGenerate => return Err("it would start work"),
        })
    }
}

/// Returns why there is no success, without a word of the service's.
fn failure(error: Option<&Error>) -> (Outcome, String) {
    let kind = error.map(Error::kind);
    let outcome = match kind {
        Some(ErrorKind::Unauthorized | ErrorKind::Forbidden) => Outcome::Unauthorized,
        Some(ErrorKind::NotFound) => Outcome::NotFound,
        Some(ErrorKind::Rejected | ErrorKind::InvalidRequest) => Outcome::Rejected,
        _ => Outcome::Failed,
    };
    let reason = match (kind, error.and_then(Error::status)) {
        (Some(ErrorKind::NotFound), _) => "the service does not know it (404)",
        (Some(ErrorKind::Connect), _) => "no connection",
        (Some(ErrorKind::Tls), _) => "no TLS connection",
        (Some(ErrorKind::Timeout), _) => "no response in time",
        (Some(ErrorKind::ConnectionLost), _) => "the connection broke",
        (Some(ErrorKind::TooLarge), _) => "the response is too large",
        (Some(ErrorKind::Redirect), _) => "a redirect to another address",
        (_, Some(status)) => return (outcome, format!("status {}", status.as_u16())),
        (_, None) => "no usable response",
    };
    (outcome, reason.to_owned())
}

fn run_id(latest: &Value) -> Option<TestRunId> {
    match latest.as_str() {
        Some(id) => id.parse().ok(),
        None => RUN_ID_FIELDS
            .iter()
            .find_map(|name| run_id(latest.get(name)?)),
    }
}
