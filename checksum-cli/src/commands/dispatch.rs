//! What all commands do that start something.

use std::cell::OnceCell;

use checksum_api_ext::Checksum;

use super::dry_run;
use super::work::Work;
use crate::arguments::Starting;
use crate::credentials;
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interruption::unless_interrupted;
use crate::output::{Output, one_line};
use crate::way_back::RunIdFile;

/// Starts something, tells the way back before anything else can go wrong, and follows it to its
/// end; or not all of that, as the options say.
pub(super) async fn dispatch<W: Work>(
    options: &Starting,
    quiet: bool,
    output: &mut Output,
    start: impl AsyncFnOnce(&Checksum) -> Result<W, Failure>,
) -> Result<ExitCode, Failure> {
    if options.dry_run {
        return dry_run::execute(&options.connection, start, output).await;
    }
    let checksum = credentials::client(&options.connection, options.waiting.policy())?;
    let file = options.run_id_file.as_deref();
    let unwritable = |error| Failure::RunIdFile {
        path: file.unwrap_or("".as_ref()).to_owned(),
        error,
    };
    let prepared = file
        .map(RunIdFile::prepare)
        .transpose()
        .map_err(unwritable)?;
    let started = OnceCell::new();
    let work = async {
        let mut display = Display::new(quiet, output.is_human());
        let work = start(&checksum).await?;
        let handle = started.get_or_init(|| work.handle());
        display.started(handle);
        let kept = prepared.map_or(Ok(()), |file| file.keep(handle));
        if let Err(error) = &kept {
            display.warning(&unwritable(std::io::Error::from(error.kind())).to_string());
        }
        let code = if options.detach {
            output.result(&one_line(handle.id()), &work.started());
            ExitCode::Pass
        } else {
            output.event(&work.started());
            work.conclude(&mut display, output).await?
        };
        Ok(match (code, kept) {
            (ExitCode::Pass, Err(_)) => ExitCode::PassedButIncomplete,
            (code, _) => code,
        })
    };
    let ended = unless_interrupted(work).await;
    ended.unwrap_or_else(|signal| {
        Err(match started.get() {
            None => Failure::InterruptedStart { signal },
            Some(handle) => Failure::InterruptedWait {
                signal,
                handle: Box::new(handle.clone()),
            },
        })
    })
}
