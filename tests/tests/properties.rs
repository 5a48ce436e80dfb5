//! Properties of what is stored and of when requests are sent, for values that nobody thought of.
//! Those of the decoders, ids and addresses are in `fuzz/`, those of the reports in
//! `checksum-report`.

use std::fmt::Debug;
use std::time::Duration;

use checksum_api::types;
use checksum_api_ext::{BatchHandle, Counts, Handle, Intent, PollPolicy, RetryPolicy, RunHandle};
use checksum_tests::{FakeResponse, FakeTransport};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Returns what a value becomes after it was stored and read, and its JSON.
fn stored<T: Serialize + DeserializeOwned>(value: &T) -> (T, Value) {
    let text = serde_json::to_string(value).expect("JSON");
    let json = serde_json::from_str(&text).expect("JSON");
    let read = serde_json::from_str(&text);
    (read.unwrap_or_else(|error| panic!("{text}: {error}")), json)
}

/// Reads a value, and asserts that it survives to be stored.
fn assert_survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: Value) {
    let read: T = serde_json::from_value(value).expect("a value");
    let (again, json) = stored(&read);
    assert_eq!(again, read);
    assert_eq!(stored(&again).1, json);
}

/// An id, with what separates the parts of paths, URLs and keys.
fn id() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(":"),
        Just("/"),
        Just("%2e"),
        Just(" "),
        Just("run:"),
        Just("é")
    ];
    let parts = (part, "[a-z.?#&=]{1,4}").prop_map(|(part, text)| format!("{text}{part}a"));
    prop_oneof![
        "[a-z]",
        parts,
        any::<String>().prop_filter("no id", |text| is_id(text))
    ]
}

fn is_id(text: &str) -> bool {
    types::JobName::new(text).is_ok()
}

/// A time in any form that a handle may have: of another version, edited by hand, at a limit.
fn time() -> impl Strategy<Value = Value> {
    let second = (0..=253_402_300_799_u64, 0..1_000_000_000_u32);
    let second = second.prop_map(|(seconds, nanoseconds)| {
        let time = std::time::UNIX_EPOCH + Duration::new(seconds, nanoseconds);
        humantime::format_rfc3339_nanos(time).to_string()
    });
    let edge = prop_oneof![
        Just("9999-12-31T23:59:60Z"),
        Just("1970-01-01 00:00:00"),
        Just("?")
    ];
    prop_oneof![4 => second, 1 => edge.prop_map(str::to_owned)].prop_map(Value::from)
}

