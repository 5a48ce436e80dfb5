//! What all commands do that start something.

use std::cell::OnceCell;
use std::pin::Pin;

use checksum_api_ext::{Checksum, Error, Handle, Intent, Started};
use tokio::time::Instant;

use super::dry_run;
use crate::args::Starting;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Message;
use crate::output::stderr::Reporter;
use crate::output::stderr::eprint_line;
use crate::output::stdout::Output;
use crate::output::text::one_line;
use crate::redaction;
use crate::signal::until_signal;
use crate::wait::handle_file::{Content, HandleFile};
use crate::wait::work::Work;

/// A start that is valid and has not been sent.
pub(crate) struct Prepared<W> {
    intent: Intent,
    start: Pin<Box<dyn Future<Output = Result<W, Error>>>>,
}

impl<W> Prepared<W> {
    pub(crate) fn new(
        intent: Intent,
        start: impl Future<Output = Result<W, Error>> + 'static,
    ) -> Self {
        Self {
            intent,
            start: Box::pin(start),
        }
    }

    pub(crate) async fn start(self) -> Result<W, CliError> {
        self.start.await.map_err(CliError::Start)
    }
}

/// Starts something, tells the way back before anything else can go wrong, and follows it to its
/// end; or not all of that, as the options say. `looks_up`: the service is asked what to start, which
/// takes time.
pub(crate) async fn dispatch<W: Work>(
    options: &Starting,
    looks_up: bool,
    allows_no_tests: bool,
    quiet: bool,
    output: &mut Output,
    prepare: impl AsyncFnOnce(&Checksum) -> Result<Option<Prepared<W>>, CliError>,
) -> Result<ExitCode, CliError> {
    if options.dry_run {
        return dry_run::execute(&options.connection, prepare, output).await;
    }
    let began = Instant::now();
    let builder = client::builder(&options.connection, options.waiting.policy())?;
    let checksum = match allows_no_tests {
        true => builder.allow_no_tests().build()?,
        false => builder.build()?,
    };
    let path = options.handle_file.as_deref();
    let unwritable = |error| CliError::HandleFile {
        path: path.unwrap_or("".as_ref()).to_owned(),
        error,
    };
    let file = path.map(HandleFile::prepare).transpose();
    let mut file = file.map_err(unwritable)?;
    if let (true, Some(file)) = (looks_up, &mut file) {
        tell_what_is_replaced(file);
        file.write(&Content::NotStarted(None)).map_err(unwritable)?;
    }
    let prepared = match until_signal(prepare(&checksum)).await {
        Err(signal) => return Err(CliError::InterruptedLookUp { signal }),
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
        let mut display = Reporter::new(quiet, output.is_human());
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
            ExitCode::Pass if !is_kept => ExitCode::PassedWithErrors,
            code => code,
        })
    };
    let ended = until_signal(work).await;
    ended.unwrap_or_else(|signal| {
        Err(match started.get() {
            None => CliError::InterruptedStart { signal },
            Some(handle) => CliError::InterruptedWait {
                signal,
                handle: Box::new(handle.clone()),
            },
        })
    })
}

/// Says that no test is affected, so that there is nothing to wait for.
pub(crate) fn nothing_to_run(output: &mut Output) -> ExitCode {
    let text = "no test is affected; nothing was started";
    output.result(&text, &Message::NothingToRun {});
    ExitCode::Pass
}

/// Says what the file held, which is gone for good: whoever wants it has it in the log.
fn tell_what_is_replaced(file: &HandleFile) {
    match file.held() {
        Some(Content::Handle(handle)) => {
            let hint = crate::output::resume_hint::resume_hint(&handle);
            eprint_line(&format!("--handle-file held {handle}; {hint}"));
        }
        Some(Content::Intent(intent)) => {
            eprint_line(&format!(
                "--handle-file held {intent}, which may have started"
            ));
        }
        Some(Content::NotStarted(_) | Content::Nothing {}) | None => {}
    }
}
