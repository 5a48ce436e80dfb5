//! One instance with SQLite.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use checksum_mock::{Clock, Fault, Mock, RunScript, TestScript};
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

use super::instance::{Instance, until};
use super::{sender, starts};

const HOUR: Duration = Duration::from_secs(3600);
const ROUNDS: usize = 16;
const COMMITS_IN_A_ROUND: usize = 2;

fn database() -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let url = sqlite(&directory.path().join("runs.db"));
    (directory, url)
}

fn sqlite(path: &Path) -> String {
    format!("sqlite:{}?mode=rwc", path.display())
}

/// Each round asks for new runs and kills the instance at another instant. In three of four rounds
/// this is while the request to start one of the runs has no response, which the service has acted
/// on or not.
#[tokio::test]
async fn no_kill_loses_a_run_or_starts_it_twice() {
    let script = RunScript::new().tests([TestScript::new("any")]);
    let mock = Mock::builder().default_run(script).start().await;
    let mock = mock.expect("a mock");
    let (_directory, database) = database();
    let mut random = StdRng::seed_from_u64(15);
    let commits: Vec<String> = (0..ROUNDS * COMMITS_IN_A_ROUND)
        .map(|number| format!("commit-{number}"))
        .collect();

    for (round, new) in commits.chunks(COMMITS_IN_A_ROUND).enumerate() {
        let fault = match round % 4 {
            0 => Some(Fault::hang()),
            1 => Some(Fault::delay(HOUR)),
            2 => Some(Fault::reset_after_handling()),
            _ => None,
        };
        if let Some(fault) = fault {
            mock.fault(fault.on_operation("run_grep_v2"));
        }
        let instance = Instance::start(&database, &mock);
        let before = mock.request_count();
        let starts_before = mock_starts(&mock);
        let requests = random.random_range(1..8);
        let pause = Duration::from_micros(random.random_range(0..4_000));
        let kill = async {
            until("it has sent requests", async || {
                // A fault that is left would hit a run of another round.
                let is_used = round % 4 == 3 || mock_starts(&mock) > starts_before;
                (is_used && mock.request_count() >= before + requests).then_some(())
            })
            .await;
            let seen = Instant::now();
            while seen.elapsed() < pause {
                tokio::task::yield_now().await;
            }
        };
        let ask = async {
            join_all(new.iter().map(|commit| instance.put(commit))).await;
            std::future::pending::<()>().await;
        };
        tokio::select! { () = kill => {}, () = ask => {} }
        instance.kill();
    }

    let instance = Instance::start(&database, &mock);
    let mut finished = 0;
    let mut unclear = 0;
    for commit in &commits {
        assert_eq!(instance.put(commit).await.expect("a response"), 202);
    }
    for commit in &commits {
        let row = instance
            .until_state(commit, &["finished", "may-have-started"])
            .await;
        let started = starts(&mock).get(commit).copied().unwrap_or(0);
        if row["state"] == "finished" {
            assert_eq!(row["event"]["run"]["outcome"], "passed");
            assert_eq!(started, 1, "{commit} is finished");
            finished += 1;
        } else {
            assert_eq!(row["intent"]["operation"], "run_grep_v2");
            assert!(started <= 1, "{commit} was started {started} times");
            unclear += 1;
        }
    }
    assert_eq!(finished + unclear, commits.len());

    // The test would prove nothing if no kill had hit a start or a watch.
    assert!(unclear >= ROUNDS / 4 * 3 && finished >= ROUNDS / 2);
    let requests = mock.requests();
    let polls = requests.iter().filter(|request| request.method == "GET");
    let watched: BTreeSet<_> = polls.map(|poll| (&poll.path, sender(poll))).collect();
    let runs: BTreeSet<_> = watched.iter().map(|(path, _)| path).collect();
    assert!(
        watched.len() > runs.len(),
        "no run was watched by two instances"
    );
}

fn mock_starts(mock: &Mock) -> usize {
    starts(mock).values().sum()
}

