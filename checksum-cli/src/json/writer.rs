//! Writes JSON: redacts secrets, and escapes what a terminal or a CI system would act on.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, Formatter};

use crate::output::text::json_string;
use crate::redaction::redact;

/// Returns `value` as JSON on one line.
pub(crate) fn to_json(value: &impl Serialize) -> serde_json::Result<String> {
    let mut json = Vec::new();
    value.serialize(&mut Serializer::with_formatter(
        &mut json,
        Redacted::default(),
    ))?;
    // serde_json and this module write only UTF-8.
    Ok(String::from_utf8_lossy(&json).into_owned())
}

/// Collects each string (a field's name or a value), then redacts and writes it.
#[derive(Default)]
struct Redacted(String);

impl Formatter for Redacted {
    fn begin_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.clear();
        writer.write_all(b"\"")
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        _: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.0.push_str(fragment);
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        _: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.0.push(match escape {
            CharEscape::Quote => '"',
            CharEscape::ReverseSolidus => '\\',
            CharEscape::Solidus => '/',
            CharEscape::Backspace => '\u{8}',
            CharEscape::FormFeed => '\u{c}',
            CharEscape::LineFeed => '\n',
            CharEscape::CarriageReturn => '\r',
            CharEscape::Tab => '\t',
            CharEscape::AsciiControl(code) => char::from(code),
        });
        Ok(())
    }

    fn end_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        write!(writer, "{}\"", json_string(&redact(&self.0)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::redaction;

    #[test]
    fn secrets_are_redacted_in_names_and_values_before_escaping() {
        redaction::add(r#"json-k"e\y"#);
        let value = json!({
            "a\u{1}\"b": ["\n\r\t\u{8}\u{c}/", 1, -2.5, true, null],
            r#"of json-k"e\y"#: { "x": r#"json-k\"e\\y, json-k%22e%5Cy"# },
        });
        let json = to_json(&value).expect("JSON");
        let decoded: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let expected = json!({
            "a\u{1}\"b": ["\n\r\t\u{8}\u{c}/", 1, -2.5, true, null],
            "of ***": { "x": "***, ***" },
        });
        assert_eq!(decoded, expected);
    }
}
