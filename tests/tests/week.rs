//! A small [week](checksum_tests::week): one day with an outage. `cargo run --release -p
//! checksum-tests --example week` simulates a whole one.

use checksum_tests::week::{MAX_PER_SECOND, Memory, Week};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// More than the status of a run that is watched takes.
const BYTES_PER_RUN: usize = 2 * 1024;

#[tokio::test(start_paused = true)]
async fn a_day_with_faults_and_an_outage() {
    let day = Week {
        runs_per_day: 500,
        days: 1,
        outages: &[0],
        one_fault_in: 100,
    };
    let measured = day.simulate(|| ALLOCATOR.current_usage()).await;
    assert_eq!(measured.wrong, [""; 0]);
    assert_eq!(measured.right, 500);
    assert!(measured.faults > 100, "{measured:?}");
    let [_, after] = measured.peaks[0];
    assert!(after <= MAX_PER_SECOND, "{measured:?}");
    // From noon to midnight a hundred runs end.
    let [_, noon, midnight] = measured.memory[..] else {
        panic!("{measured:?}")
    };
    let alone = |memory: Memory| memory.bytes.saturating_sub(BYTES_PER_RUN * memory.watched);
    assert!(alone(midnight) <= noon.bytes + 4096, "{measured:?}");
}
