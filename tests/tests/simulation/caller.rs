//! A process that starts work and waits for it. After a crash it goes on from what it has stored.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use checksum_api_ext::{
    Checksum, Error, Event as WaitEvent, Grep, Handle, PollPolicy, RetryPolicy, Started,
    WatchReport,
};
use futures_util::future::join_all;
use reqwest::Request;
use serde_json::Value;

use crate::bugs::{self, Bug};
use crate::network::Network;
use crate::records::{Answer, Event, Records, Stored};
use crate::schedule::{Cause, Kind, Schedule, TICK};

pub(crate) const MIN_INTERVAL: Duration = Duration::from_secs(1);
pub(crate) const JITTER: f64 = 0.1;

#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) number: usize,
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) records: Arc<Records>,
    pub(crate) bug: Option<Bug>,
}

impl Caller {
    /// Runs until it is crashed, so that a poll after the end would be seen.
    pub(crate) async fn run(self) -> turmoil::Result {
        self.records.add(self.number, Event::Began);
        let client = self.client()?;
        let causes = self.schedule.causes.iter().enumerate();
        let own = causes.filter(|(_, cause)| cause.caller == self.number);
        let own = own.map(|(number, _)| number);
        if self.schedule.watches[self.number] {
            self.begin_all_and_watch(&client, own.collect()).await;
        } else {
            join_all(own.map(|cause| self.begin_and_wait(&client, cause))).await;
        }
        std::future::pending().await
    }

    fn client(&self) -> Result<Checksum, Error> {
        let limits = self.schedule.limits;
        let limits = self.bug.map_or(limits, |bug| bug.change(limits));
        let mut policy = PollPolicy::default()
            .initial_interval(MIN_INTERVAL)
            .multiplier(2.0)
            .max_interval(4 * MIN_INTERVAL)
            .jitter(JITTER)
            .seed(self.schedule.seed)
            .error_timeout(limits.error_timeout)
            .not_found_grace(limits.grace)
            .confirmation_timeout(Duration::from_secs(20));
        if let Some(deadline) = limits.deadline {
            policy = policy.deadline(deadline);
        }
        let network = Network::new(self.records.clone(), self.number);
        let bug = self.bug;
        Checksum::builder()
            .api_key("key".parse().expect("a key"))
            .base_url("http://service/public-api".parse().expect("a URL"))
            .allow_plain_http()
            .request_timeout(Duration::from_secs(6))
            .retry_policy(RetryPolicy::default().seed(self.schedule.seed))
            .poll_policy(policy)
            .max_requests_per_second(limits.polls_per_second)
            .transport(move |request: Request| bugs::send(network.clone(), request, bug))
            .build()
    }

    /// Starts the work, unless an earlier process has, or may have. Returns its handle as JSON, and
    /// when it was stored.
    async fn begin(&self, client: &Checksum, cause: usize) -> Option<(String, Duration)> {
        match self.records.get(cause) {
            Some(Stored::Answered) => return None,
            Some(Stored::Handle(json, at)) => return Some((json, at)),
            Some(Stored::Intent) if self.bug != Some(Bug::StartsAgainAfterACrash) => {
                self.answer(cause, Answer::MayHaveStarted);
                return None;
            }
            Some(Stored::Intent) | None => {}
        }
        let at = self.schedule.causes[cause].at;
        tokio::time::sleep(at.saturating_sub(self.records.now())).await;
        match self
            .start(client, cause, &self.schedule.causes[cause])
            .await
        {
            Ok(handle) => {
                let started = Event::Started(cause, handle.id().to_owned());
                self.records.add(self.number, started);
                let json = serde_json::to_string(&handle).expect("JSON");
                let at = self.records.now();
                if self.bug != Some(Bug::ForgetsTheHandle) {
                    self.records.put(cause, Stored::Handle(json.clone(), at));
                }
                Some((json, at))
            }
            Err(error) => {
                self.answer(
                    cause,
                    match error.started() {
                        _ if self.bug == Some(Bug::SaysThatNothingStarted) => Answer::NotStarted,
                        Started::No => Answer::NotStarted,
                        _ => Answer::MayHaveStarted,
                    },
                );
                None
            }
        }
    }

