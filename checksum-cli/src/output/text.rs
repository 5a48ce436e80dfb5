//! Makes text safe to print, since the service may have written it.
//!
//! The result has no secret, cannot move the cursor or reverse the reading direction, has no
//! invisible characters, and contains no command of a CI system. Control characters and line ends
//! become spaces, invisible characters are removed, and a space is inserted into a command.

use checksum_report::text::{FOLDS, MAX_MARKS, disarm, is_invisible, is_mark, printable};

use crate::redaction::redact;

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
    // A removed character may have split a secret.
    disarm(&redact(&printable(text)))
}

/// Returns the content of a JSON string whose value is `text`. Everything that [`one_line`] would
/// change is escaped.
pub(crate) fn json_string(text: &str) -> String {
    let mut string = String::with_capacity(text.len());
    let mut marks = 0;
    for character in text.chars() {
        marks = if is_mark(character) { marks + 1 } else { 0 };
        match character {
            '"' => string += "\\\"",
            '\\' => string += "\\\\",
            '\n' => string += "\\n",
            '\r' => string += "\\r",
            '\t' => string += "\\t",
            '\u{8}' => string += "\\b",
            '\u{c}' => string += "\\f",
            '\u{2028}' | '\u{2029}' => escape(character, &mut string),
            _ if character.is_control() || is_invisible(character) || marks > MAX_MARKS => {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ci::tests::text;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        /// Nothing that is printed can be cleaned further, so that no part of it is what the cleaning
        /// was to remove, and JSON is the same to a program.
        #[test]
        fn no_text_breaks_the_terminal(text in text()) {
            let line = one_line(&text);
            prop_assert!(!line.contains(|c: char| c.is_control() || is_invisible(c)), "{line:?}");
            prop_assert!(!line.trim_start().starts_with("::"), "{line}");
            prop_assert!(!line.contains("##[") && !line.contains("##vso["), "{line}");
            prop_assert_eq!(one_line(&line), line);
            prop_assert_eq!(lines(&lines(&text)), lines(&text));
            let json = format!("\"{}\"", json_string(&text));
            prop_assert_eq!(one_line(&json), json.as_str());
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
        }
    }

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
        assert_eq!(one_line(&flood).chars().count(), 1 + 4 + 2);
        assert_eq!(one_line("Vie\u{302}\u{323}t"), "Vie\u{302}\u{323}t");
    }

    #[test]
    fn colours_stay_and_other_escape_sequences_are_removed() {
        let text = "\u{1b}[2mtime\u{1b}[0m \u{1b}]0;title\u{7}\u{1b}[2J::x\n::error::y";
        let shown = "\u{1b}[2mtime\u{1b}[0m  ]0;title  [2J::x\n: :error::y";
        assert_eq!(coloured_lines(text), shown);
    }
}
