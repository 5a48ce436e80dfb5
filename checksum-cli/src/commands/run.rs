use checksum_api_ext::{AutoHeal, Checksum, Error, InvalidRequest, Run};
use serde_json::{Value, json};

use super::dispatch::{Accepted, dispatch};
use super::dry_run;
use super::follow::{conclude_run, follow_run};
use crate::arguments::{self, Healing, RunOptions, Selection};
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::way_back::WayBack;

pub(super) async fn execute(
    arguments: arguments::Run,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let options = options(&arguments.selection);
    if options.dispatch.dry_run {
        let start = async |checksum: &Checksum| start(checksum, &arguments.selection).await;
        return dry_run::execute(&options.connection, start, output).await;
    }
    let checksum = credentials::client(&options.connection, options.waiting.policy())?;
    let start = async {
        let run = start(&checksum, &arguments.selection).await?;
        Ok(Accepted {
            way_back: WayBack::Run(run.job_name().clone()),
            object: accepted(&run),
            work: run,
        })
    };
    dispatch(
        &options.dispatch,
        quiet,
        output,
        start,
        async |run, display, output| {
            let report = follow_run(&run, display, output).await?;
            Ok(conclude_run(&report, options.strict, display, output))
        },
    )
    .await
}

/// What programs are told of a run that the service has accepted.
pub(super) fn accepted(run: &Run) -> Value {
    json!({ "jobName": run.job_name(), "handle": run.handle() })
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
            variables,
            ..
        } => {
            let mut run = checksum.run_grep(pattern);
            if let Some(branch) = branch {
                run = run.branch(branch);
            }
            for (name, value) in variables.pairs()? {
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
