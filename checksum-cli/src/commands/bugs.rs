use checksum_api_ext::{Bug, ListBugs, PollPolicy, TryStreamExt};
use comfy_table::{ContentArrangement, Table, presets};

use super::results::printable;
use crate::arguments::Bugs;
use crate::credentials;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::Message;
use crate::output::Output;

pub(super) async fn execute(arguments: Bugs, output: &mut Output) -> Result<ExitCode, Failure> {
    let checksum = credentials::client(&arguments.connection, PollPolicy::default())?;
    let is_one_page = arguments.limit.is_some();
    let list = filtered(checksum.bugs(), arguments);
    let mut bugs: Vec<Bug> = Vec::new();
    if is_one_page {
        bugs = list.first_page().await?.bugs;
    } else {
        let mut all = list.stream();
        while let Some(bug) = all.try_next().await? {
            output.event(&Message::Bug(&bug));
            bugs.push(bug);
        }
    }
    output.result(&table(&bugs), &Message::Bugs { bugs: &bugs });
    Ok(ExitCode::Pass)
}

fn filtered(mut list: ListBugs, arguments: Bugs) -> ListBugs {
    if let Some(status) = arguments.status {
        list = list.status(status);
    }
    if let Some(severity) = arguments.severity {
        list = list.severity(severity);
    }
    if let Some(text) = arguments.search {
        list = list.search(text);
    }
    for tag in arguments.tag {
        list = list.tag(tag);
    }
    if let Some(project) = arguments.project {
        list = list.project(project);
    }
    if let Some(name) = arguments.collection_name {
        list = list.collection_name(name);
    }
    if let Some(count) = arguments.limit {
        list = list.limit(count);
    }
    if let Some(count) = arguments.offset {
        list = list.offset(count);
    }
    list
}

fn table(bugs: &[Bug]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["severity", "status", "bug", "title"]);
    for bug in bugs {
        table.add_row([
            printable(
                bug.severity
                    .as_ref()
                    .map_or("", |severity| severity.as_str()),
            ),
            printable(bug.status.as_ref().map_or("", |status| status.as_str())),
            printable(bug.id.as_deref().unwrap_or_default()),
            printable(bug.title.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