#[tokio::test]
async fn rejected_runs_are_requested_again_and_others_never() {
    let mock = Mock::start().await.expect("a mock");
    let (_directory, database) = database();
    let instance = Instance::start(&database, &mock);

    mock.fault(
        Fault::status(400)
            .body("no such branch")
            .on_operation("run_grep_v2"),
    );
    instance.put("rejected").await;
    let row = instance.until_state("rejected", &["rejected"]).await;
    let reason = row["event"]["error"].as_str().expect("a reason");
    assert!(reason.contains("no such branch"), "{reason}");
    instance.put("rejected").await;
    instance.until_state("rejected", &["finished"]).await;
    assert_eq!(starts(&mock)["rejected"], 2);

    mock.fault(Fault::reset_after_handling().on_operation("run_grep_v2"));
    instance.put("unclear").await;
    instance.until_state("unclear", &["may-have-started"]).await;
    assert_eq!(instance.put("unclear").await.expect("a response"), 202);
    assert_eq!(instance.row("unclear").await["state"], "may-have-started");

    // More often than the client sends it again by itself.
    let limited = Fault::status(429).header("retry-after", "0");
    mock.fault(limited.on_operation("run_grep_v2").times(6));
    instance.put("limited").await;
    instance.until_state("limited", &["finished"]).await;
    assert_eq!(starts(&mock)["limited"], 7);

    assert_eq!(starts(&mock)["unclear"], 1);
    let status = instance.put_grep("unclear", "other").await;
    assert_eq!(status.expect("a response"), 409);
    let status = instance.put_grep("invalid", "").await;
    assert_eq!(status.expect("a response"), 400);
}

#[tokio::test]
async fn an_endless_retry_after_stops_nothing() {
    let mock = Mock::start().await.expect("a mock");
    let (_directory, database) = database();
    let endless = Fault::status(429).header("retry-after", &u64::MAX.to_string());
    mock.fault(endless.on_operation("run_grep_v2"));
    let mut instance = Instance::start(&database, &mock);
    instance.put("limited").await;
    until("the reason is stored", async || {
        let row = instance.row("limited").await;
        assert!(
            ["requested", "starting"]
                .iter()
                .any(|state| row["state"] == *state)
        );
        row["event"]["error"].as_str().map(str::to_owned)
    })
    .await;
    assert_eq!(instance.put("limited").await.expect("a response"), 202);
    instance.signal("TERM");
    assert!(instance.exit().await.success());
}

#[tokio::test]
async fn a_failed_watch_leaves_the_run_to_be_watched_again() {
    let mock = Mock::start().await.expect("a mock");
    let (_directory, database) = database();
    mock.fault(Fault::status(401).on_operation("get_run_status_v2"));
    let instance = Instance::start(&database, &mock);
    instance.put("unauthorized").await;
    until("the failure is stored", async || {
        let row = instance.row("unauthorized").await;
        let error = row["event"]["error"].as_str()?;
        assert!(error.contains("401"), "{error}");
        assert_eq!(row["state"], "running");
        Some(())
    })
    .await;
    instance.kill();
    let instance = Instance::start(&database, &mock);
    instance.until_state("unauthorized", &["finished"]).await;
}

#[tokio::test]
async fn a_stream_has_each_state_and_ends_with_the_run() {
    let builder = Mock::builder().clock(Clock::manual());
    let mock = builder.start().await.expect("a mock");
    mock.next_run(RunScript::new().queued(0).running(HOUR));
    let (_directory, database) = database();
    let instance = Instance::start(&database, &mock);
    instance.put("streamed").await;
    instance.until_state("streamed", &["running"]).await;

    let finish = async {
        mock.clock().advance(HOUR);
    };
    let (events, ()) = tokio::join!(instance.events("streamed"), finish);
    let states: Vec<_> = events.iter().map(|row| &row["state"]).collect();
    assert_eq!(states.first().expect("an event"), &"running");
    assert_eq!(states.last().expect("an event"), &"finished");
    let again = instance.events("streamed").await;
    assert_eq!(again, events[events.len() - 1..]);
}

#[tokio::test]
async fn a_second_instance_on_the_file_does_not_start() {
    let mock = Mock::start().await.expect("a mock");
    let (_directory, database) = database();
    let _first = Instance::start(&database, &mock);
    let second = Instance::command(&database, &mock)
        .output()
        .expect("the service");
    assert!(!second.status.success());
    let error = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(error.contains("database is locked"), "{error}");
}

#[tokio::test]
async fn a_stopped_instance_stores_the_handle_of_a_start_in_flight() {
    let builder = Mock::builder().clock(Clock::manual());
    let mock = builder.start().await.expect("a mock");
    let (_directory, database) = database();
    let mut instance = Instance::start(&database, &mock);
    mock.fault(Fault::delay(HOUR).on_operation("run_grep_v2"));
    instance.put("in-flight").await;
    until("the start is in flight", async || {
        starts(&mock).get("in-flight").copied()
    })
    .await;
    instance.signal("TERM");
    until("it accepts no connection", async || {
        let response = instance.put("too-late").await;
        response.is_none().then_some(())
    })
    .await;
    mock.clock().advance(HOUR);
    assert!(instance.exit().await.success());

    let instance = Instance::start(&database, &mock);
    instance.until_state("in-flight", &["finished"]).await;
    assert_eq!(starts(&mock)["in-flight"], 1);
}
