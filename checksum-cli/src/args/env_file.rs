//! A file of environment variables: `--env-file`. It is fuzzed apart from the rest of the command, and
//! imports nothing of it.

use std::collections::BTreeMap;

use serde_json::Value;

/// Returns the variables of a file, or the number of a wrong line and what is wrong with it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>, (usize, &'static str)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii_start().starts_with(b"{") {
        return parse_json(bytes);
    }
    let variable = |(index, line): (usize, &[u8])| {
        let line = str::from_utf8(line).map_err(|_| "is not UTF-8");
        let variable = line.and_then(parse_line).transpose()?;
        Some(variable.map_err(|reason| (index + 1, reason)))
    };
    bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter_map(variable)
        .collect()
}

/// Returns the variables of a JSON object. No line of another file begins with a brace.
fn parse_json(bytes: &[u8]) -> Result<Vec<(String, String)>, (usize, &'static str)> {
    let object: BTreeMap<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| (error.line(), "is not JSON"))?;
    let text = |value| match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err((1, "begins an object with a value that is no text")),
    };
    let variable = |(name, value): (String, Value)| match is_name(&name) {
        true => Ok((name, text(value)?)),
        false => Err((1, "begins an object with a key that is not a name")),
    };
    object.into_iter().map(variable).collect()
}

fn parse_line(line: &str) -> Result<Option<(String, String)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, value) = line
        .split_once('=')
        .ok_or("is not NAME=VALUE: it has no `=`")?;
    let name = match name.strip_prefix("export") {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest,
        _ => name,
    };
    let name = name.trim();
    if !is_name(name) {
        return Err("is not NAME=VALUE: the text before the `=` is not a name");
    }
    Ok(Some((name.to_owned(), unquote(value.trim())?)))
}

/// Returns a value as a shell reads it, without substitution.
fn unquote(text: &str) -> Result<String, &'static str> {
    let quote = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => quote,
        _ => {
            let comment = text.match_indices('#').map(|(start, _)| start);
            let mut comment = comment.filter(|start| {
                let before = &text[..*start];
                before.is_empty() || before.ends_with(char::is_whitespace)
            });
            let end = comment.next().unwrap_or(text.len());
            return Ok(text[..end].trim_end().to_owned());
        }
    };
    let mut value = String::new();
    let mut characters = text[1..].chars();
    while let Some(character) = characters.next() {
        if character == quote {
            let rest = characters.as_str().trim_start();
            return match rest.is_empty() || rest.starts_with('#') {
                true => Ok(value),
                false => Err("has text after the closing quote"),
            };
        }
        if character != '\\' || quote == '\'' {
            value.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some('t') => value.push('\t'),
            Some(escaped @ ('"' | '\\' | '$' | '`')) => value.push(escaped),
            Some(other) => value.extend(['\\', other]),
            None => break,
        }
    }
    Err("has a quote that is not closed; write a line end as \\n in double quotes")
}

pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_files_are_parsed() {
        let file = "\u{feff}# a comment\r\n\r\nA=1\r\n  export B = two words # a comment\r\n\
            C='single \\n # $X'\nD=\"double \\n \\\" \\\\ \\$ \\x\" # a comment\n\
            E=\nF=\"\"\nG=a=b#c\nexported=x\nA=2\n\t\n_h.i-j=`x`";
        let read: BTreeMap<String, String> = parse(file.as_bytes())
            .expect("variables")
            .into_iter()
            .collect();
        let expected = [
            ("A", "2"),
            ("B", "two words"),
            ("C", "single \\n # $X"),
            ("D", "double \n \" \\ $ \\x"),
            ("E", ""),
            ("F", ""),
            ("G", "a=b#c"),
            ("exported", "x"),
            ("_h.i-j", "`x`"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read, BTreeMap::from(expected));

        let object = " {\"A\":\"two\\nlines\",\"B\":1,\"C\":true}\n";
        let read = parse(object.as_bytes()).expect("variables");
        let expected = [("A", "two\nlines"), ("B", "1"), ("C", "true")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read, expected);
    }

    #[test]
    fn an_invalid_line_is_reported_by_number_without_its_text() {
        for (file, line, expected) in [
            ("A=1\nhush-hush\n", 2, "no `=`"),
            ("\n\n=hush", 3, "not a name"),
            ("hush hush=1", 1, "not a name"),
            ("1A=hush", 1, "not a name"),
            ("A='hush", 1, "not closed"),
            ("A=\"hush\\", 1, "not closed"),
            ("# x\nA='hush' hush", 2, "after the closing quote"),
            ("{\n\"A\": hush}", 2, "not JSON"),
            ("{\"A\": [\"hush\"]}", 1, "no text"),
            ("{\"hush hush\": \"\"}", 1, "not a name"),
        ] {
            let (number, reason) = parse(file.as_bytes()).expect_err(file);
            assert_eq!(number, line, "{file}");
            assert!(reason.contains(expected), "{file}: {reason}");
            assert!(!reason.contains("hush"), "{file}: {reason}");
        }
        assert_eq!(parse(b"A=1\nB=\xff"), Err((2, "is not UTF-8")));
    }
}
