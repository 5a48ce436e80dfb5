//! Many runs and batches, watched by one stream over a service without a socket.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use checksum_api_ext::JobName;
use checksum_api_ext::{
    ApiVersion, Checksum, ChecksumBuilder, Error, ErrorKind, Event, Handle, HealOptions,
    PollPolicy, PrNumber, RetryPolicy, RunHandle, WatchSet,
};
use checksum_mock::{BatchScript, Mock, RunScript};
use checksum_tests::client_of;
use http::Response;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Runs that end after a while, behind a network on which each request takes 100 ms.
#[derive(Clone)]
struct Service(Arc<Mutex<Seen>>);

struct Seen {
    began: Instant,
    /// How long each run takes.
    length: Duration,
    /// Answered with 503, and with `Retry-After` where it is given.
    outage: Option<(std::ops::Range<Duration>, Option<u64>)>,
    /// This run's status is a 503 for good.
    broken: Option<String>,
    /// When each look at each run came.
    looks: BTreeMap<String, Vec<Duration>>,
    under_way: usize,
    most_under_way: usize,
}

impl Service {
    fn new(length: Duration) -> Self {
        Self(Arc::new(Mutex::new(Seen {
            began: Instant::now(),
            length,
            outage: None,
            broken: None,
            looks: BTreeMap::new(),
            under_way: 0,
            most_under_way: 0,
        })))
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self, policy: PollPolicy) -> Checksum {
        self.builder(policy).build().expect("a client")
    }

    fn builder(&self, policy: PollPolicy) -> ChecksumBuilder {
        let service = self.clone();
        Checksum::builder()
            .api_key("key".parse().expect("a key"))
            .base_url("https://checksum.invalid".parse().expect("a URL"))
            .retry_policy(RetryPolicy::none())
            .poll_policy(policy.jitter(0.0))
            .transport(move |request: reqwest::Request| {
                let service = service.clone();
                async move {
                    let name = request.url().path().rsplit('/').next().unwrap_or_default();
                    let answer = service.seen().answer(name);
                    sleep(SECOND / 10).await;
                    service.seen().under_way -= 1;
                    Ok(answer.into())
                }
            })
    }

    /// All looks at all runs, in order.
    fn looks(&self) -> Vec<Duration> {
        let mut looks: Vec<Duration> = self.seen().looks.values().flatten().copied().collect();
        looks.sort();
        looks
    }
}

impl Seen {
    fn answer(&mut self, name: &str) -> Response<String> {
        let now = self.began.elapsed();
        self.looks.entry(name.to_owned()).or_default().push(now);
        self.under_way += 1;
        self.most_under_way = self.most_under_way.max(self.under_way);
        let outage = self.outage.as_ref().filter(|(when, _)| when.contains(&now));
        if outage.is_some() || self.broken.as_deref() == Some(name) {
            let answer = Response::builder().status(503);
            let answer = match outage.and_then(|(_, retry_after)| *retry_after) {
                None => answer,
                Some(seconds) => answer.header("retry-after", seconds),
            };
            return answer.body(String::new()).expect("an answer");
        }
        let state = if now < self.length {
            "running"
        } else {
            "passed"
        };
        Response::new(json!({ "status": state }).to_string())
    }
}

fn job(number: usize) -> Handle {
    let name = JobName::new(format!("job-{number}")).expect("a job name");
    RunHandle::new(name).pin_api_version(ApiVersion::V1).into()
}

fn jobs(count: usize) -> Vec<Handle> {
    (0..count).map(job).collect()
}

/// How each work ended, in order of the ends.
async fn ends(all: &mut WatchSet) -> Vec<(Handle, Result<bool, Error>)> {
    let mut ends = Vec::new();
    while let Some((handle, event)) = all.next().await {
        match event {
            Ok(Event::Finished(report)) => ends.push((handle, Ok(report.is_success()))),
            Ok(_) => {}
            Err(error) => ends.push((handle, Err(error))),
        }
    }
    ends
}

