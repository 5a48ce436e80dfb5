//! Measures what policies cost: how late the end of a run is noticed, and by how many requests.

use std::time::Duration;

use fastrand::Rng;

use super::backoff::Backoff;
use super::policy::PollPolicy;

/// How many runs are polled by default, and by a policy whose intervals take longer to compute.
const MANY: u16 = 8_000;
const FEW: u16 = 250;

/// The mean lag in seconds, the mean number of requests, and the score: `lag × requests / (mean
/// duration / 2)`, which is 1 for a fixed interval, whatever its length.
#[derive(Debug)]
struct Cost {
    lag: f64,
    requests: f64,
    score: f64,
}

/// Polls `runs` of these durations, in seconds. Each starts running after 15 s.
fn cost(runs: u16, policy: PollPolicy, durations: impl Fn(&mut Rng) -> f64) -> Cost {
    let policy = policy.seed(11).for_client(false, true);
    let mut random = Rng::with_seed(7);
    let (mut lag, mut requests, mut total) = (0.0, 0.0, 0.0);
    for number in 0..runs {
        let duration = durations(&mut random);
        let mut backoff = Backoff::new(&policy, number.into());
        let (mut now, mut running) = (0.0, false);
        requests += 1.0;
        while now < duration {
            let elapsed = Duration::from_secs_f64(now);
            now += backoff.next_interval(&policy, elapsed).as_secs_f64();
            requests += 1.0;
            if now >= 15.0 && !running {
                running = true;
                backoff.on_change(&policy);
            }
        }
        lag += now - duration;
        total += duration;
    }
    let runs = f64::from(runs);
    Cost {
        lag: lag / runs,
        requests: requests / runs,
        score: lag * requests / runs / (total / 2.0),
    }
}

fn uniform(random: &mut Rng, from: f64, to: f64) -> f64 {
    from + (to - from) * random.f64()
}

fn lognormal(random: &mut Rng, median: f64, spread: f64) -> f64 {
    // A sum of 12 uniform numbers has the variance 1.
    let normal: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    median * (spread * normal).exp()
}

fn five_to_twenty_five_minutes(random: &mut Rng) -> f64 {
    uniform(random, 300.0, 1500.0)
}

/// Quick and slow suites, small selections, and runs that fail at once.
fn mix(random: &mut Rng) -> f64 {
    match random.u8(0..100) {
        0..60 => lognormal(random, 480.0, 0.35),
        60..85 => lognormal(random, 1200.0, 0.2),
        85..95 => uniform(random, 60.0, 180.0),
        _ => uniform(random, 1.0, 20.0),
    }
}

fn minutes(minutes: f64, spread: f64) -> impl Fn(&mut Rng) -> f64 {
    move |random| lognormal(random, 60.0 * minutes, spread)
}

fn known(minutes: u64, spread: f64) -> PollPolicy {
    PollPolicy::expecting(Duration::from_secs(60 * minutes), spread)
}

/// Asserts that the cost is at most this score, number of requests and lag in seconds.
#[track_caller]
fn assert_cost(cost: &Cost, score: f64, requests: f64, lag: f64) {
    assert!(
        cost.score <= score && cost.requests <= requests && cost.lag <= lag,
        "{cost:.3?}, more than a score of {score}, {requests} requests or {lag} s"
    );
}

#[test]
fn a_fixed_interval_scores_one() {
    let fixed = PollPolicy::fixed(Duration::from_secs(10));
    let cost = cost(MANY, fixed, five_to_twenty_five_minutes);
    assert!((0.98..1.04).contains(&cost.score), "{cost:?}");
    assert!((90.0..92.0).contains(&cost.requests), "{cost:?}");
}

#[test]
fn the_default_costs_no_more_than_a_fixed_interval_and_notices_the_end_sooner() {
    let default = PollPolicy::default();
    assert_cost(
        &cost(MANY, default, five_to_twenty_five_minutes),
        0.80,
        90.2,
        4.1,
    );
    // Of 400,000 such runs it is 0.998.
    assert_cost(&cost(MANY, default, mix), 1.005, 62.0, 5.5);
    assert_cost(&cost(MANY, default, minutes(8.0, 0.15)), 0.80, 42.0, 5.4);
}

#[test]
fn the_default_suits_short_and_long_runs_too() {
    let default = PollPolicy::default();
    let at_once = |random: &mut Rng| uniform(random, 0.1, 1.0);
    assert_cost(&cost(MANY, default, at_once), f64::MAX, 2.5, 1.0);
    let short = |random: &mut Rng| uniform(random, 10.0, 60.0);
    assert_cost(&cost(MANY, default, short), 2.5, 6.5, 7.0);
    assert_cost(&cost(MANY, default, minutes(120.0, 0.05)), 1.0, 890.0, 4.2);
}

#[test]
fn polls_gather_where_the_end_is_expected() {
    assert_cost(
        &cost(FEW, known(8, 0.15), minutes(8.0, 0.15)),
        0.40,
        55.0,
        2.0,
    );
    assert_cost(
        &cost(FEW, known(15, 0.15), minutes(15.0, 0.15)),
        0.40,
        75.0,
        2.6,
    );
    let long = cost(FEW, known(120, 0.15), minutes(120.0, 0.15));
    assert_cost(&long, 0.50, 350.0, 8.0);
}

#[test]
fn a_wrong_expectation_costs_little() {
    for policy in [known(8, 0.15), known(15, 0.05), known(60, 0.3)] {
        let wrong = cost(FEW, policy, mix);
        assert_cost(&wrong, 4.0, 140.0, 40.0);
        let far_longer = cost(FEW, policy, minutes(120.0, 0.05));
        assert_cost(&far_longer, 1.7, 1000.0, 6.0);
        let at_once = cost(FEW, policy, |random| uniform(random, 0.1, 1.0));
        assert_cost(&at_once, f64::MAX, 2.5, 1.0);
    }
}

#[test]
fn the_expectation_is_learnt_from_earlier_durations() {
    let mut random = Rng::with_seed(3);
    let mut earlier: Vec<Duration> = (0..40)
        .map(|_| Duration::from_secs_f64(lognormal(&mut random, 480.0, 0.15)))
        .collect();
    earlier.extend([Duration::from_secs(3), Duration::ZERO]);
    let learnt = PollPolicy::learnt_from(earlier);
    assert_cost(&cost(FEW, learnt, minutes(8.0, 0.15)), 0.42, 55.0, 2.2);

    let few = [Duration::from_secs(480); 3];
    assert_eq!(PollPolicy::learnt_from(few), PollPolicy::default());
    for same in [Duration::ZERO, Duration::from_secs(480), Duration::MAX] {
        let policy = PollPolicy::learnt_from([same; 4]);
        cost(FEW, policy, |random| uniform(random, 0.0, 600.0));
    }
}