/// An object of these fields, each of which may be missing.
fn object<const N: usize>(
    fields: [(&'static str, BoxedStrategy<Value>); N],
) -> impl Strategy<Value = Value> {
    let fields = fields.map(|(name, value)| option::of(value.prop_map(move |it| (name, it))));
    let fields: Vec<_> = fields.into();
    fields.prop_map(|fields| {
        let fields = fields.into_iter().flatten();
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    })
}

fn run_handle() -> impl Strategy<Value = Value> {
    let optional = object([
        (
            "apiVersion",
            prop_oneof![Just("v1"), Just("v2")]
                .prop_map(Value::from)
                .boxed(),
        ),
        ("pinned", any::<bool>().prop_map(Value::from).boxed()),
        ("autoHeal", any::<bool>().prop_map(Value::from).boxed()),
        ("startedAt", time().boxed()),
        ("later", Just(json!({ "version": 9 })).boxed()),
    ]);
    let ids = (option::of(id()), id(), any::<bool>());
    (optional, ids).prop_map(|(mut handle, (job_name, other, has_test_run))| {
        if has_test_run || job_name.is_none() {
            handle["testRunId"] = other.into();
        }
        if let Some(job_name) = job_name {
            handle["jobName"] = job_name.into();
        }
        handle
    })
}

macro_rules! words {
    ($text:expr, $($name:ident),*) => {$({
        let word = types::$name::from($text);
        prop_assert_eq!(word.as_str(), $text);
        let (again, json) = stored(&word);
        prop_assert_eq!(&again, &word);
        prop_assert_eq!(json, $text);
        prop_assert!(word.ignoring_case().as_str().trim().eq_ignore_ascii_case($text.trim()));
        for known in types::$name::KNOWN {
            prop_assert_eq!(known == &again, known.as_str() == $text);
        }
    })*};
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn handles_of_runs(handle in run_handle()) {
        assert_survives::<RunHandle>(handle.clone());
        let handle: RunHandle = serde_json::from_value(handle).expect("a handle");
        let handle = Handle::Run(handle);
        for key in handle.keys() {
            let parsed: Handle = key.parse().expect("a key");
            prop_assert!(parsed.is_same_work(&handle), "{key}");
            prop_assert_eq!(parsed.to_string(), key);
        }
        assert_survives::<Handle>(serde_json::to_value(&handle).expect("JSON"));
    }

    #[test]
    fn handles_of_batches(id in id(), started_at in option::of(time()), is_healing in any::<bool>()) {
        assert_survives::<BatchHandle>(json!(id));
        let handle = json!({ "batchId": id, "startedAt": started_at });
        assert_survives::<BatchHandle>(handle.clone());
        let kind = if is_healing { "healBatch" } else { "generationBatch" };
        let handle = json!({ kind: handle });
        assert_survives::<Handle>(handle.clone());
        let handle: Handle = serde_json::from_value(handle).expect("a handle");
        let parsed: Handle = handle.to_string().parse().expect("a key");
        prop_assert_eq!(parsed.id(), &id);
        prop_assert!(parsed.is_same_work(&handle));
    }

    #[test]
    fn intents_and_counts(
        operation in any::<String>(), at in time().prop_filter("a time", |at| at != "?"),
        count in any::<u64>()
    ) {
        let at = at.as_str().unwrap_or_default().replace(' ', "T");
        let at = format!("{}Z", at.trim_end_matches('Z'));
        assert_survives::<Intent>(json!({ "operation": operation, "at": at, "fingerprint": "0" }));
        assert_survives::<Counts>(json!({ "passed": count, "failed": 0, "recovered": 1, "bug": 2 }));
    }

    /// A word that a later version of the service adds is kept as it is.
    #[test]
    fn open_enumerations(text in prop_oneof![any::<String>(), "[ A-Z]{0,2}(passed|FAILED|Bug|Open)[ -]?"]) {
        let text = text.as_str();
        words!(text, BatchState, BugSeverity, BugStatus, HealthStatus, RunState, SessionState, TestStatus, Verdict);
    }
}

/// What happens at one poll: a status, or a failure with a `Retry-After` of so many seconds.
fn poll() -> impl Strategy<Value = Option<Option<u64>>> {
    option::of(option::of(0..2_000_u64))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

fn failure(retry_after: Option<u64>) -> FakeResponse {
    let response = FakeResponse::status(503);
    match retry_after {
        Some(seconds) => response.header("retry-after", seconds.to_string()),
        None => response,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// The time between two polls has bounds, whatever the policy and the service say, and the wait
    /// ends in time.
    #[test]
    fn intervals_of_polls(
        initial in 1..20_u64, multiplier in 0.5..5.0, max in 1..60_u64, jitter in 0.0..0.5_f64, seed: u64,
        deadline in 1..4_000_u64, polls in vec(poll(), 1..12)
    ) {
        let seconds = Duration::from_secs;
        let error_timeout = seconds(300);
        let policy = PollPolicy::fixed(seconds(max)).initial_interval(seconds(initial)).multiplier(multiplier)
            .jitter(jitter).seed(seed)
            .error_timeout(error_timeout).deadline(seconds(deadline));
        let responses = polls.iter().map(|poll| match poll {
            None => json!({ "status": "running" }).into(),
            Some(retry_after) => failure(*retry_after),
        });
        let script = checksum_tests::Script::in_order(responses);
        let log = run(async {
            let transport = FakeTransport::from(script.then_always(json!({ "status": "failed" })));
            let client = transport.builder().poll_policy(policy).build().expect("a client");
            let handle = RunHandle::new("job".parse().expect("a name"));
            let _ = client.resume_run(handle).await;
            transport.log()
        });
        let (least, most) = (initial.min(max) as f64 * (1.0 - jitter), max as f64 * (1.0 + jitter));
        let mut failing_since = None;
        for (pair, poll) in log.windows(2).zip(&polls) {
            let interval = (pair[1].at - pair[0].at).as_secs_f64();
            failing_since = poll.map(|_| failing_since.unwrap_or(pair[0].at));
            if let (Some(Some(asked)), Some(since)) = (poll, failing_since) {
                let left = (since + error_timeout).min(seconds(deadline)).saturating_sub(pair[0].at);
                let asked = seconds(*asked).min(left).as_secs_f64();
                prop_assert!(interval >= asked - 0.01, "{interval} < {asked}, which was asked for");
            }
            // The last poll comes at the deadline, or at the end of the time for failures.
            let is_last = pair[1].at >= seconds(deadline) || poll.is_some();
            prop_assert!(is_last || interval >= least - 0.01, "{interval} < {least}");
            let retry_after = poll.flatten().unwrap_or_default() as f64 * (1.0 + jitter);
            let most = match poll {
                None => most,
                Some(_) => (2.0 * most).max(retry_after.min(error_timeout.as_secs_f64())),
            };
            prop_assert!(interval <= most + 0.01, "{interval} > {most} after {poll:?}");
        }
        let end = log.last().expect("a poll").at;
        prop_assert!(end <= seconds(deadline + 1), "{end:?} of {deadline}");
    }

    /// A read is sent no more often and no later than the policy says, and no sooner than the service
    /// asks for.
    #[test]
    fn delays_of_retries(
        attempts in 0..8_u32, initial in 0..10_000_u64, total in 0..100_u64, seed: u64,
        failures in vec(option::of(0..60_u64), 8)
    ) {
        let (initial, total) = (Duration::from_millis(initial), Duration::from_secs(total));
        let policy = RetryPolicy::default().max_attempts(attempts).initial_delay(initial)
            .max_total_delay(total).seed(seed);
        let log = run(async {
            let transport = FakeTransport::in_order(failures.iter().copied().map(failure));
            let client = transport.builder().retry_policy(policy).build().expect("a client");
            client.project().await.expect_err("it fails");
            transport.log()
        });
        prop_assert!(log.len() <= attempts.max(1) as usize);
        let slack = Duration::from_millis(10 * log.len() as u64);
        let end = log.last().expect("a request").at;
        prop_assert!(end <= total + slack, "{end:?} of {total:?}");
        for (number, (pair, retry_after)) in log.windows(2).zip(&failures).enumerate() {
            let delay = pair[1].at - pair[0].at;
            match retry_after {
                Some(seconds) => prop_assert!(delay >= Duration::from_secs(*seconds)),
                None => prop_assert!(delay <= initial * (1 << number) + slack),
            }
        }
        // What the policy allows is used.
        let next = failures[log.len() - 1].map(Duration::from_secs);
        let is_allowed = log.len() < attempts as usize && next.is_some_and(|it| end + slack + it < total);
        prop_assert!(!is_allowed, "it could have been sent again");
    }
}
