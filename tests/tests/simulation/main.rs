//! The client, the mock server and the network between them in one simulated time, from a seed:
//! processes crash, messages are lost, the service fails. No work may start twice, and each cause must
//! get the right answer.
//!
//! The environment variables `SIMULATION_FIRST` and `SIMULATION_COUNT` choose the seeds.

#![expect(
    clippy::print_stderr,
    reason = "progress, and what is known of a seed that failed"
)]

mod bugs;
mod caller;
mod checker;
mod network;
mod records;
mod schedule;
mod simulation;

use std::env;
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bugs::Bug;
use simulation::simulate;

/// How many schedules the gate simulates. A planted bug must be seen in one of them.
const SCHEDULES: u64 = 1_000;

fn variable(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// Simulates these seeds, and returns what broke a rule, with the command that shows it again.
fn failures(first: u64, count: u64) -> Vec<String> {
    let next = AtomicU64::new(first);
    let failures = Mutex::new(Vec::new());
    let simulate_all = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                break;
            }
            // A panic must not hide the seed.
            let violations = panic::catch_unwind(|| simulate(seed, None).violations);
            let violations = violations.unwrap_or_else(|_| vec!["a panic".to_owned()]);
            if !violations.is_empty() {
                let violations = violations.join("\n  ");
                let failure = format!("{violations}\n  again: {}", command(seed));
                eprintln!("{failure}");
                failures.lock().expect("no panic").push(failure);
            }
            if (seed + 1 - first).is_multiple_of(10_000) {
                eprintln!("{} schedules", seed + 1 - first);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(simulate_all))));
    failures.into_inner().expect("no panic")
}

fn command(seed: u64) -> String {
    format!(
        "SIMULATION_FIRST={seed} cargo test -p checksum-tests --test simulation one -- --ignored \
         --nocapture"
    )
}

#[test]
fn no_schedule_breaks_a_rule() {
    let first = variable("SIMULATION_FIRST", 0);
    let failures = failures(first, variable("SIMULATION_COUNT", SCHEDULES));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Prints all that happens in one schedule.
#[test]
#[ignore = "for one seed that has failed"]
fn one() {
    let seed = variable("SIMULATION_FIRST", 0);
    eprintln!("{:#?}", schedule::Schedule::new(seed));
    let outcome = simulate(seed, None);
    eprintln!("{}", outcome.trace.join("\n"));
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
}

#[test]
fn the_same_seed_does_the_same_again() {
    for seed in 0..50 {
        let (once, again) = (simulate(seed, None).trace, simulate(seed, None).trace);
        let differs = once
            .iter()
            .zip(&again)
            .position(|(one, other)| one != other);
        let lines = differs.map(|line| [&once[line], &again[line]]);
        assert_eq!(lines, None, "seed {seed}");
        assert_eq!(once.len(), again.len(), "seed {seed}");
    }
}

/// Negative control: schedules in which nothing went wrong would break no rule.
#[test]
fn what_may_go_wrong_does() {
    let mut traces = Vec::new();
    let mut restarted = 0;
    for seed in 0..150 {
        let trace = simulate(seed, None).trace.join("\n");
        let callers = schedule::Schedule::new(seed).watches.len();
        restarted += usize::from(trace.matches("event: Began").count() > callers);
        traces.push(trace);
    }
    assert!(restarted >= 20, "{restarted}");
    // The least number of schedules, about half of what it was.
    for (part, least) in [
        ("NotSent", 20),
        ("Lost", 15),
        ("Abandoned", 35),
        ("status: 302", 4),
        ("status: 307", 5),
        ("status: 404", 30),
        ("status: 429", 6),
        ("status: 502", 3),
        ("/status/run/", 50),
        ("batch-gen-", 12),
        ("NotStarted", 5),
        ("MayHaveStarted", 20),
        ("Failed(NotFound)", 7),
        ("Failed(PollingFailed)", 9),
        ("Failed(DeadlineExceeded)", 9),
    ] {
        let count = traces.iter().filter(|trace| trace.contains(part)).count();
        assert!(count >= least, "{part}: {count} schedules");
    }
}

#[test]
fn every_planted_bug_is_found() {
    for (bug, expected) in Bug::ALL {
        let found = (0..SCHEDULES).find_map(|seed| {
            let violations = simulate(seed, Some(bug)).violations.into_iter();
            let mut expected = violations.filter(|one| one.contains(expected));
            Some((seed, expected.next()?))
        });
        let (seed, violation) = found.unwrap_or_else(|| panic!("{bug:?} is not found"));
        eprintln!("{bug:?}: seed {seed}: {violation}");
    }
}
