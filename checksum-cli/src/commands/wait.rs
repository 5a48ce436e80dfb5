use checksum_api_ext::Handle;

use super::work::{JudgedRun, Work};
use crate::arguments::{Awaited, Wait};
use crate::credentials;
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interruption::unless_interrupted;
use crate::output::Output;
use crate::way_back::RunIdFile;

pub(super) async fn execute(
    arguments: Wait,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let handle = handle(arguments.awaited)?;
    let checksum = credentials::client(&arguments.connection, arguments.waiting.policy())?;
    let mut display = Display::new(quiet, output.is_human());
    let display = &mut display;
    let wait = async {
        match handle.clone() {
            Handle::Run(handle) => {
                let run = checksum.resume(handle);
                let is_strict = arguments.strict;
                JudgedRun { run, is_strict }.conclude(display, output).await
            }
            Handle::HealBatch(id) => checksum.heal_batch(id).conclude(display, output).await,
            Handle::GenerationBatch(id) => {
                let batch = checksum.generation_batch(id);
                batch.conclude(display, output).await
            }
        }
    };
    let ended = unless_interrupted(wait).await;
    ended.unwrap_or_else(|signal| {
        let handle = Box::new(handle);
        Err(Failure::InterruptedWait { signal, handle })
    })
}

fn handle(awaited: Awaited) -> Result<Handle, Failure> {
    let Awaited {
        job,
        heal_batch,
        generation_batch,
        run_id_file,
    } = awaited;
    if let Some(path) = run_id_file {
        return RunIdFile::read(&path).map_err(|error| Failure::RunIdFile { path, error });
    }
    let named = job
        .map(Handle::from)
        .or(heal_batch.map(Handle::HealBatch))
        .or(generation_batch.map(Handle::GenerationBatch));
    named.ok_or_else(|| unreachable!("the arguments are a group of which one is needed"))
}
