//! `checksum bugs`: lists the bugs of the application.

use checksum_api_ext::{Bug, ListBugs};
use futures_util::StreamExt;

use crate::args::Bugs;
use crate::client;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Message;
use crate::output::colour::Coloured;
use crate::output::stderr::eprint_line;
use crate::output::stdout::Output;
use crate::output::table;

/// The maximum number of rows in a table.
const ROWS: usize = 1_000;

pub(super) async fn execute(arguments: Bugs, output: &mut Output) -> Result<ExitCode, CliError> {
    let checksum = client::client(&arguments.connection)?;
    let is_one_page = arguments.limit.is_some();
    let start = arguments.offset.unwrap_or(0);
    let list = filtered(checksum.bugs(), arguments);
    if is_one_page {
        let page = list.page().await?;
        let end = start.saturating_add(page.bugs.len() as u64);
        let is_counted = || page.total.is_some_and(|total| total > end);
        let message = Message::Bugs {
            bugs: &page.bugs,
            may_have_more: page.has_more.unwrap_or_else(is_counted),
        };
        output.coloured_result(&table(&page.bugs), &message);
        return Ok(ExitCode::Pass);
    }
    all(list, output).await
}

/// Shows the bugs of all pages; for people, a table for each page as soon as it arrives.
async fn all(list: ListBugs, output: &mut Output) -> Result<ExitCode, CliError> {
    let mut pages = list.into_stream().ready_chunks(ROWS);
    let mut bugs: Vec<Bug> = Vec::new();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        let start = bugs.len();
        for bug in page {
            let bug = bug?;
            output.event(&Message::Bug(&bug));
            bugs.push(bug);
        }
        count += bugs.len() - start;
        if output.is_text() {
            output.page(&table(&bugs));
            bugs.clear();
        }
    }
    let truncation = pages.get_ref().truncation();
    if !output.is_text() || count == 0 {
        let message = Message::Bugs {
            bugs: &bugs,
            may_have_more: truncation.is_some(),
        };
        output.coloured_result(&table(&bugs), &message);
    }
    Ok(match truncation {
        None => ExitCode::Pass,
        Some(reason) => {
            eprint_line(&format!(
                "warning: there may be more bugs than the {count} shown: {reason}"
            ));
            ExitCode::PassedWithErrors
        }
    })
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
        list = list.page_size(count);
    }
    list = list.max_bugs(arguments.max);
    if let Some(count) = arguments.offset {
        list = list.offset(count);
    }
    list
}

fn table(bugs: &[Bug]) -> Coloured {
    let rows = bugs.iter().map(|bug| {
        [
            bug.severity
                .as_ref()
                .map_or("", |severity| severity.as_str()),
            bug.status.as_ref().map_or("", |status| status.as_str()),
            bug.id.as_deref().unwrap_or_default(),
            bug.title.as_deref().unwrap_or_default(),
        ]
    });
    table::build(["severity", "status", "bug", "title"], 3, rows)
}
