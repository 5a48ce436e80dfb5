//! What all commands do that start something.

use std::cell::OnceCell;
use std::pin::Pin;

use checksum_api_ext::{Checksum, Error, Handle, Intent, Started};
use tokio::time::Instant;

use super::dry_run;
use super::work::Work;
use crate::arguments::Starting;
use crate::credentials;
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interruption::unless_interrupted;
use crate::message::Message;
use crate::output::{Output, one_line, tell};
use crate::redaction;
use crate::way_back::{Content, RunIdFile};

/// A start that is valid and has not been sent.
pub(super) struct Prepared<W> {
    intent: Intent,
    start: Pin<Box<dyn Future<Output = Result<W, Error>>>>,
}

impl<W> Prepared<W> {
    pub(super) fn new(
        intent: Intent,
        start: impl Future<Output = Result<W, Error>> + 'static,
    ) -> Self {
        Self {
            intent,
            start: Box::pin(start),
        }
    }

    pub(super) async fn start(self) -> Result<W, Failure> {
        self.start.await.map_err(Failure::Start)
    }
}

/// Starts something, tells the way back before anything else can go wrong, and follows it to its
/// end; or not all of that, as the options say. `looks_up`: the service is asked what to start, which
/// takes time.
pub(super) async fn dispatch<W: Work>(
    options: &Starting,
    looks_up: bool,
    allows_no_tests: bool,
    quiet: bool,
    output: &mut Output,
    prepare: impl AsyncFnOnce(&Checksum) -> Result<Option<Prepared<W>>, Failure>,
) -> Result<ExitCode, Failure> {
    if options.dry_run {
        return dry_run::execute(&options.connection, prepare, output).await;
    }
    let began = Instant::now();
    let builder = credentials::builder(&options.connection, options.waiting.policy())?;
    let checksum = match allows_no_tests {
        true => builder.allow_no_tests().build()?,
        false => builder.build()?,
    };
    let path = options.run_id_file.as_deref();
    let unwritable = |error| Failure::RunIdFile {
        path: path.unwrap_or("".as_ref()).to_owned(),
        error,
    };
    let file = path.map(RunIdFile::prepare).transpose();
    let mut file = file.map_err(unwritable)?;
    if let (true, Some(file)) = (looks_up, &mut file) {
        tell_what_is_replaced(file);
        file.write(&Content::NotStarted(None)).map_err(unwritable)?;
    }
    let prepared = match unless_interrupted(prepare(&checksum)).await {
        Err(signal) => return Err(Failure::InterruptedLookUp { signal }),
        Ok(prepared) => prepared?,
    };
    let Some(prepared) = prepared else {
        if let Some(file) = &mut file {
            file.write(&Content::Nothing {}).map_err(unwritable)?;
        }
        return Ok(nothing_to_run(output));
    };
    let intent = prepared.intent.clone();
    if let Some(file) = &mut file {
        tell_what_is_replaced(file);
        let intent = Content::Intent(intent.clone());
        file.write(&intent).map_err(unwritable)?;
    }
    let started = OnceCell::new();
    let work = async {
        let mut display = Display::new(quiet, output.is_human());
        let work = match prepared.start().await {
            Ok(work) => work.with_policy(options.waiting.policy_after(began.elapsed())),
            Err(failure) => {
                if let (Some(file), Some(Started::No)) = (&mut file, failure.started()) {
                    let not_started = Content::NotStarted(Some(intent));
                    if let Err(error) = file.write(&not_started) {
                        display.warning(&unwritable(error).to_string());
                    }
                }
                return Err(failure);
            }
        };
        let handle = started.get_or_init(|| work.handle());
        redaction::keep_name(handle.id());
        if let Handle::Run(run) = handle
            && let Some(id) = run.test_run_id()
        {
            redaction::keep_name(id.as_str());
        }
        let kept = file
            .as_mut()
            .map_or(Ok(()), |file| file.write(&Content::Handle(handle.clone())));
        display.started(handle);
        let is_kept = kept.is_ok();
        if let Err(error) = kept {
            display.warning(&unwritable(error).to_string());
        }
        let code = if options.detach {
            output.result(&one_line(handle.id()), &work.started());
            ExitCode::Pass
        } else {
            output.event(&work.started());
            work.conclude(&mut display, output).await?
        };
        Ok(match code {
            ExitCode::Pass if !is_kept => ExitCode::PassedButIncomplete,
            code => code,
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

/// Says that no test is affected, so that there is nothing to wait for.
pub(super) fn nothing_to_run(output: &mut Output) -> ExitCode {
    let text = "no test is affected; nothing was started";
    output.result(&text, &Message::NothingToRun {});
    ExitCode::Pass
}

/// Says what the file held, which is gone for good: whoever wants it has it in the log.
fn tell_what_is_replaced(file: &RunIdFile) {
    match file.held() {
        Some(Content::Handle(handle)) => {
            let hint = crate::way_back::hint(&handle);
            tell(&format!("--run-id-file held {handle}; {hint}"));
        }
        Some(Content::Intent(intent)) => {
            tell(&format!(
                "--run-id-file held {intent}, which may have started"
            ));
        }
        Some(Content::NotStarted(_) | Content::Nothing {}) | None => {}
    }
}
