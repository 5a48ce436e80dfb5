use checksum_api_ext::{Checksum, HealBatch};
use serde_json::json;

use super::dispatch::{Accepted, dispatch};
use super::dry_run;
use super::follow::{conclude_batch, follow_batch};
use crate::arguments;
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::way_back::WayBack;

pub(super) async fn execute(
    arguments: arguments::Heal,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    if arguments.dispatch.dry_run {
        let start = async |checksum: &Checksum| start(checksum, &arguments).await;
        return dry_run::execute(&arguments.connection, start, output).await;
    }
    let checksum = credentials::client(&arguments.connection, arguments.waiting.policy())?;
    let start = async {
        let batch = start(&checksum, &arguments).await?;
        Ok(Accepted {
            way_back: WayBack::HealBatch(batch.id().clone()),
            object: json!({
                "batchId": batch.id(),
                "sessionIds": batch.session_ids(),
                "testIds": batch.test_ids(),
                "failureCount": batch.failure_count(),
            }),
            work: batch,
        })
    };
    dispatch(
        &arguments.dispatch,
        quiet,
        output,
        start,
        async |batch, display, output| {
            let way_back = WayBack::HealBatch(batch.id().clone());
            let report = follow_batch(batch.events(), way_back, display, output).await?;
            Ok(conclude_batch(&report, output))
        },
    )
    .await
}

async fn start(checksum: &Checksum, arguments: &arguments::Heal) -> Result<HealBatch, Failure> {
    let mut heal = checksum.heal(arguments.test_run.clone());
    if let Some(repo) = &arguments.repo {
        heal = heal.repo(repo.clone());
    }
    if arguments.no_create_pr {
        heal = heal.without_pull_request();
    }
    if let Some(branch) = &arguments.branch {
        heal = heal.branch(branch);
    }
    if let Some(number) = arguments.pr {
        heal = heal.pr(number);
    }
    for (name, value) in arguments.metadata.pairs()? {
        heal = heal.metadata(name, value);
    }
    Ok(heal.start().await?)
}
