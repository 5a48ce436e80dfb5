//! What all commands do that start something.

use std::cell::OnceCell;

use serde_json::Value;

use crate::arguments::Dispatch;
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interruption::unless_interrupted;
use crate::output::Output;
use crate::way_back::{RunIdFile, WayBack};

/// Something that the service has accepted.
pub(super) struct Accepted<Work> {
    pub(super) work: Work,
    pub(super) way_back: WayBack,
    /// What programs are told of it.
    pub(super) object: Value,
}

/// Starts something, tells the way back before anything else can go wrong, and follows it to its
/// end unless that is not wanted.
pub(super) async fn dispatch<Work>(
    options: &Dispatch,
    quiet: bool,
    output: &mut Output,
    start: impl Future<Output = Result<Accepted<Work>, Failure>>,
    follow: impl AsyncFnOnce(Work, &mut Display, &mut Output) -> Result<ExitCode, Failure>,
) -> Result<ExitCode, Failure> {
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
        let accepted = start.await?;
        let way_back = started.get_or_init(|| accepted.way_back);
        display.started(way_back);
        let kept = prepared.map_or(Ok(()), |file| file.keep(way_back));
        if let Err(error) = &kept {
            display.warning(&unwritable(std::io::Error::from(error.kind())).to_string());
        }
        let code = if options.detach {
            output.ending("started", way_back, &accepted.object);
            ExitCode::Pass
        } else {
            output.event("started", &accepted.object);
            follow(accepted.work, &mut display, output).await?
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
            Some(way_back) => Failure::InterruptedWait {
                signal,
                way_back: way_back.clone(),
            },
        })
    })
}
