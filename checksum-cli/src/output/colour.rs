//! Colours of the words that people look for. Without them the text is the same.

use std::fmt;

use anstyle::{AnsiColor, Style};

use crate::output::text::lines;

/// Text that is safe to print, with colours.
pub(crate) struct Coloured(String);

impl Coloured {
    /// Makes `text` safe to print. Colours the word that it begins with or that follows the first
    /// `: `, if it is `word` and has a colour.
    pub(crate) fn word(text: &str, word: &str) -> Self {
        let text = lines(text);
        let is_whole = |start: &usize| {
            let rest = text[*start..].strip_prefix(word);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
        };
        let after_colon = text.find(": ").map(|colon| colon + 2);
        let start = [Some(0), after_colon].into_iter().flatten().find(is_whole);
        Self(match start {
            Some(start) => {
                let (before, rest) = text.split_at(start);
                format!("{before}{}{}", styled(word), &rest[word.len()..])
            }
            None => text,
        })
    }

    /// Makes `text` safe to print, and colours the label that it begins with.
    pub(crate) fn label(text: &str) -> Self {
        match ["error", "warning"].iter().find(|label| {
            let rest = text.strip_prefix(**label);
            rest.is_some_and(|rest| rest.starts_with(": "))
        }) {
            Some(label) => Self::word(text, label),
            None => Self(lines(text)),
        }
    }

    /// Colours the first word of each line; the first cell of each row of a table. The lines must
    /// be safe to print.
    pub(super) fn rows<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let lines: Vec<String> = lines
            .map(|line| {
                let cell = line.strip_prefix("│ ").unwrap_or(line);
                let word = cell.split(' ').next().unwrap_or_default();
                let (before, rest) = line.split_at(line.len() - cell.len());
                format!("{before}{}{}", styled(word), &rest[word.len()..])
            })
            .collect();
        Self(lines.join("\n"))
    }
}

impl fmt::Display for Coloured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

fn styled(word: &str) -> String {
    let style = style(word);
    format!("{style}{word}{style:#}")
}

/// Returns the style of a state, an outcome, a severity or a label. Other words have none.
fn style(word: &str) -> Style {
    match word {
        "passed" | "healed" | "completed" => AnsiColor::Green.on_default(),
        "failed" | "process-error" | "critical" => AnsiColor::Red.on_default(),
        "error" => AnsiColor::Red.on_default().bold(),
        "cancelled" | "no-tests" | "recovered" | "bug" | "major" | "warning" | "indeterminate"
        | "timed-out" | "unauthorized" | "interrupted" => AnsiColor::Yellow.on_default(),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_coloured_and_the_text_stays_safe() {
        const RED: &str = "\u{1b}[31m";
        const RESET: &str = "\u{1b}[0m";
        for (text, word, shown) in [
            (
                "failed (1 failed)",
                "failed",
                format!("{RED}failed{RESET} (1 failed)"),
            ),
            (
                "failed-job: failed: tests failed",
                "failed",
                format!("failed-job: {RED}failed{RESET}: tests failed"),
            ),
            ("job: odd", "odd", "job: odd".to_owned()),
            ("job: passed", "failed", "job: passed".to_owned()),
            (
                "job: failed\u{1b}[32m\u{7}",
                "failed",
                format!("job: {RED}failed{RESET} [32m "),
            ),
        ] {
            assert_eq!(Coloured::word(text, word).to_string(), shown);
        }
        let shown = Coloured::label("warning: \u{1b}[2J").to_string();
        assert_eq!(shown, format!("\u{1b}[33mwarning{RESET}:  [2J"));
    }
}
