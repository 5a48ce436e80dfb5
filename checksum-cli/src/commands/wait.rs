use checksum_api_ext::{Handle, RunHandle};

use super::dispatch::nothing_to_run;
use super::work::{Judged, Work};
use crate::arguments::{Awaited, Wait};
use crate::credentials;
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interruption::unless_interrupted;
use crate::output::Output;
use crate::way_back::{Content, RunIdFile};

pub(super) async fn execute(
    arguments: Wait,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let Some(handle) = handle(arguments.awaited)? else {
        return Ok(nothing_to_run(output));
    };
    let builder = credentials::builder(&arguments.connection, arguments.waiting.policy())?;
    let checksum = match arguments.allow_no_tests {
        true => builder.allow_no_tests().build()?,
        false => builder.build()?,
    };
    let is_strict = arguments.strict;
    let mut display = Display::new(quiet, output.is_human());
    let display = &mut display;
    let wait = async {
        match handle.clone() {
            Handle::Run(handle) => {
                let work = checksum.resume_run(handle);
                Judged { work, is_strict }.conclude(display, output).await
            }
            Handle::HealBatch(handle) => {
                let work = checksum.resume_heal_batch(handle);
                Judged { work, is_strict }.conclude(display, output).await
            }
            Handle::GenerationBatch(handle) => {
                let work = checksum.resume_generation_batch(handle);
                Judged { work, is_strict }.conclude(display, output).await
            }
        }
    };
    let ended = unless_interrupted(wait).await;
    ended.unwrap_or_else(|signal| {
        let handle = Box::new(handle);
        Err(Failure::InterruptedWait { signal, handle })
    })
}

/// What to wait for; `None` where there was nothing to start.
fn handle(awaited: Awaited) -> Result<Option<Handle>, Failure> {
    let Awaited {
        job,
        test_run,
        heal_batch,
        generation_batch,
        run_id_file,
    } = awaited;
    if let Some(path) = run_id_file {
        return match RunIdFile::read(&path) {
            Ok(Content::Handle(handle)) => Ok(Some(handle)),
            Ok(Content::Nothing {}) => Ok(None),
            Ok(Content::Intent(intent)) => Err(Failure::MayHaveStarted { path, intent }),
            Ok(Content::NotStarted(intent)) => Err(Failure::NotStarted { path, intent }),
            Err(error) => Err(Failure::RunIdFile { path, error }),
        };
    }
    let run = RunHandle::known_by(job, test_run).map(Handle::Run);
    let named = run
        .or(heal_batch.map(|id| Handle::HealBatch(id.into())))
        .or(generation_batch.map(|id| Handle::GenerationBatch(id.into())));
    match named {
        None => unreachable!("the arguments are a group of which one is needed"),
        named => Ok(named),
    }
}
