use std::cell::OnceCell;

use checksum_api_ext::types::JobName;
use checksum_api_ext::{AutoHeal, Checksum, Error, InvalidRequest, Run};
use serde_json::json;

use super::follow::{conclude, follow};
use crate::arguments::{self, Healing, RunOptions, Selection};
use crate::credentials;
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interruption::unless_interrupted;
use crate::output::Output;

pub(super) async fn execute(
    arguments: arguments::Run,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let options = options(&arguments.selection);
    let checksum = credentials::client(&options.connection, options.waiting.policy())?;
    let started = OnceCell::new();
    let work = async {
        let mut display = Display::new(quiet, output.is_human());
        let run = start(&checksum, &arguments.selection).await?;
        // Known to the outside before anything else can go wrong.
        let _ = started.set(run.job_name().clone());
        display.started(run.job_name());
        let accepted = json!({ "jobName": run.job_name(), "handle": run.handle() });
        if options.detach {
            output.ending("started", run.job_name(), &accepted);
            return Ok(ExitCode::Pass);
        }
        output.event("started", &accepted);
        let report = follow(&run, &mut display, output).await?;
        Ok(conclude(&report, options.waiting.strict, &display, output))
    };
    let ended = unless_interrupted(work).await;
    ended.unwrap_or_else(|signal| {
        Err(match started.get() {
            None => Failure::InterruptedStart { signal },
            Some(job_name) => Failure::InterruptedWait {
                signal,
                job_name: JobName::clone(job_name),
            },
        })
    })
}

fn options(selection: &Selection) -> &RunOptions {
    match selection {
        Selection::Suite { options }
        | Selection::Collection { options, .. }
        | Selection::Tests { options, .. }
        | Selection::Grep { options, .. } => options,
    }
}

async fn start(checksum: &Checksum, selection: &Selection) -> Result<Run, Failure> {
    let heal = auto_heal(&options(selection).healing)?;
    // The builders differ in type, and all take healing.
    macro_rules! start {
        ($run:expr) => {
            match heal {
                None => $run.start().await?,
                Some(heal) => $run.auto_heal(heal).start().await?,
            }
        };
    }
    Ok(match selection {
        Selection::Suite { .. } => start!(checksum.run_suite()),
        Selection::Collection { id, .. } => start!(checksum.run_collection(id.clone())),
        Selection::Tests { ids, .. } => start!(checksum.run_tests(ids.iter().cloned())),
        Selection::Grep {
            pattern,
            branch,
            env,
            ..
        } => {
            let mut run = checksum.run_grep(pattern);
            if let Some(branch) = branch {
                run = run.branch(branch);
            }
            for (index, variable) in env.iter().enumerate() {
                let (name, value) = variable
                    .split_once('=')
                    .filter(|(name, _)| !name.is_empty())
                    .ok_or(Failure::Env(index + 1))?;
                run = run.env(name, value);
            }
            start!(run)
        }
    })
}

fn auto_heal(healing: &Healing) -> Result<Option<AutoHeal>, Failure> {
    if !healing.auto_heal {
        return Ok(None);
    }
    let mut heal = match (&healing.repo, healing.no_create_pr) {
        (Some(repo), false) => AutoHeal::pull_request(repo.clone()),
        (None, false) => return Err(Error::Invalid(InvalidRequest::NoRepository).into()),
        (Some(repo), true) => AutoHeal::without_pull_request().repo(repo.clone()),
        (None, true) => AutoHeal::without_pull_request(),
    };
    if let Some(branch) = &healing.heal_branch {
        heal = heal.branch(branch);
    }
    if let Some(number) = healing.pr {
        heal = heal.pr(number);
    }
    Ok(Some(heal))
}
