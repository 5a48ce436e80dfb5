//! The status of a run, from any of the three status routes.

use checksum_api::types::{
    Count, RunState, RunStatus as V1, RunStatusByRunId as ByRunId, RunStatusV2 as V2, TerminalFlag,
    TestRunId, Verdict,
};
use checksum_api::{Lenient, Meaning};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{ApiVersion, Outcome};
use crate::contradiction::Contradiction;
use crate::counts::Counts;
use crate::poll::Terminal;

/// The status of a run, as one poll returns it, whichever version of the API responded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunStatus {
    pub(crate) state: RunState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counts: Option<Counts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) test_run_id: Option<TestRunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_version: Option<ApiVersion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) is_terminal: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<Verdict>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure_reason: Option<String>,
    /// The fields of the response that can turn a pass into a failure and could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unreadable: Vec<String>,
    /// Whether the response leaves out how many tests passed or how many failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_uncounted: bool,
    /// Whether the response counts no test at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) has_no_tests: bool,
    /// Whether the verdict is that of the observed route by test run id. A verdict other than
    /// `pass` is then not a pass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_judged: bool,
    /// Whether the observed route could not confirm the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_unconfirmed: bool,
    /// Whether a run of no tests may pass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) allows_no_tests: bool,
    #[serde(flatten, serialize_with = "serialize_unknown")]
    pub(crate) unknown_fields: Map<String, Value>,
}

/// The JSON fields that a status, a report or an event adds to those of a response.
const OWN_NAMES: [&str; 14] = [
    "event",
    "state",
    "counts",
    "testRunId",
    "apiVersion",
    "unreadable",
    "isUncounted",
    "hasNoTests",
    "isJudged",
    "isUnconfirmed",
    "allowsNoTests",
    "jobName",
    "outcome",
    "isSuccess",
];

/// Serialises the unknown fields without those in [`OWN_NAMES`], which would otherwise decide the
/// outcome when the status is deserialised.
fn serialize_unknown<S: Serializer>(fields: &Map<String, Value>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(
        fields
            .iter()
            .filter(|(name, _)| !OWN_NAMES.contains(&name.as_str())),
    )
}

impl RunStatus {
    /// Returns the state, as the service names it.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// Returns the counts of tests; `None` until the service reports any, which it does at the end.
    pub fn counts(&self) -> Option<Counts> {
        self.counts
    }

    /// Returns the test run's id, which results and healing need.
    pub fn test_run_id(&self) -> Option<&TestRunId> {
        self.test_run_id.as_ref()
    }

    /// Returns the version of the API whose status route responded; `None` if the run was polled by
    /// its test run id.
    pub fn api_version(&self) -> Option<ApiVersion> {
        self.api_version
    }

    /// Returns the service's own verdict, if it gives one.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Returns why the run failed, if the service says so.
    pub fn failure_reason(&self) -> Option<&str> {
        self.failure_reason.as_deref()
    }

    /// Returns the fields of the response that this version does not know.
    pub fn unknown_fields(&self) -> &Map<String, Value> {
        &self.unknown_fields
    }

    /// Returns whether the run has ended.
    ///
    /// The service's own `isTerminal` decides if it is given: the state of a sharded run can be
    /// `passed` before its shards are merged. Otherwise the state decides and, for a state that
    /// this version does not know, whether the response has the fields of a terminal one. A wait
    /// polls such a run a few more times before it ends.
    pub fn is_terminal(&self) -> bool {
        self.terminal() != Terminal::No
    }

    pub(crate) fn terminal(&self) -> Terminal {
        if let Some(is_terminal) = self.is_terminal {
            return is_terminal.into();
        }
        match self.state.meaning() {
            Some(Meaning::Pending) => Terminal::No,
            Some(_) => Terminal::Yes,
            // The documented v2 route returns the id only at the end; the observed route always
            // does.
            None => match self.counts.is_some() || self.test_run_id.is_some() && !self.is_judged {
                true => Terminal::Perhaps,
                false => Terminal::No,
            },
        }
    }

    /// Returns whether the run seems to have ended in a state that this version does not know, so
    /// that a wait polls it a few more times.
    pub fn seems_terminal(&self) -> bool {
        self.terminal() == Terminal::Perhaps
    }

    /// Returns whether this version knows the state.
    pub fn is_known_state(&self) -> bool {
        !matches!(self.state, RunState::Unrecognised(_))
    }

    /// Returns the status from a response of the observed route by test run id, which has no
    /// counts.
    pub(super) fn by_run_id(response: ByRunId, id: TestRunId) -> Self {
        let fields = Fields {
            is_terminal: response.is_terminal,
            verdict: response.verdict,
            ..Fields::default()
        };
        let status = fields.into_status(
            None,
            response.status,
            Some(id),
            response.failure_reason,
            response.extra,
        );
        Self {
            is_uncounted: false,
            is_judged: true,
            ..status
        }
    }

    /// Applies the status that the observed route by test run id returned at the end. It never
    /// turns a failure into a success.
    pub(super) fn confirm(&mut self, judged: Self) {
        self.is_terminal = judged.is_terminal.or(self.is_terminal);
        self.failure_reason = judged.failure_reason.or_else(|| self.failure_reason.take());
        let has_verdict =
            judged.verdict.is_some() || judged.unreadable.iter().any(|field| field == "verdict");
        let is_success = judged.verdict == Some(Verdict::Pass);
        if !is_success && !Outcome::of_state(&judged.state).is_success() {
            self.state = judged.state;
        }
        if has_verdict {
            self.verdict = judged.verdict;
            self.is_judged = true;
        }
        self.unreadable.extend(judged.unreadable);
    }

