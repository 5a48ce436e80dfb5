//! Runs a schedule: the callers, the service and the network between them, in one clock.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use checksum_mock::{Clock, Mock, RunScript};
use turmoil::net::TcpListener;

use crate::bugs::Bug;
use crate::caller::Caller;
use crate::checker::violations;
use crate::records::{Event, Records};
use crate::schedule::{Cause, Kind, Schedule, TICK, Trouble, TroubleKind, unknown};

/// How long the simulation goes on after the last answer.
const QUIET: Duration = Duration::from_secs(12);

/// When every cause must have been answered: the troubles end after 65 s.
const END: Duration = Duration::from_secs(200);

const SERVICE: &str = "service";

/// What a simulation has shown.
pub(crate) struct Outcome {
    pub(crate) violations: Vec<String>,
    /// One line for each event.
    pub(crate) trace: Vec<String>,
}

pub(crate) fn simulate(seed: u64, bug: Option<Bug>) -> Outcome {
    let schedule = Arc::new(Schedule::new(seed));
    let records = Arc::new(Records::default());
    let mock = Arc::new(service(&schedule));
    let mut sim = turmoil::Builder::new()
        .tick_duration(TICK)
        .epoch(UNIX_EPOCH)
        .max_message_latency(schedule.max_latency)
        .fail_rate(schedule.loss)
        .repair_rate(0.5)
        .rng_seed(seed)
        .build();
    for number in 0..schedule.watches.len() {
        let caller = Caller {
            number,
            schedule: schedule.clone(),
            records: records.clone(),
            bug,
        };
        sim.host(name(number), move || caller.clone().run());
    }
    let served = mock.clone();
    sim.host(SERVICE, move || serve(served.clone()));

    let mut failure = None;
    let mut answered_at = None;
    while sim.elapsed() < answered_at.map_or(END, |at| at + QUIET) {
        records.set_crashing(Some(sim.elapsed()));
        change(&mut sim, &schedule, &mock);
        records.set_crashing(None);
        mock.clock().advance(TICK);
        if let Err(error) = sim.step() {
            failure = Some(format!("a process failed: {error}"));
            break;
        }
        let history = records.history.lock().expect("no panic");
        let answers = history
            .iter()
            .filter(|one| matches!(one.event, Event::Answered(..)));
        let answers = answers.count();
        if answered_at.is_none() && answers >= schedule.causes.len() {
            answered_at = Some(sim.elapsed());
        }
    }
    records.set_crashing(Some(sim.elapsed()));
    drop(sim);
    let history = records.history.lock().expect("no panic");
    let requests = records.requests.lock().expect("no panic");
    let mut violations = violations(&schedule, &history, &requests, &mock.requests());
    violations.extend(failure);
    drop((history, requests));
    Outcome {
        violations,
        trace: records.trace(),
    }
}

fn name(caller: usize) -> String {
    format!("caller-{caller}")
}

fn service(schedule: &Schedule) -> Mock {
    let causes = schedule.causes.iter().enumerate();
    let failing = causes.filter(|(_, cause)| cause.kind == Kind::Tests { fails: true });
    let failing = failing.map(|(number, _)| Cause::id(number));
    let [queued, running] = schedule.phases;
    let builder = Mock::builder()
        .clock(Clock::manual())
        .default_run(RunScript::new().queued(queued).running(running))
        // The test that `checkout` selects.
        .failing_tests(failing.chain(["test-def-456".to_owned()]));
    match schedule.is_observed {
        true => builder.observed().without_socket(),
        false => builder.without_socket(),
    }
}

async fn serve(mock: Arc<Mock>) -> turmoil::Result {
    let listener = TcpListener::bind(("0.0.0.0", 80)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::task::spawn_local(mock.serve_connection(stream));
    }
}

/// Begins and ends what the schedule says for this moment.
fn change(sim: &mut turmoil::Sim<'_>, schedule: &Schedule, mock: &Mock) {
    let now = sim.elapsed();
    let mut are_faults_changed = false;
    for Trouble { from, until, kind } in &schedule.troubles {
        let (begins, ends) = (*from == now, *until == now);
        if !begins && !ends {
            continue;
        }
        match kind {
            TroubleKind::Faults(_) | TroubleKind::ServiceForgets => are_faults_changed = true,
            TroubleKind::ServiceCrash if begins => sim.crash(SERVICE),
            TroubleKind::ServiceCrash => sim.bounce(SERVICE),
            TroubleKind::CallerCrash(caller) if begins => sim.crash(name(*caller)),
            TroubleKind::CallerCrash(caller) => sim.bounce(name(*caller)),
            TroubleKind::Partition(caller) if begins => sim.partition(name(*caller), SERVICE),
            TroubleKind::PartitionTo(caller) if begins => {
                sim.partition_oneway(name(*caller), SERVICE);
            }
            TroubleKind::PartitionFrom(caller) if begins => {
                sim.partition_oneway(SERVICE, name(*caller));
            }
            TroubleKind::Partition(caller)
            | TroubleKind::PartitionTo(caller)
            | TroubleKind::PartitionFrom(caller) => sim.repair(name(*caller), SERVICE),
            TroubleKind::Hold(caller) if begins => sim.hold(name(*caller), SERVICE),
            TroubleKind::Hold(caller) => sim.release(name(*caller), SERVICE),
        }
    }
    if are_faults_changed {
        mock.remove_faults();
        for Trouble { from, until, kind } in &schedule.troubles {
            let faults = match kind {
                TroubleKind::Faults(faults) if (*from..*until).contains(&now) => faults.clone(),
                TroubleKind::ServiceForgets if *from <= now => unknown(),
                _ => continue,
            };
            faults.into_iter().for_each(|fault| mock.fault(fault));
        }
    }
}
