//! Makes text of the service safe to show: it cannot move the cursor, reverse the reading direction,
//! or contain a command of a CI system. The writers and the command use it.

use std::borrow::Cow;

/// How many combining marks a character may have. More would cover the lines around it.
pub const MAX_MARKS: usize = 4;

/// GitLab and Travis fold their logs at these, before a colon.
pub const FOLDS: [&str; 4] = ["section_start", "section_end", "travis_fold", "travis_time"];

/// Headings for Buildkite, at the start of a line.
const HEADINGS: [&str; 4] = ["---", "+++", "~~~", "^^^"];

/// How much of a title, a path or a tag is shown, in bytes.
const MAX_LINE: usize = 1_000;

/// How much of an error message is shown, in bytes.
const MAX_BLOCK: usize = 64 * 1024;

/// How much longer a text may be before it is cut. The mark of a cut is shorter, so that a text that
/// is cut already is not cut again.
const TOLERANCE: usize = 64;

/// Returns `text` on one line, without colours and commands, cut after 1,000 bytes.
pub fn line(text: &str) -> String {
    // Saves the work of cleaning a megabyte.
    let mut line = disarm(&clean_line(start(text, MAX_BLOCK)));
    if line.len() > MAX_LINE + TOLERANCE {
        line.truncate(start(&line, MAX_LINE).trim_end().len());
        line.push('…');
    }
    line
}

/// Returns `text` with its line ends, without colours and commands, cut after 64 KiB.
pub fn block(text: &str) -> String {
    let cleaned = clean_block(start(text, 4 * MAX_BLOCK));
    let left_out = text.len().saturating_sub(4 * MAX_BLOCK);
    let lines: Vec<String> = cleaned.split('\n').map(disarm).collect();
    shortened(&lines.join("\n"), left_out, MAX_BLOCK).into_owned()
}

/// Returns `text` on one line, without colours, control characters and invisible ones.
pub(crate) fn clean_line(text: &str) -> String {
    printable(&without_colours(text)).trim().to_owned()
}

/// Returns `text` with its line ends, without colours, control characters and invisible ones.
pub(crate) fn clean_block(text: &str) -> String {
    let lines = without_colours(text)
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\t', "    ");
    let lines: Vec<String> = lines.split('\n').map(printable).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Returns `text`, cut after `max` bytes with a line that says how many are left out, beside those
/// that were left out before.
pub(crate) fn shortened(text: &str, left_out: usize, max: usize) -> Cow<'_, str> {
    if left_out == 0 && text.len() <= max + TOLERANCE {
        return text.into();
    }
    let kept = start(text, max).trim_end();
    let left_out = left_out + text.len() - kept.len();
    format!("{kept}\n… {left_out} more bytes are left out").into()
}

/// Returns the first `max` bytes, or a little less so that no character is split.
fn start(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn without_colours(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Returns a line without control characters and invisible ones. Control characters and line ends
/// become spaces.
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut marks = 0;
    for character in text.chars() {
        marks = if is_mark(character) { marks + 1 } else { 0 };
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            line.push(' ');
        } else if !is_invisible(character) && marks <= MAX_MARKS {
            line.push(character);
        }
    }
    line
}

/// Inserts a space into each command of a CI system in a line.
pub fn disarm(line: &str) -> String {
    let mut disarmed = String::with_capacity(line.len() + 1);
    let start = line.trim_start();
    if HEADINGS.iter().any(|heading| line.starts_with(heading)) {
        disarmed.push(' ');
    }
    // GitHub: `::error::…` at the start of a line.
    let mut rest = match start.strip_prefix("::") {
        None => line,
        Some(rest) => {
            disarmed.push_str(&line[..line.len() - start.len()]);
            disarmed.push_str(": :");
            rest
        }
    };
    // Azure: `##vso[…]`. GitHub and Azure: `##[…]`. TeamCity: `##teamcity[…]`. All of them anywhere.
    while let Some(at) = rest.find("##") {
        let (before, after) = rest.split_at(at);
        let name = after.trim_start_matches('#');
        disarmed.push_str(before);
        disarmed.push_str(&after[..after.len() - name.len()]);
        if name.trim_start_matches(is_of_name).starts_with('[') {
            disarmed.push(' ');
        }
        rest = name;
    }
    disarmed.push_str(rest);
    for fold in FOLDS {
        disarmed = disarmed.replace(&format!("{fold}:"), &format!("{fold} :"));
    }
    disarmed
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || "-_.".contains(character)
}

/// Returns whether a character combines with the one before it.
pub fn is_mark(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Returns whether Unicode has it as a format character (general category Cf) or as
/// `Default_Ignorable_Code_Point`: zero-width characters, bidirectional controls, variation
/// selectors, tags. So do the two that XML does not allow.
pub fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}