    /// Returns the outcome; `None` while the run goes on.
    pub fn outcome(&self) -> Option<Outcome> {
        self.is_terminal().then(|| self.final_outcome())
    }

    /// Returns the outcome, assuming that the run has ended. Three things turn a pass into a
    /// failure: a verdict of `fail`, a run in which no test ran, and any verdict but `pass` from
    /// the route by test run id. Nothing turns a failure into a pass.
    pub(crate) fn final_outcome(&self) -> Outcome {
        let outcome = Outcome::of_state(&self.state);
        if !outcome.is_success() {
            outcome
        } else if self.is_failed_by_verdict() {
            Outcome::Failed
        } else if self.has_no_tests && !self.allows_no_tests {
            Outcome::NoTests
        } else {
            outcome
        }
    }

    fn is_failed_by_verdict(&self) -> bool {
        match &self.verdict {
            Some(Verdict::Pass) => false,
            Some(Verdict::Fail) => true,
            None | Some(_) => self.is_judged,
        }
    }

    /// Returns how the response contradicts a state of passed or healed; `None` if it does not.
    /// Counts do not overrule the state.
    pub fn contradiction(&self) -> Option<Contradiction> {
        if !Outcome::of_state(&self.state).is_success() {
            return None;
        }
        let state = self.state.to_string();
        if self.verdict == Some(Verdict::Fail) {
            return Some(Contradiction::Verdict { state });
        }
        let failed = self.counts.map_or(0, |counts| counts.failed);
        if failed > 0 {
            return Some(Contradiction::FailedTests { state, failed });
        }
        if let Some(field) = self.unreadable.first() {
            let field = field.clone();
            return Some(Contradiction::Unreadable { state, field });
        }
        if let Some(reason) = self.failure_reason().filter(|text| !text.trim().is_empty()) {
            let reason = reason.to_owned();
            return Some(Contradiction::FailureReason { state, reason });
        }
        match &self.verdict {
            Some(Verdict::Pass) => {}
            None if !self.is_judged => {}
            None => {
                let verdict = "null".to_owned();
                return Some(Contradiction::NoVerdict { state, verdict });
            }
            Some(verdict) => {
                let verdict = verdict.to_string();
                return Some(Contradiction::NoVerdict { state, verdict });
            }
        }
        match (self.is_unconfirmed, self.is_uncounted) {
            (true, _) => Some(Contradiction::Unconfirmed { state }),
            (false, true) => Some(Contradiction::NoCounts { state }),
            (false, false) => None,
        }
    }
}

/// The fields that say how a run ended.
#[derive(Default)]
struct Fields {
    passed: Option<Count>,
    failed: Option<Count>,
    recovered: Option<Count>,
    bug: Option<Count>,
    is_terminal: Option<TerminalFlag>,
    verdict: Option<Lenient<Verdict>>,
}

impl Fields {
    /// Returns a status with these fields. Known words are recognised in upper and lower case.
    fn into_status(
        self,
        api_version: Option<ApiVersion>,
        state: RunState,
        test_run_id: Option<TestRunId>,
        failure_reason: Option<String>,
        unknown_fields: Map<String, Value>,
    ) -> RunStatus {
        let mut unreadable = Vec::new();
        let is_uncounted = self.passed.is_none() || self.failed.is_none();
        let counts = [
            read("failed", self.failed, &mut unreadable),
            read("passed", self.passed, &mut unreadable),
            read("recovered", self.recovered, &mut unreadable),
            read("bug", self.bug, &mut unreadable),
        ];
        let has_no_tests = counts[1] == Some(0) && counts.iter().flatten().all(|count| *count == 0);
        // A count that cannot be read would appear as 0.
        let are_readable = unreadable.is_empty() && counts.iter().any(Option::is_some);
        let [failed, passed, recovered, bug] = counts.map(Option::unwrap_or_default);
        let is_terminal = read("isTerminal", self.is_terminal, &mut unreadable);
        let verdict = read("verdict", self.verdict, &mut unreadable);
        RunStatus {
            state: state.ignoring_case(),
            counts: are_readable.then_some(Counts {
                passed,
                failed,
                recovered,
                bug,
            }),
            test_run_id,
            api_version,
            is_terminal,
            verdict: verdict.map(Verdict::ignoring_case),
            failure_reason,
            unreadable,
            is_uncounted,
            has_no_tests,
            is_judged: false,
            is_unconfirmed: false,
            allows_no_tests: false,
            unknown_fields,
        }
    }
}

/// Returns the value of a field. If it cannot be read, adds the field's name to `unreadable`.
fn read<T>(
    name: &'static str,
    field: Option<Lenient<T>>,
    unreadable: &mut Vec<String>,
) -> Option<T> {
    match field? {
        Lenient::Read(value) => Some(value),
        Lenient::Unreadable(_) => {
            unreadable.push(name.to_owned());
            None
        }
    }
}

impl From<V1> for RunStatus {
    fn from(response: V1) -> Self {
        let fields = Fields {
            passed: response.passed,
            failed: response.failed,
            recovered: response.recovered,
            bug: response.bug,
            is_terminal: response.is_terminal,
            verdict: response.verdict,
        };
        fields.into_status(
            Some(ApiVersion::V1),
            response.status,
            None,
            response.failure_reason,
            response.extra,
        )
    }
}

impl From<V2> for RunStatus {
    fn from(response: V2) -> Self {
        let fields = Fields {
            passed: response.passed,
            failed: response.failed,
            recovered: response.recovered,
            bug: response.bug,
            is_terminal: response.is_terminal,
            verdict: response.verdict,
        };
        fields.into_status(
            Some(ApiVersion::V2),
            response.status,
            response.test_run_id,
            response.failure_reason,
            response.extra,
        )
    }
}