#[tokio::test(start_paused = true)]
async fn five_hundred_runs_end_within_their_bounds() {
    let service = Service::new(600 * SECOND);
    let client = service.client(PollPolicy::default());
    let mut all = client.watch(jobs(500)).max_concurrent(4);
    let ends = ends(&mut all).await;

    let names: BTreeSet<String> = ends.iter().map(|(handle, _)| handle.to_string()).collect();
    assert_eq!(names.len(), 500);
    assert!(ends.iter().all(|(_, end)| matches!(end, Ok(true))));
    assert!(all.is_empty());
    assert!(service.seen().most_under_way <= 4);
    // Fair: no run is looked at much oftener than another.
    let counts = service
        .seen()
        .looks
        .values()
        .map(Vec::len)
        .collect::<BTreeSet<_>>();
    assert!(
        counts.last() <= counts.first().map(|least| least + 2).as_ref(),
        "{counts:?}"
    );
    // As quick as it may be: the last end is noticed one round after the first at the latest.
    let looks = service.looks();
    assert!(
        looks.last().is_some_and(|last| *last < 640 * SECOND),
        "{:?}",
        looks.last()
    );
    for (earlier, later) in looks.iter().zip(&looks[25..]) {
        assert!(
            *later - *earlier >= SECOND * 99 / 100,
            "{earlier:?} and {later:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn few_runs_are_looked_at_as_if_alone() {
    let service = Service::new(300 * SECOND);
    let client = service.client(PollPolicy::default());
    ends(&mut client.watch(jobs(1))).await;
    let together = service.looks();
    let service = Service::new(300 * SECOND);
    let Handle::Run(handle) = job(0) else {
        unreachable!("a run")
    };
    let client = service.client(PollPolicy::default());
    client.resume_run(handle).await.expect("an end");
    assert_eq!(together, service.looks());
}

#[tokio::test(start_paused = true)]
async fn an_outage_slows_all_of_them_down_and_ends_none() {
    let service = Service::new(900 * SECOND);
    service.seen().outage = Some((100 * SECOND..400 * SECOND, None));
    let client = service.client(PollPolicy::fixed(10 * SECOND));
    let ends = ends(&mut client.watch(jobs(200))).await;
    assert_eq!(ends.len(), 200);
    assert!(ends.iter().all(|(_, end)| matches!(end, Ok(true))));
    let in_outage = |at: &&Duration| (101 * SECOND..400 * SECOND).contains(at);
    let looks = service.looks();
    let count = looks.iter().filter(in_outage).count();
    assert!(
        (10..=40).contains(&count),
        "{count} looks in an outage of 300 s"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_service_asks_of_one_all_of_them_do() {
    let service = Service::new(300 * SECOND);
    service.seen().outage = Some((50 * SECOND..51 * SECOND, Some(90)));
    let client = service.client(PollPolicy::fixed(10 * SECOND));
    ends(&mut client.watch(jobs(100))).await;
    let looks = service.looks();
    // The looks that are under way when the first refusal comes are not called back.
    let quiet = |at: &&Duration| (51 * SECOND..140 * SECOND).contains(at);
    assert_eq!(looks.iter().filter(quiet).count(), 0);
    assert!(
        looks
            .iter()
            .any(|at| (140 * SECOND..142 * SECOND).contains(at))
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_for_good_ends_alone() {
    let service = Service::new(1_200 * SECOND);
    service.seen().broken = Some("job-3".to_owned());
    let client = service.client(PollPolicy::fixed(10 * SECOND));
    let ends = ends(&mut client.watch(jobs(20))).await;
    let (failed, passed): (Vec<_>, Vec<_>) = ends.iter().partition(|(_, end)| end.is_err());
    assert_eq!(passed.len(), 19);
    let [(handle, Err(error))] = failed[..] else {
        panic!("{failed:?}")
    };
    assert_eq!(handle.to_string(), "run:job-3");
    assert_eq!(error.kind(), ErrorKind::PollingFailed);
    let text = error.to_string();
    let after = text
        .split(" failed for ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let after: u64 = after.and_then(|after| after.parse().ok()).expect("seconds");
    assert!((300..330).contains(&after), "{text}");
}

#[tokio::test(start_paused = true)]
async fn deadlines_hold_even_while_the_service_asks_for_quiet() {
    let service = Service::new(3_600 * SECOND);
    service.seen().outage = Some((100 * SECOND..110 * SECOND, Some(3_000)));
    let policy = PollPolicy::fixed(10 * SECOND).deadline(500 * SECOND);
    let mut all = service.client(policy).watch(jobs(50));
    let began = Instant::now();
    let ends = ends(&mut all).await;
    assert_eq!(ends.len(), 50);
    assert!(
        ends.iter()
            .all(|(_, end)| end.as_ref().is_err_and(Error::is_deadline_exceeded))
    );
    assert_eq!(began.elapsed().as_secs(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_set_grows_and_shrinks_and_is_resumed() {
    let service = Service::new(100 * SECOND);
    let client = service.client(PollPolicy::fixed(10 * SECOND));
    let mut all = client.watch(jobs(3));
    assert!(!all.insert(job(1)), "it is watched already");
    // To give up a wait in the middle loses nothing.
    while timeout(15 * SECOND, all.next()).await.is_ok() {
        if service.seen().began.elapsed() > 30 * SECOND {
            break;
        }
    }
    assert!(all.remove(&job(0)));
    assert!(!all.remove(&job(0)));
    assert!(all.insert(job(7)));
    let saved = serde_json::to_string(&all.iter().collect::<Vec<_>>()).expect("JSON");
    drop(all);

    let handles: Vec<Handle> = serde_json::from_str(&saved).expect("handles");
    let mut all = client.watch(handles);
    assert_eq!(all.len(), 3);
    let mut names: Vec<String> = ends(&mut all)
        .await
        .iter()
        .map(|(h, _)| h.to_string())
        .collect();
    names.sort();
    assert_eq!(names, ["run:job-1", "run:job-2", "run:job-7"]);
    // It goes on after it was empty.
    all.insert(job(9));
    assert_eq!(ends(&mut all).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_saved_has_each_run_whose_end_was_not_told() {
    let service = Service::new(100 * SECOND);
    let client = service.client(PollPolicy::fixed(10 * SECOND));
    let mut all = client.watch(jobs(2));
    let mut told = BTreeSet::new();
    while let Some((handle, event)) = all.next().await {
        if matches!(event, Ok(Event::Finished(_))) {
            told.insert(handle.to_string());
        }
        // Whoever is killed here finds each run among what it was told or what it has saved.
        let saved: BTreeSet<String> = all.iter().map(|handle| handle.to_string()).collect();
        assert!(told.is_disjoint(&saved));
        assert_eq!(told.len() + saved.len(), 2, "{told:?}, {saved:?}");
        assert_eq!(saved.len(), all.len());
    }
    assert_eq!(told.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_under_way_at_the_deadline_comes_to_its_end() {
    // The state comes in time; the question for the test run's id does not.
    let service = Service::new(10 * SECOND);
    let policy = PollPolicy::fixed(10 * SECOND).deadline(10 * SECOND + SECOND / 4);
    let handle = json!({ "run": { "jobName": "job-1", "apiVersion": "v1" } });
    let handle: Handle = serde_json::from_value(handle).expect("a handle");
    let mut all = service.client(policy).watch([handle]);
    let ends = ends(&mut all).await;
    assert!(matches!(ends[0].1, Ok(true)), "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn runs_and_batches_together() {
    let mock = Mock::builder().without_socket();
    let client = client_of(&mock);
    mock.next_run(RunScript::new().fail_tests(["test-1"]));
    let failed = client
        .run_suite()
        .start()
        .await
        .expect("a run")
        .await
        .expect("an end");
    mock.next_heal(BatchScript::new().fail_all());
    let repo = "acme-co/my-tests".parse().expect("a name");
    let heal = failed
        .heal(HealOptions::open_pull_request(repo))
        .expect("an id")
        .start()
        .await
        .expect("a batch");
    let repo = "acme-co/webapp".parse().expect("a name");
    let generation = client
        .generate(repo, PrNumber::new(42).expect("a number"), "branch")
        .start()
        .await
        .expect("a batch");
    let run = client.run_grep("checkout").start().await.expect("a run");
    let unknown: JobName = "nobody-knows-it".parse().expect("a name");

    let handles = [
        Handle::from(&heal),
        Handle::from(&generation),
        Handle::from(&run),
        unknown.into(),
    ];
    let ends = ends(&mut client.watch(handles)).await;
    let mut told: Vec<String> = ends
        .iter()
        .map(|(handle, end)| match (handle, end) {
            (Handle::Run(_), Ok(end)) => format!("a run: {end}"),
            (Handle::Run(_), Err(error)) => format!("a run: not found: {}", error.is_not_found()),
            (Handle::HealBatch(_), end) => format!("healing: {end:?}"),
            (_, end) => format!("generation: {end:?}"),
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "a run: not found: true",
            "a run: true",
            "generation: Ok(true)",
            "healing: Ok(false)"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_reached_and_never_exceeded() {
    for per_second in [200_u32, 1_000] {
        let service = Service::new(3_600 * SECOND);
        let client = service
            .builder(PollPolicy::fixed(SECOND))
            .max_requests_per_second(per_second)
            .build()
            .expect("a client");
        let mut all = client.watch(jobs(1_500)).max_concurrent(500);
        let _ = timeout(5 * SECOND, async { while all.next().await.is_some() {} }).await;
        let looks = service.looks();
        let count = looks.len() as u32;
        assert!(
            count >= per_second * 47 / 10,
            "{count} polls in 5 s at {per_second}"
        );
        let window = per_second as usize;
        for (earlier, later) in looks.iter().zip(&looks[window..]) {
            assert!(
                *later - *earlier >= SECOND * 95 / 100,
                "{earlier:?} and {later:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_a_day_holds_the_others_for_minutes_at_the_most() {
    let service = Service::new(2_000 * SECOND);
    service.seen().outage = Some((50 * SECOND..51 * SECOND, Some(86_400)));
    let client = service.client(PollPolicy::fixed(10 * SECOND));
    let ends = ends(&mut client.watch(jobs(20))).await;
    assert!(
        ends.iter().all(|(_, end)| matches!(end, Ok(true))),
        "{ends:?}"
    );
    let looks = service.looks();
    let longest = looks.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(
        longest.is_some_and(|gap| gap <= 305 * SECOND),
        "{longest:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_resumed_set_tolerates_404_for_new_work_alone() {
    let mock = Mock::builder().without_socket();
    let client = client_of(&mock);
    let handle = |name: &str, started_at: String| -> Handle {
        let run = json!({ "run": { "jobName": name, "startedAt": started_at } });
        serde_json::from_value(run).expect("a handle")
    };
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    let handles = [
        handle("nobody-knows-it-yet", now),
        handle("forgotten", "2020-02-20T20:20:20Z".to_owned()),
        handle("from-a-name", "2020-02-20T20:20:20Z".to_owned()),
    ];
    let began = Instant::now();
    let mut all = client.watch(handles);
    let mut ended = Vec::new();
    while let Some((handle, event)) = all.next().await {
        if let Err(error) = event {
            assert!(error.is_not_found(), "{error}");
            ended.push((handle.id().to_owned(), began.elapsed() > 20 * SECOND));
        }
    }
    ended.sort();
    let expected = [
        ("forgotten", false),
        ("from-a-name", false),
        ("nobody-knows-it-yet", true),
    ];
    assert_eq!(ended, expected.map(|(name, late)| (name.to_owned(), late)));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_nothing_polls_each_work_once() {
    let service = Service::new(Duration::ZERO);
    let policy = PollPolicy::fixed(10 * SECOND).deadline(Duration::ZERO);
    let ended = ends(&mut service.client(policy).watch(jobs(50))).await;
    assert!(
        ended.iter().all(|(_, end)| matches!(end, Ok(true))),
        "{ended:?}"
    );
    assert_eq!(ended.len(), 50);

    let service = Service::new(3_600 * SECOND);
    let ended = ends(&mut service.client(policy).watch(jobs(50))).await;
    assert!(
        ended
            .iter()
            .all(|(_, end)| end.as_ref().is_err_and(Error::is_deadline_exceeded))
    );
    assert_eq!(service.looks().len(), 50);
}

/// Runs that fail for good, each with a `Retry-After` of a day, do not keep the others waiting.
#[tokio::test(start_paused = true)]
async fn works_that_fail_for_good_do_not_hold_the_others_back() {
    let transport = |request: reqwest::Request| async move {
        let name = request.url().path().rsplit('/').next().unwrap_or_default();
        let number: usize = name.trim_start_matches("job-").parse().expect("a number");
        let response = Response::builder();
        let response = match number % 2 {
            0 => response
                .status(503)
                .header("retry-after", 86_400)
                .body(String::new()),
            _ => response.body(json!({ "status": "passed", "passed": 1, "failed": 0 }).to_string()),
        };
        Ok(response.expect("a response").into())
    };
    let service = Service::new(SECOND);
    let client = service.builder(PollPolicy::default()).transport(transport);
    let client = client.build().expect("a client");
    let began = Instant::now();
    let mut all = client.watch(jobs(20));
    let mut last_pass = Duration::ZERO;
    while let Some((_, event)) = all.next().await {
        if let Ok(Event::Finished(_)) = event {
            last_pass = began.elapsed();
        }
    }
    assert!(last_pass <= 310 * SECOND, "{last_pass:?}");
}
