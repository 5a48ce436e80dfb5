use checksum_api_ext::{AutoHeal, Checksum, Error, InvalidRequest, Run};

use super::dispatch::dispatch;
use super::heal::note_bare_repository;
use super::work::JudgedRun;
use crate::arguments::{self, Healing, RunOptions, Selection};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn execute(
    arguments: arguments::Run,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let options = options(&arguments.selection);
    note_bare_repository(options.healing.repo.as_ref(), quiet);
    let start = async |checksum: &Checksum| {
        Ok(JudgedRun {
            run: start(checksum, &arguments.selection).await?,
            is_strict: options.strict,
        })
    };
    dispatch(&options.starting, quiet, output, start).await
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