    async fn start(
        &self,
        client: &Checksum,
        number: usize,
        cause: &Cause,
    ) -> Result<Handle, Error> {
        let id = Cause::id(number);
        /// Stores the intent, and then starts the work.
        macro_rules! start {
            ($start:expr) => {{
                let start = $start;
                let _ = start.intent()?;
                if self.bug != Some(Bug::StoresNoIntent) {
                    self.records.put(number, Stored::Intent);
                    self.records.add(self.number, Event::IntentStored(number));
                }
                Ok(Handle::from(&start.start().await?))
            }};
        }
        match cause.kind {
            Kind::Tests { .. } => start!(client.run_tests([id.parse().expect("an id")])),
            Kind::Grep(pattern) => start!(client.run_grep(Grep::new(pattern).branch(id))),
            Kind::Generation => {
                let repo = "acme-co/shop".parse().expect("a repository");
                let pull_request = "7".parse().expect("a number");
                start!(client.generate(repo, pull_request, id))
            }
        }
    }

    /// Resumes the work of a cause, as another process would.
    fn resume(&self, cause: usize, (json, at): &(String, Duration)) -> Handle {
        self.records.add(self.number, Event::WaitBegan(cause));
        let json = aged(json, self.records.now() - *at);
        serde_json::from_value(json).expect("a handle")
    }

    async fn begin_and_wait(&self, client: &Checksum, cause: usize) {
        let Some(begun) = self.begin(client, cause).await else {
            return;
        };
        let outcome = match self.resume(cause, &begun) {
            Handle::Run(handle) => {
                let report = client.resume_run(handle).wait().await;
                report.map(|report| report.outcome().to_string())
            }
            Handle::GenerationBatch(handle) => {
                let status = client.resume_generation_batch(handle).wait().await;
                status.map(|status| status.state().to_string())
            }
            Handle::HealBatch(_) => unreachable!("nothing heals"),
        };
        self.finish(cause, outcome);
    }

    async fn begin_all_and_watch(&self, client: &Checksum, causes: Vec<usize>) {
        let begun = join_all(causes.iter().map(|cause| self.begin(client, *cause))).await;
        let works = causes.into_iter().zip(begun);
        let works = works.filter_map(|(cause, begun)| Some((cause, self.resume(cause, &begun?))));
        let works: Vec<(usize, Handle)> = works.collect();
        let mut set = client.watch(works.iter().map(|(_, handle)| handle.clone()));
        while let Some((of, event)) = set.next().await {
            let outcome = match event {
                Ok(WaitEvent::Finished(WatchReport::Run(report))) => {
                    Ok(report.outcome().to_string())
                }
                Ok(WaitEvent::Finished(report)) => Ok(report.state().to_owned()),
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            let work = works.iter().find(|(_, handle)| handle.is_same_work(&of));
            self.finish(work.expect("a work of the set").0, outcome);
        }
    }

    fn finish(&self, cause: usize, outcome: Result<String, Error>) {
        let answer = match outcome {
            Ok(outcome) => Answer::Outcome(outcome),
            Err(error) => Answer::Failed(error.kind()),
        };
        self.answer(cause, answer);
    }

    fn answer(&self, cause: usize, answer: Answer) {
        self.records.put(cause, Stored::Answered);
        self.records
            .add(self.number, Event::Answered(cause, answer));
    }
}

/// Returns a handle whose work was started so long before now. A handle has the computer's time,
/// which no simulation moves. Half a tick keeps it clear of what happens at whole ticks.
fn aged(handle: &str, age: Duration) -> Value {
    let mut handle: Value = serde_json::from_str(handle).expect("JSON");
    let started_at = SystemTime::now() - age - TICK / 2;
    let started_at = humantime::format_rfc3339_millis(started_at).to_string();
    let fields = handle.as_object_mut().into_iter().flatten();
    for (_, fields) in fields {
        fields["startedAt"] = started_at.clone().into();
    }
    handle
}
