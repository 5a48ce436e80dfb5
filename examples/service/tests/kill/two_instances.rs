//! Two instances with one Postgres.

use std::collections::BTreeMap;
use std::time::Duration;

use checksum_mock::{Clock, Fault, Mock, RunScript};
use futures_util::future::join_all;

use super::instance::{Instance, until};
use super::postgres::Postgres;
use super::{sender, starts};

const HOUR: Duration = Duration::from_secs(3600);
const TURNS: usize = 6;
const COMMITS_IN_A_TURN: usize = 4;

async fn mock() -> Mock {
    let script = RunScript::new().queued(0).running(HOUR);
    let builder = Mock::builder().clock(Clock::manual()).default_run(script);
    builder.start().await.expect("a mock")
}

/// Kills each of the two in turn. Every second time, this is while a request to start a run has no
/// response.
#[tokio::test]
async fn a_run_is_watched_by_one_instance_and_taken_over_when_it_dies() {
    let Some(postgres) = Postgres::start().await else {
        return;
    };
    let mock = mock().await;
    let mut instances = [0, 1].map(|_| Instance::start(&postgres.url, &mock));
    let mut commits = Vec::new();
    // The number of requests at the moment before an instance was killed.
    let mut killed = BTreeMap::new();

    for turn in 0..TURNS {
        if turn % 2 == 1 {
            mock.fault(Fault::hang().on_operation("run_grep_v2"));
        }
        let new: Vec<String> = (0..COMMITS_IN_A_TURN)
            .map(|number| format!("commit-{turn}-{number}"))
            .collect();
        // At the same moment, so that both claim rows.
        let puts = new
            .iter()
            .flat_map(|commit| instances.iter().map(move |one| one.put(commit)));
        for status in join_all(puts).await {
            assert_eq!(status.expect("a response"), 202);
        }
        commits.extend(new);
        let hanging = until("all responses but that one are stored", async || {
            let mut starting = Vec::new();
            for commit in &commits {
                starts(&mock).get(commit)?;
                let row = instances[0].row(commit).await;
                if row["state"] == "starting" {
                    starting.push(row["instance"].clone());
                }
            }
            (starting.len() == turn % 2).then_some(starting)
        })
        .await;
        // The one with the start that hangs, or another one than the last time.
        let victim = match hanging.first() {
            Some(number) => usize::from(instances[1].number == *number),
            None => turn / 2 % 2,
        };
        let replacement = Instance::start(&postgres.url, &mock);
        let victim = std::mem::replace(&mut instances[victim], replacement);
        killed.insert(victim.number.clone(), mock.requests().len());
        let number = victim.number.clone();
        victim.kill();
        for commit in &commits {
            until("the run is taken over", async || {
                let row = instances[0].row(commit).await;
                let is_settled = row["state"] == "may-have-started";
                (is_settled || row["instance"] != number).then_some(())
            })
            .await;
        }
    }

    mock.clock().advance(HOUR);
    let mut unclear = 0;
    for commit in &commits {
        for instance in &instances {
            let rows = instance.events(commit).await;
            let last = rows.last().expect("a row");
            assert!(
                ["finished", "may-have-started"]
                    .iter()
                    .any(|state| last["state"] == *state)
            );
        }
        let state = &instances[0].row(commit).await["state"];
        unclear += usize::from(state == "may-have-started");
        assert_eq!(starts(&mock)[commit], 1, "{commit}");
    }
    assert_eq!(unclear, TURNS / 2);

    let mut watchers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (index, request) in mock.requests().into_iter().enumerate() {
        if request.method != "GET" {
            continue;
        }
        let instance = sender(&request).to_owned();
        let watchers = watchers.entry(request.path).or_default();
        if watchers.last() == Some(&instance) {
            continue;
        }
        assert!(!watchers.contains(&instance), "polled by two: {watchers:?}");
        if let Some(previous) = watchers.last() {
            let death = killed.get(previous).expect("it is dead");
            assert!(index >= *death, "taken over from a live instance");
        }
        watchers.push(instance);
    }
    let most = watchers.values().map(Vec::len).max();
    assert!(most >= Some(3), "no run was taken over twice: {watchers:?}");
}

#[tokio::test]
async fn a_suspended_instance_keeps_its_runs_and_a_lost_session_ends_it() {
    let Some(postgres) = Postgres::start().await else {
        return;
    };
    let mock = mock().await;
    let first = Instance::start(&postgres.url, &mock);
    first.put("running").await;
    first.until_state("running", &["running"]).await;
    mock.fault(Fault::delay(HOUR).on_operation("run_grep_v2"));
    first.put("starting").await;
    until("the start is in flight", async || {
        starts(&mock).get("starting").copied()
    })
    .await;

    first.signal("STOP");
    let second = Instance::start(&postgres.url, &mock);
    second.put("other").await;
    second.until_state("other", &["running"]).await;
    // For several heartbeats, at 25 polls in a second.
    let polls_of = |number: &str| {
        let requests = mock.requests();
        let polls = requests.iter().filter(|request| request.method == "GET");
        polls.filter(|poll| sender(poll) == number).count()
    };
    until("it has polled for long", async || {
        (polls_of(&second.number) > 60).then_some(())
    })
    .await;
    for commit in ["running", "starting"] {
        let row = second.row(commit).await;
        assert_eq!(
            (&row["state"], &row["instance"]),
            (&commit.into(), &first.number.clone().into())
        );
    }

    first.signal("CONT");
    mock.clock().advance(HOUR);
    for commit in ["running", "starting", "other"] {
        let row = second.until_state(commit, &["running", "finished"]).await;
        assert_eq!(row["event"]["error"], serde_json::Value::Null, "{row}");
    }
    mock.clock().advance(HOUR);
    for commit in ["running", "starting"] {
        let row = second.until_state(commit, &["finished"]).await;
        assert_eq!(row["instance"], first.number);
    }

    mock.fault(Fault::hang().on_operation("run_grep_v2"));
    first.put("lost").await;
    until("the start is in flight", async || {
        starts(&mock).get("lost").copied()
    })
    .await;
    let owner = second.row("lost").await["instance"].clone();
    let (mut owner, survivor) = match owner == first.number {
        true => (first, second),
        false => (second, first),
    };
    postgres.end_session(&owner.number).await;
    assert!(!owner.exit().await.success());
    survivor.until_state("lost", &["may-have-started"]).await;
    assert!(starts(&mock).values().all(|starts| *starts == 1));
}
