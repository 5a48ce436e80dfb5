//! A simulated week: thousands of runs start and end while one set watches them, a service fails now
//! and then, and is out of service for an hour. Time is tokio's, which has to be paused; whatever is
//! random follows from a seed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use checksum_api::TransportError;
use checksum_api_ext::{Checksum, Event, Handle, JobName, PollPolicy};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{FakeResponse, KEY};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Half of the runs of a day start within five minutes from then on.
const NIGHT: Duration = Duration::from_secs(2 * 60 * 60);

/// An outage begins while these start, and lasts for an hour.
const OUTAGE: Duration = Duration::from_secs(2 * 60 * 60 + 3 * 60);

/// When the memory of a day is measured: when most runs are watched, at noon and at midnight.
pub const SAMPLES: [Duration; 3] = [
    Duration::from_secs(2 * 60 * 60 + 2 * 60),
    Duration::from_secs(12 * 60 * 60),
    DAY,
];

/// The requests that a client starts in a second by default, and a tenth more.
pub const MAX_PER_SECOND: u32 = 27;

/// Each request takes this long.
const LATENCY: Duration = Duration::from_millis(50);

/// What is simulated.
pub struct Week {
    /// How many runs start on each day.
    pub runs_per_day: usize,
    /// How many days pass.
    pub days: u32,
    /// The days that have an outage, from 0.
    pub outages: &'static [u32],
    /// One of this many requests fails by itself.
    pub one_fault_in: usize,
}

/// What was measured.
#[derive(Debug)]
pub struct Measured {
    /// How many runs ended as scripted.
    pub right: usize,
    /// What went wrong: runs that ended otherwise, twice or with an error.
    pub wrong: Vec<String>,
    /// How many requests the service got, and how many of them failed by themselves.
    pub requests: usize,
    /// How many of them failed, without those of an outage.
    pub faults: usize,
    /// How late the end of a run was noticed, on average, without those of an outage.
    pub mean_lag: Duration,
    /// How much memory was in use at [`SAMPLES`] of each day.
    pub memory: Vec<Memory>,
    /// The highest number of requests in a second in the hour before each outage and in the hour
    /// after it.
    pub peaks: Vec<[u32; 2]>,
}

/// How much memory was in use at one time.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// How many runs were watched.
    pub watched: usize,
    /// The live bytes of the process, without those of the simulated service.
    pub bytes: usize,
}

struct ScriptedRun {
    /// When it starts and ends, from the beginning of the week.
    starts: Duration,
    ends: Duration,
    state: &'static str,
}

struct Service {
    began: Instant,
    runs: Vec<ScriptedRun>,
    outages: &'static [u32],
    one_fault_in: usize,
    log: Mutex<Log>,
}

struct Log {
    random: Rng,
    faults: usize,
    /// How many requests there were in each second.
    per_second: Vec<u32>,
}

impl Week {
    /// Simulates it. `live_bytes` returns how much memory the process has in use.
    pub async fn simulate(self, live_bytes: impl Fn() -> usize) -> Measured {
        let runs = self.scripts();
        let seconds = (DAY * self.days + 6 * HOUR).as_secs();
        let service = Arc::new(Service {
            began: Instant::now(),
            outages: self.outages,
            one_fault_in: self.one_fault_in,
            log: Mutex::new(Log {
                random: Rng::with_seed(2),
                faults: 0,
                per_second: vec![0; seconds as usize],
            }),
            runs,
        });
        let mut ended = vec![false; service.runs.len()];
        let mut measured = Measured {
            right: 0,
            wrong: Vec::new(),
            requests: 0,
            faults: 0,
            mean_lag: Duration::ZERO,
            memory: Vec::with_capacity(SAMPLES.len() * self.days as usize),
            peaks: Vec::new(),
        };
        let (mut lag, mut lags) = (Duration::ZERO, 0);
        let without_set = live_bytes();

        let mut set = client(&service).watch([]);
        let (adder, days) = (set.adder(), self.days);
        tokio::spawn({
            let service = Arc::clone(&service);
            async move {
                for (number, run) in service.runs.iter().enumerate() {
                    sleep_until(service.began + run.starts).await;
                    adder.insert(job(number));
                }
                sleep_until(service.began + DAY * days + HOUR).await;
            }
        });
        let days = (0..self.days).map(|day| DAY * day);
        let mut samples = days.flat_map(|day| SAMPLES.map(|time| day + time));
        let mut next_sample = samples.next();
        // The last run has long ended by then.
        let limit = service.began + DAY * (self.days + 1);
        loop {
            let sample_at = service.began + next_sample.unwrap_or_default();
            let next = tokio::select! {
                biased;
                () = sleep_until(sample_at), if next_sample.is_some() => {
                    measured.memory.push(Memory {
                        watched: set.len(),
                        bytes: live_bytes().saturating_sub(without_set),
                    });
                    next_sample = samples.next();
                    continue;
                }
                () = sleep_until(limit) => {
                    measured.wrong.push("the set does not end".to_owned());
                    break;
                }
                next = set.next() => next,
            };
            let Some((handle, event)) = next else { break };
            let key = handle.to_string();
            let number = number_of(&key).expect("the number of a run");
            let run = &service.runs[number];
            match event {
                Ok(Event::Finished(report)) => {
                    let passes = matches!(run.state, "passed" | "healed");
                    let is_right = report.state() == run.state && report.is_success() == passes;
                    match is_right && !ended[number] && service.now() >= run.ends {
                        true => measured.right += 1,
                        false => measured
                            .wrong
                            .push(format!("{key} ended {}", report.state())),
                    }
                    ended[number] = true;
                    if ![0, 60]
                        .map(Duration::from_secs)
                        .into_iter()
                        .any(|later| service.is_out_at(run.ends + later))
                    {
                        lag += service.now() - run.ends;
                        lags += 1;
                    }
                }
                Ok(_) => {}
                Err(error) => measured.wrong.push(format!("{key}: {error}")),
            }
        }
        let log = service.log.lock().unwrap_or_else(PoisonError::into_inner);
        measured.mean_lag = lag / lags.max(1);
        measured.faults = log.faults;
        measured.requests = log.per_second.iter().sum::<u32>() as usize;
        let peak = |from: Duration, to: Duration| {
            let hour = &log.per_second[from.as_secs() as usize..to.as_secs() as usize];
            hour.iter().copied().max().unwrap_or_default()
        };
        let starts = self.outages.iter().map(|day| DAY * *day + OUTAGE);
        measured.peaks = starts
            .map(|at| [peak(at - HOUR, at), peak(at + HOUR, at + 2 * HOUR)])
            .collect();
        measured
    }

