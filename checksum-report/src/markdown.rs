//! Markdown for the summary of a CI step, or for a comment on a pull request.

use crate::report::{Report, Status, Test, kind};
use crate::text::{block, line, shortened};

/// The budget for a step summary of GitHub Actions, which drops one over 1 MiB: half of that, since
/// other parts of the step write to the same file.
pub const STEP_SUMMARY_BYTES: usize = 512 * 1024;

/// The budget for the summary of a check, or for a comment, which GitHub rejects over 65,535 bytes:
/// half of that. It suits a step summary too.
pub const CHECK_BYTES: usize = 32_767;

/// How much of one error is shown, so that one test does not use the whole budget.
const MAX_ERROR: usize = 2_000;

/// Enough for the line that says what is left out.
const LAST_LINE: usize = 160;

impl Report {
    /// Returns Markdown of at most `max_bytes`: the outcome, the counts, and the tests that did not
    /// simply pass, those that failed first. A last line says how many tests are left out.
    ///
    /// Text of the service stands in code, where it is no markup, link or mention.
    pub fn markdown(&self, max_bytes: usize) -> String {
        let mark = if self.is_success && self.run_error().is_none() {
            "✅"
        } else {
            "❌"
        };
        let mut text = format!("## {mark} Checksum: {}\n", code(&self.outcome));
        if text.len() > max_bytes {
            return String::new();
        }
        let budget = max_bytes.saturating_sub(LAST_LINE);
        let mut facts = vec![self.summary()];
        facts.extend(
            self.branch
                .iter()
                .map(|branch| format!("branch {}", code(branch))),
        );
        facts.extend(self.web_url().map(|url| format!("[test run]({url})")));
        append(&mut text, &format!("\n{}\n", facts.join(" · ")), budget);
        let reason = self.run_error().or_else(|| self.reason.clone());
        if let Some(reason) = reason {
            append(&mut text, &format!("\n{}", fence(&reason, "")), budget);
        }
        let mut heading = "";
        let mut left_out: Vec<(&str, usize)> = Vec::new();
        for test in self.by_status() {
            if test.status == Status::Passed {
                break;
            }
            let kind = kind(&test.status);
            let mut entry = entry(test);
            if heading != kind {
                entry = format!("\n### {}\n\n{entry}", title(&test.status));
            }
            if left_out.is_empty() && append(&mut text, &entry, budget) {
                heading = kind;
                continue;
            }
            match left_out.last_mut() {
                Some((last, count)) if *last == kind => *count += 1,
                _ => left_out.push((kind, 1)),
            }
        }
        if !left_out.is_empty() {
            let left_out = left_out
                .iter()
                .map(|(kind, count)| format!("{count} {kind}"));
            let left_out: Vec<String> = left_out.collect();
            let last = format!("\n… tests that are left out: {}\n", left_out.join(", "));
            append(&mut text, &last, max_bytes);
        }
        text
    }
}

/// Appends a part if it fits into the budget.
fn append(text: &mut String, part: &str, budget: usize) -> bool {
    let fits = text.len() + part.len() <= budget;
    if fits {
        text.push_str(part);
    }
    fits
}

fn title(status: &Status) -> &'static str {
    match status {
        Status::Failed => "Failed",
        Status::Bug => "Bugs of the application",
        Status::Recovered => "Recovered: failed first, then passed",
        Status::Other(_) => "With another status",
        Status::Passed => "Passed",
    }
}

fn entry(test: &Test) -> String {
    let mut facts = vec![code(&test.name())];
    if let Status::Other(status) = &test.status {
        facts.push(code(status));
    }
    facts.extend(test.file.iter().chain(&test.health).map(|fact| code(fact)));
    facts.extend(
        test.tags
            .iter()
            .take(20)
            .map(|tag| code(&format!("#{tag}"))),
    );
    let error = test.error.as_deref().map(|error| fence(error, "  "));
    format!("- {}\n{}", facts.join(" · "), error.unwrap_or_default())
}

/// Returns text as inline code, whose fence is longer than any within it.
fn code(text: &str) -> String {
    let text = line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    format!("{fence} {text} {fence}")
}

/// Returns text as a block of code, whose fence is longer than any within it.
fn fence(text: &str, indent: &str) -> String {
    let text = block(text);
    let text = shortened(&text, 0, MAX_ERROR);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let lines = text.lines().map(|line| format!("{indent}{line}\n"));
    format!(
        "{indent}{fence}text\n{}{indent}{fence}\n",
        lines.collect::<String>()
    )
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|character| character != '`');
    runs.map(str::len).max().unwrap_or_default()
}
