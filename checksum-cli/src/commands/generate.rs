use checksum_api_ext::{Checksum, GenerationBatch};
use serde_json::json;

use super::dispatch::{Accepted, dispatch};
use super::dry_run;
use super::follow::{conclude_batch, follow_batch};
use crate::arguments;
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::{Output, one_line};
use crate::way_back::WayBack;

pub(super) async fn execute(
    arguments: arguments::Generate,
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
            way_back: WayBack::GenerationBatch(batch.id().clone()),
            object: json!({
                "batchId": batch.id(),
                "sessionId": batch.session_id(),
                "sessionUrl": batch.session_url(),
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
            if let Some(url) = batch.session_url() {
                display.note(&format!("see {}", one_line(url)));
            }
            let way_back = WayBack::GenerationBatch(batch.id().clone());
            let report = follow_batch(batch.events(), way_back, display, output).await?;
            Ok(conclude_batch(&report, output))
        },
    )
    .await
}

async fn start(
    checksum: &Checksum,
    arguments: &arguments::Generate,
) -> Result<GenerationBatch, Failure> {
    let repo = arguments.repo.clone();
    let mut generate = checksum.generate(repo, arguments.pr, &arguments.branch);
    for (name, value) in arguments.variables.pairs()? {
        generate = generate.env(name, value);
    }
    for (name, value) in arguments.metadata.pairs()? {
        generate = generate.metadata(name, value);
    }
    Ok(generate.start().await?)
}
