use checksum_api_ext::{Handle, RunHandle};

use crate::args::{Awaited, Wait};
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::stderr::Reporter;
use crate::output::stdout::Output;
use crate::signal::until_signal;
use crate::wait::handle_file::{Content, HandleFile};
use crate::wait::start::nothing_to_run;
use crate::wait::work::{Judged, Work};

pub(super) async fn execute(
    arguments: Wait,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let Some(handle) = handle(arguments.awaited)? else {
        return Ok(nothing_to_run(output));
    };
    let builder = client::builder(&arguments.connection, arguments.waiting.policy())?;
    let checksum = match arguments.allow_no_tests {
        true => builder.allow_no_tests().build()?,
        false => builder.build()?,
    };
    let is_strict = arguments.strict;
    let mut display = Reporter::new(quiet, output.is_human());
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
    let ended = until_signal(wait).await;
    ended.unwrap_or_else(|signal| {
        let handle = Box::new(handle);
        Err(CliError::InterruptedWait { signal, handle })
    })
}

/// What to wait for; `None` where there was nothing to start.
fn handle(awaited: Awaited) -> Result<Option<Handle>, CliError> {
    let Awaited {
        job,
        test_run,
        heal_batch,
        generation_batch,
        handle_file,
    } = awaited;
    if let Some(path) = handle_file {
        return match HandleFile::read(&path) {
            Ok(Content::Handle(handle)) => Ok(Some(handle)),
            Ok(Content::Nothing {}) => Ok(None),
            Ok(Content::Intent(intent)) => Err(CliError::MayHaveStarted { path, intent }),
            Ok(Content::NotStarted(intent)) => Err(CliError::NotStarted { path, intent }),
            Err(error) => Err(CliError::HandleFile { path, error }),
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
