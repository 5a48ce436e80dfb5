use checksum_api_ext::{AutoHeal, Checksum, Error, InvalidRequest, Run};

use super::dispatch::{Prepared, dispatch};
use super::heal::note_bare_repository;
use super::work::Judged;
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
    let prepare = |checksum: &Checksum| prepare(checksum, &arguments.selection);
    let allows_no_tests = options.allow_no_tests;
    dispatch(&options.starting, allows_no_tests, quiet, output, prepare).await
}

fn options(selection: &Selection) -> &RunOptions {
    match selection {
        Selection::Suite { options }
        | Selection::Collection { options, .. }
        | Selection::Tests { options, .. }
        | Selection::Grep { options, .. } => options,
    }
}

fn prepare(checksum: &Checksum, selection: &Selection) -> Result<Prepared<Judged<Run>>, Failure> {
    let options = options(selection);
    let is_strict = options.strict;
    let heal = auto_heal(&options.healing)?;
    // The builders differ in type, and all take healing.
    macro_rules! start {
        ($run:expr) => {{
            let start = match heal {
                None => $run,
                Some(heal) => $run.auto_heal(heal),
            };
            Prepared::new(start.intent()?, async move {
                let work = start.start().await?;
                Ok(Judged { work, is_strict })
            })
        }};
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
