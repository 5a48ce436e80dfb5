use checksum_api_ext::Checksum;

use super::follow::{conclude_batch, conclude_run, follow_batch, follow_run};
use crate::arguments::{Awaited, Wait};
use crate::credentials;
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interruption::unless_interrupted;
use crate::output::Output;
use crate::way_back::{RunIdFile, WayBack};

pub(super) async fn execute(
    arguments: Wait,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let way_back = way_back(arguments.awaited)?;
    let checksum = credentials::client(&arguments.connection, arguments.waiting.policy())?;
    let work = follow(&checksum, way_back.clone(), arguments.strict, quiet, output);
    let ended = unless_interrupted(work).await;
    ended.unwrap_or_else(|signal| Err(Failure::InterruptedWait { signal, way_back }))
}

async fn follow(
    checksum: &Checksum,
    way_back: WayBack,
    is_strict: bool,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let mut display = Display::new(quiet, output.is_human());
    let events = match &way_back {
        WayBack::Run(job_name) => {
            let run = checksum.resume(job_name.clone());
            let report = follow_run(&run, &mut display, output).await?;
            return Ok(conclude_run(&report, is_strict, &display, output));
        }
        WayBack::HealBatch(id) => checksum.heal_batch(id.clone()).events(),
        WayBack::GenerationBatch(id) => checksum.generation_batch(id.clone()).events(),
    };
    let report = follow_batch(events, way_back, &mut display, output).await?;
    Ok(conclude_batch(&report, output))
}

fn way_back(awaited: Awaited) -> Result<WayBack, Failure> {
    let Awaited {
        job,
        heal_batch,
        generation_batch,
        run_id_file,
    } = awaited;
    let named = job
        .map(WayBack::Run)
        .or(heal_batch.map(WayBack::HealBatch))
        .or(generation_batch.map(WayBack::GenerationBatch));
    if let Some(path) = run_id_file {
        return RunIdFile::read(&path).map_err(|error| Failure::RunIdFile { path, error });
    }
    named.ok_or_else(|| unreachable!("the arguments are a group of which one is needed"))
}
