//! Starts work, stores its handle before anything else can go wrong, and waits for it.

use std::cell::OnceCell;
use std::mem;

use checksum_api_ext::{Checksum, Handle, Started};
use tokio::time::Instant;

use crate::args::Starting;
use crate::ci::Ci;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::output::resume_hint::resume_hint;
use crate::output::stderr::{Reporter, eprint_line};
use crate::output::stdout::Output;
use crate::output::text::one_line;
use crate::redaction;
use crate::reports::{Reports, Subject};
use crate::signal::until_signal;
use crate::wait::dry_run;
use crate::wait::handle_file::{Content, HandleFile};
use crate::wait::plan::{Plan, StartRequest, nothing_to_run};

/// The options that apply to all work of a command.
pub(crate) struct StartOptions<'a> {
    pub(crate) starting: &'a Starting,
    pub(crate) is_strict: bool,
    pub(crate) allow_no_tests: bool,
    pub(crate) reports: Reports<'a>,
    pub(crate) quiet: bool,
    pub(crate) ci: &'a Ci,
}

impl<'a> StartOptions<'a> {
    /// Returns the options of a batch, which has no tests to be absent and no report.
    pub(crate) fn for_batch(
        starting: &'a Starting,
        is_strict: bool,
        quiet: bool,
        ci: &'a Ci,
    ) -> Self {
        Self {
            starting,
            is_strict,
            allow_no_tests: false,
            reports: Reports::default().with_ci(ci),
            quiet,
            ci,
        }
    }
}

/// Starts the work of `plan`, waits for it unless `--detach` is given, and writes reports.
pub(crate) async fn start<'a>(
    mut options: StartOptions<'_>,
    output: &mut Output,
    plan: impl FnOnce(&Checksum) -> Result<Plan<'a>, CliError>,
) -> Result<ExitCode, CliError> {
    let starting = options.starting;
    if starting.dry_run {
        return dry_run::execute(&starting.connection, plan, output).await;
    }
    let (reports, is_strict) = (mem::take(&mut options.reports), options.is_strict);
    let ended = start_and_wait(options, output, plan).await;
    reports.finish(ended, is_strict, output).await
}

async fn start_and_wait<'a>(
    options: StartOptions<'_>,
    output: &mut Output,
    plan: impl FnOnce(&Checksum) -> Result<Plan<'a>, CliError>,
) -> Result<(ExitCode, Subject), CliError> {
    let StartOptions {
        starting, quiet, ..
    } = options;
    let began = Instant::now();
    let policy = starting.waiting.policy();
    let checksum = client::waiting_client(&starting.connection, policy, options.allow_no_tests)?;
    let mut file = match starting.handle_file.as_deref() {
        Some(path) => Some(HandleFile::prepare(path)?),
        None => None,
    };
    let request = match plan(&checksum)? {
        Plan::Send(request) => request,
        Plan::LookUp(find) => {
            if let Some(file) = &mut file {
                print_replaced(file);
                file.write(&Content::NotStarted(None))?;
            }
            let found = until_signal(find)
                .await
                .map_err(CliError::InterruptedLookup)?;
            let Some(request) = found? else {
                if let Some(file) = &mut file {
                    file.write(&Content::Nothing {})?;
                }
                return Ok((nothing_to_run(output), Subject::Nothing));
            };
            request
        }
    };
    let StartRequest { intent, send } = request;
    if let Some(file) = &mut file {
        print_replaced(file);
        file.write(&Content::Intent(intent.clone()))?;
    }
    let started = OnceCell::new();
    let work = async {
        let mut reporter = Reporter::new(quiet, output.is_text());
        let mut store = |content: &Content| match file.as_mut().map(|file| file.write(content)) {
            Some(Err(error)) => Err(error),
            _ => Ok(()),
        };
        let work = match send.await {
            Ok(work) => work.with_poll_policy(starting.waiting.policy_after(began.elapsed())),
            Err(error) => {
                if error.started() == Started::No
                    && let Err(error) = store(&Content::NotStarted(Some(intent)))
                {
                    reporter.warning(&error.to_string());
                }
                return Err(CliError::Start(error));
            }
        };
        let handle = started.get_or_init(|| work.handle());
        redaction::keep_name(handle.id());
        if let Handle::Run(run) = handle
            && let Some(id) = run.test_run_id()
        {
            redaction::keep_name(id.as_str());
        }
        let stored = store(&Content::Handle(handle.clone()));
        reporter.started(handle);
        options.ci.outputs(&work.outputs());
        if let Err(error) = &stored {
            reporter.warning(&error.to_string());
        }
        let (code, subject) = if starting.detach {
            output.result(&one_line(handle.id()), &work.started());
            (ExitCode::Pass, Subject::NoResult)
        } else {
            output.event(&work.started());
            work.wait(options.is_strict, &mut reporter, output).await?
        };
        let code = match stored {
            Ok(()) => code,
            Err(_) => code.with_errors(),
        };
        Ok((code, subject))
    };
    until_signal(work).await.unwrap_or_else(|signal| {
        Err(match started.get() {
            None => CliError::InterruptedStart(signal),
            Some(handle) => CliError::InterruptedWait {
                signal,
                handle: Box::new(handle.clone()),
            },
        })
    })
}

/// Prints the content of the file, which is about to be replaced, so that the log still has it.
fn print_replaced(file: &HandleFile) {
    match file.current() {
        Some(Content::Handle(handle)) => {
            let hint = resume_hint(&handle);
            eprint_line(&format!("--handle-file contained {handle}; {hint}"));
        }
        Some(Content::Intent(intent)) => eprint_line(&format!(
            "--handle-file contained {intent}, which may have started"
        )),
        Some(Content::NotStarted(_) | Content::Nothing {}) | None => {}
    }
}