    /// Returns the runs in the order of their starts: half of them at night, the others whenever
    /// people work, and none while the service cannot start any.
    fn scripts(&self) -> Vec<ScriptedRun> {
        let mut random = Rng::with_seed(1);
        let mut runs = Vec::with_capacity(self.runs_per_day * self.days as usize);
        for (day, number) in
            (0..self.days).flat_map(|day| (0..self.runs_per_day).map(move |n| (day, n)))
        {
            let within = match number % 2 {
                0 => NIGHT + Duration::from_secs(300).mul_f64(random.f64()),
                _ => (DAY - HOUR).mul_f64(random.f64()),
            };
            let is_out = self.outages.contains(&day) && (OUTAGE..OUTAGE + HOUR).contains(&within);
            let within = if is_out { OUTAGE + HOUR } else { within };
            let minutes = match random.u8(0..100) {
                0..60 => 5.0 + 6.0 * random.f64(),
                60..85 => 15.0 + 10.0 * random.f64(),
                85..95 => 1.0 + 2.0 * random.f64(),
                _ => 0.3 * random.f64(),
            };
            let starts = DAY * day + within;
            runs.push(ScriptedRun {
                starts,
                ends: starts + Duration::from_secs_f64(60.0 * minutes),
                state: match random.u8(0..100) {
                    0..75 => "passed",
                    75..85 => "failed",
                    85..93 => "healed",
                    93..97 => "process-error",
                    _ => "cancelled",
                },
            });
        }
        runs.sort_by_key(|run| run.starts);
        runs
    }
}

/// Returns a client with the default policies, which tolerates an outage.
fn client(service: &Arc<Service>) -> Checksum {
    let service = Arc::clone(service);
    let built = Checksum::builder()
        .api_key(KEY.parse().expect("a key"))
        .base_url("https://checksum.invalid".parse().expect("a URL"))
        .poll_policy(PollPolicy::default().seed(3).error_timeout(3 * HOUR))
        .transport(move |request: reqwest::Request| {
            let service = Arc::clone(&service);
            async move { service.exchange(&request).await }
        })
        .build();
    built.expect("a client")
}

fn job(number: usize) -> Handle {
    let name: JobName = format!("job-{number}").parse().expect("a job name");
    name.into()
}

fn number_of(text: &str) -> Option<usize> {
    text.rsplit_once("job-")?.1.parse().ok()
}

impl Service {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn is_out_at(&self, at: Duration) -> bool {
        let mut outages = self.outages.iter().map(|day| DAY * *day + OUTAGE);
        outages.any(|start| (start..start + HOUR).contains(&at))
    }

    async fn exchange(
        &self,
        request: &reqwest::Request,
    ) -> Result<reqwest::Response, TransportError> {
        let response = self.respond(request.url().path());
        sleep(LATENCY).await;
        response.sent().await
    }

    fn respond(&self, path: &str) -> FakeResponse {
        let now = self.now();
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let second = log.per_second.get_mut(now.as_secs() as usize);
        *second.expect("a week without end") += 1;
        if self.is_out_at(now) {
            return match log.random.bool() {
                true => FakeResponse::not_sent(),
                false => FakeResponse::status(503),
            };
        }
        if log.random.usize(..self.one_fault_in) == 0 {
            log.faults += 1;
            return fault(&mut log.random);
        }
        let run = number_of(path).and_then(|number| self.runs.get(number));
        match run.filter(|run| run.starts <= now) {
            Some(run) => run.status(now, path.contains("/v2/")).into(),
            None => FakeResponse::status(404).body("{}"),
        }
    }
}

impl ScriptedRun {
    fn status(&self, now: Duration, is_v2: bool) -> Value {
        if now < self.ends {
            let is_queued = now < self.starts + Duration::from_secs(15);
            return json!({ "status": if is_queued { "queued" } else { "running" } });
        }
        let failed = u8::from(self.state == "failed");
        let mut status = json!({
            "status": self.state, "passed": 6 - failed, "failed": failed, "recovered": 0, "bug": 0,
        });
        if is_v2 {
            let id = format!("test-run-{}", self.starts.as_nanos());
            status["testRunId"] = id.into();
        }
        status
    }
}

/// Returns a failure that may be temporary.
fn fault(random: &mut Rng) -> FakeResponse {
    match random.u8(..6) {
        0 => FakeResponse::not_sent(),
        1 => FakeResponse::status(429).header("retry-after", "5"),
        2 => FakeResponse::status(502).body("<html>Bad Gateway</html>"),
        3 => FakeResponse::status(503).header("retry-after", "30"),
        4 => FakeResponse::status(504),
        _ => FakeResponse::status(200).body("{\"status\": \"pas"),
    }
}
