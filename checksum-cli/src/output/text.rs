//! Makes text safe to print, since the service may have written it.
//!
//! The result has no secret, cannot move the cursor or reverse the reading direction, has no
//! invisible characters, and contains no command of a CI system. Control characters and line ends
//! become spaces, invisible characters are removed, and a space is inserted into a command.

use crate::redaction::redact;

/// How many combining marks a character may have. More would cover the lines around it.
const MAX_MARKS: usize = 4;

/// GitLab and Travis fold their logs at these.
const FOLDS: [&str; 4] = ["section_start", "section_end", "travis_fold", "travis_time"];

/// Headings for Buildkite, at the start of a line.
const HEADINGS: [&str; 4] = ["---", "+++", "~~~", "^^^"];

/// Returns `text` on one line, safe to print.
pub(crate) fn one_line(text: &str) -> String {
    clean(&redact(text))
}

/// Returns `text` with its line ends, safe to print.
pub(crate) fn lines(text: &str) -> String {
    let lines: Vec<String> = redact(text).split('\n').map(clean).collect();
    lines.join("\n")
}

/// Returns `text` with its line ends and colours, safe to print.
pub(crate) fn coloured_lines(text: &str) -> String {
    let text = redact(text);
    let mut rest = text.as_str();
    let mut cleaned = String::new();
    while let Some((before, sequence, after)) = colour(rest) {
        cleaned += &lines(before);
        cleaned += sequence;
        rest = after;
    }
    cleaned + &lines(rest)
}

/// Returns the text before the first colour sequence, the sequence, and the text after it.
fn colour(text: &str) -> Option<(&str, &str, &str)> {
    let is_parameter = |c: char| c.is_ascii_digit() || c == ';';
    for (start, introducer) in text.match_indices("\u{1b}[") {
        let rest = text[start + introducer.len()..].trim_start_matches(is_parameter);
        if let Some(after) = rest.strip_prefix('m') {
            let end = text.len() - after.len();
            return Some((&text[..start], &text[start..end], after));
        }
    }
    None
}

fn clean(text: &str) -> String {
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
    // A removed character may have split a secret.
    disarm(&redact(&line))
}

/// Inserts a space into each command of a CI system.
fn disarm(line: &str) -> String {
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

/// Returns the content of a JSON string whose value is `text`. Everything that [`one_line`] would
/// change is escaped.
pub(crate) fn json_string(text: &str) -> String {
    let mut string = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => string += "\\\"",
            '\\' => string += "\\\\",
            '\n' => string += "\\n",
            '\r' => string += "\\r",
            '\t' => string += "\\t",
            '\u{8}' => string += "\\b",
            '\u{c}' => string += "\\f",
            '\u{2028}' | '\u{2029}' => escape(character, &mut string),
            _ if character.is_control() || is_invisible(character) => {
                escape(character, &mut string);
            }
            _ => string.push(character),
        }
    }
    string = string.replace("##", "#\\u0023");
    for fold in FOLDS {
        string = string.replace(&format!("{fold}:"), &format!("{fold}\\u003a"));
    }
    string
}

fn escape(character: char, string: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        *string += &format!("\\u{unit:04x}");
    }
}

fn is_mark(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Returns whether Unicode has it as a format character (general category Cf) or as
/// `Default_Ignorable_Code_Point`: zero-width characters, bidirectional controls, variation
/// selectors, tags.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_ci_systems_are_broken() {
        for (text, shown) in [
            (
                "a ##vso[task.setvariable variable=x]y",
                "a ## vso[task.setvariable variable=x]y",
            ),
            ("##VSO[x]", "## VSO[x]"),
            ("##[error]no", "## [error]no"),
            ("###[group]", "### [group]"),
            ("##teamcity[x]##octopus[y]", "## teamcity[x]## octopus[y]"),
            ("#\u{200b}#v\u{2060}so[x]", "## vso[x]"),
            ("::error file=a::b", ": :error file=a::b"),
            (
                " \u{a0}\u{3000}\u{200b}::set-output name=a::b",
                " \u{a0}\u{3000}: :set-output name=a::b",
            ),
            ("\n::add-mask::x", " : :add-mask::x"),
            ("\u{feff}::add-mask::x", ": :add-mask::x"),
            (":\u{ad}:add-mask::x", ": :add-mask::x"),
            (
                "section_start:1560896352:a\r\u{1b}[0K",
                "section_start :1560896352:a  [0K",
            ),
            ("travis_fold:start:a", "travis_fold :start:a"),
            ("--- a", " --- a"),
            ("+++ a", " +++ a"),
            ("~~~ a", " ~~~ a"),
            ("^^^ +++", " ^^^ +++"),
            // Ordinary text.
            ("std::vec::Vec<T> at a::b", "std::vec::Vec<T> at a::b"),
            ("## A heading [1]", "## A heading [1]"),
            ("issue #12, C##, [x]", "issue #12, C##, [x]"),
            ("a --- b", "a --- b"),
        ] {
            assert_eq!(one_line(text), shown);
            assert_eq!(one_line(shown), shown, "a second time");
        }
    }

    #[test]
    fn control_and_invisible_characters_are_removed() {
        let mut text = String::from("a");
        for code in (0..0xa0)
            .chain(0x2000..0x2070)
            .chain(0xfff0..0xfffc)
            .chain(0xe0000..0xe0200)
        {
            text.extend(char::from_u32(code));
        }
        text += "\u{ad}\u{61c}\u{180e}\u{feff}\u{fe0f}\u{1d173}b";
        let line = one_line(&text);
        for character in line.chars() {
            assert!(!character.is_control(), "{character:?}");
            assert!(!is_invisible(character), "{character:?}");
            assert!(
                !matches!(character, '\u{2028}' | '\u{2029}'),
                "{character:?}"
            );
        }
        assert!(line.starts_with('a') && line.ends_with('b'), "{line}");
        let json = json_string(&text);
        assert_eq!(one_line(&json), json, "all is escaped");
        let decoded: String = serde_json::from_str(&format!("\"{json}\"")).expect("JSON");
        assert_eq!(decoded, text);
    }

    #[test]
    fn json_escapes_commands_and_keeps_the_value() {
        for text in [
            "##vso[x]",
            "###[x]",
            "####",
            "#",
            "section_start:1:a",
            "::error::x",
            "\\##",
            "\"##[",
            "\u{1f468}\u{200d}\u{1f469}",
            "\u{e0041}",
            "\u{202e}",
        ] {
            let json = json_string(text);
            assert_eq!(one_line(&format!("\"{json}\"")), format!("\"{json}\""));
            let decoded: String = serde_json::from_str(&format!("\"{json}\"")).expect("JSON");
            assert_eq!(decoded, text);
        }
        assert_eq!(json_string("\u{e0041}"), "\\udb40\\udc41");
    }

    #[test]
    fn combining_marks_are_limited() {
        let flood = format!("a{}b\u{301}", "\u{301}".repeat(1_000));
        assert_eq!(one_line(&flood).chars().count(), 1 + MAX_MARKS + 2);
        assert_eq!(one_line("Vie\u{302}\u{323}t"), "Vie\u{302}\u{323}t");
    }

    #[test]
    fn colours_stay_and_other_escape_sequences_are_removed() {
        let text = "\u{1b}[2mtime\u{1b}[0m \u{1b}]0;title\u{7}\u{1b}[2J::x\n::error::y";
        let shown = "\u{1b}[2mtime\u{1b}[0m  ]0;title  [2J::x\n: :error::y";
        assert_eq!(coloured_lines(text), shown);
    }
}
