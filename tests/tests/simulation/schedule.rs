//! Everything that happens in one simulation, drawn from its seed.

use std::time::Duration;

use checksum_mock::Fault;
use fastrand::Rng;

/// How much time passes between two deliveries of messages.
pub(crate) const TICK: Duration = Duration::from_millis(500);

/// The `Retry-After` of each response that has one.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(3);

/// The operations that return a status.
const STATUS: [&str; 4] = [
    "get_run_status",
    "get_run_status_v2",
    "get_run_status_by_run_id",
    "get_generation_batch",
];

/// Why one piece of work is started, exactly once.
#[derive(Debug)]
pub(crate) struct Cause {
    /// The process that starts it and waits for it.
    pub(crate) caller: usize,
    pub(crate) at: Duration,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A run by v1, of a test that the service knows by the id of the cause.
    Tests {
        fails: bool,
    },
    /// A run by v2 of the tests with this in their names, on a branch with the id of the cause.
    Grep(&'static str),
    Generation,
}

#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    /// For each caller, whether it watches its work as one set.
    pub(crate) watches: Vec<bool>,
    pub(crate) causes: Vec<Cause>,
    pub(crate) limits: Limits,
    pub(crate) is_observed: bool,
    /// How long each run is queued, and runs.
    pub(crate) phases: [Duration; 2],
    pub(crate) max_latency: Duration,
    /// The probability that a message is lost, and its connection with it.
    pub(crate) loss: f64,
    pub(crate) troubles: Vec<Trouble>,
}

/// What the client is told to keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) deadline: Option<Duration>,
    pub(crate) error_timeout: Duration,
    pub(crate) grace: Duration,
    pub(crate) polls_per_second: u32,
}

#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) from: Duration,
    pub(crate) until: Duration,
    pub(crate) kind: TroubleKind,
}

#[derive(Debug)]
pub(crate) enum TroubleKind {
    /// The service responds otherwise than it should, or not at all.
    Faults(Vec<Fault>),
    /// The service's process ends. Its state is kept, since it has a database.
    ServiceCrash,
    /// The service knows none of the work any more, without end.
    ServiceForgets,
    CallerCrash(usize),
    /// Messages are lost in both directions, on their way to the service, or on their way back.
    Partition(usize),
    PartitionTo(usize),
    PartitionFrom(usize),
    /// Messages arrive when it is over.
    Hold(usize),
}

impl Cause {
    /// Returns the text in its request that tells one cause from the others.
    pub(crate) fn id(number: usize) -> String {
        format!("cause-{number}")
    }
}

impl Schedule {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed).fork();
        let random = &mut random;
        let callers = random.usize(1..=2);
        let cause = |random: &mut Rng, caller| Cause {
            caller,
            at: seconds(random, 0, 6),
            kind: match random.u8(0..8) {
                0..=1 => Kind::Tests { fails: false },
                2..=3 => Kind::Tests { fails: true },
                4 => Kind::Grep("sign in"),
                5 => Kind::Grep("checkout"),
                6 => Kind::Grep("no test"),
                _ => Kind::Generation,
            },
        };
        let mut causes = Vec::new();
        for caller in 0..callers {
            let count = random.usize(1..=2);
            causes.extend((0..count).map(|_| cause(random, caller)));
        }
        let lossy = random.u8(0..4) == 0;
        let troubles = (0..random.u8(1..=4)).map(|_| trouble(random, callers));
        Self {
            seed,
            troubles: troubles.collect(),
            watches: (0..callers).map(|_| random.bool()).collect(),
            causes,
            limits: Limits {
                deadline: [None, Some(20), Some(40)][random.usize(0..3)].map(Duration::from_secs),
                error_timeout: Duration::from_secs(random.u64(8..=20)),
                grace: Duration::from_secs(random.u64(4..=10)),
                polls_per_second: random.u32(1..=3),
            },
            is_observed: random.bool(),
            phases: [seconds(random, 0, 3), seconds(random, 1, 15)],
            max_latency: Duration::from_millis(random.u64(1..2_000)),
            loss: if lossy { 0.02 } else { 0.0 },
        }
    }
}

impl Schedule {
    /// Returns the right outcomes of the work of a cause.
    pub(crate) fn outcomes(&self, cause: &Cause) -> &'static [&'static str] {
        match cause.kind {
            Kind::Tests { fails: false } | Kind::Grep("sign in") => &["passed"],
            // The verdict of a run without tests is `fail`, where it can be had.
            Kind::Grep("no test") if self.is_observed => &["failed", "no-tests"],
            Kind::Grep("no test") => &["no-tests"],
            Kind::Tests { .. } | Kind::Grep(_) => &["failed"],
            Kind::Generation => &["completed"],
        }
    }
}

fn seconds(random: &mut Rng, from: u64, to: u64) -> Duration {
    Duration::from_secs(random.u64(from..=to))
}

fn trouble(random: &mut Rng, callers: usize) -> Trouble {
    let from = seconds(random, 0, 20);
    let caller = random.usize(0..callers);
    let mut lasts = seconds(random, 1, 15);
    if random.u8(0..8) == 0 {
        lasts *= 3;
    }
    Trouble {
        from,
        until: from + lasts,
        kind: match random.u8(0..16) {
            0 => TroubleKind::ServiceCrash,
            1 => TroubleKind::ServiceForgets,
            2..=3 => TroubleKind::CallerCrash(caller),
            4 => TroubleKind::Partition(caller),
            5 => TroubleKind::PartitionTo(caller),
            6 => TroubleKind::PartitionFrom(caller),
            7 => TroubleKind::Hold(caller),
            _ => TroubleKind::Faults(faults(random)),
        },
    }
}

fn faults(random: &mut Rng) -> Vec<Fault> {
    let faults = match random.u8(0..16) {
        0 => vec![Fault::status(500)],
        1 => vec![Fault::status(502)],
        2 => vec![Fault::status(502).and_handle()],
        3 => vec![retry_after(503)],
        4..=5 => vec![retry_after(429)],
        6 => vec![Fault::reset_before_reading()],
        7 => vec![Fault::reset_before_handling()],
        8 => vec![Fault::reset_after_handling()],
        9 => vec![Fault::reset_in_body()],
        10 => vec![Fault::truncated()],
        // Both lead to the same path.
        11 => vec![Fault::status(302).header("location", "?again").and_handle()],
        12 => vec![Fault::status(307).header("location", "?again")],
        13 => vec![Fault::hang()],
        // Without a delay, whose end the mock's clock would give to several requests in any order.
        14 => vec![Fault::hang().and_handle()],
        _ => unknown(),
    };
    let probability = [0.2, 0.5, 1.0][random.usize(0..3)];
    let faults = faults.into_iter();
    let faults = faults.map(|fault| fault.always().probability(probability, random.u64(..)));
    faults.collect()
}

fn retry_after(status: u16) -> Fault {
    Fault::status(status).header("retry-after", &RETRY_AFTER.as_secs().to_string())
}

/// Returns the faults of a service that does not know the work, or not yet.
pub(crate) fn unknown() -> Vec<Fault> {
    let fault = |operation| Fault::status(404).on_operation(operation).always();
    STATUS.map(fault).into()
}
