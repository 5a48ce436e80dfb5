//! Recognises a secret however its characters are escaped.

/// Enough for JSON that is nested four times in JSON strings. The limit bounds the work for a text
/// that consists of backslashes.
const MAX_BACKSLASHES: usize = 16;

/// The longest escape of one character: `&amp;#x1F600;` and the like.
const MAX_ESCAPE: usize = 24;

/// The characters that an escaped character may begin with.
pub(super) const ESCAPES: &[u8] = b"\\%&+";

/// How much of a secret a text begins with.
pub(super) enum Beginning {
    /// All of it, in the first `bytes` bytes of the text.
    Whole { bytes: usize },
    /// The text ends within the secret, after its first `chars` characters.
    Cut { chars: usize },
}

/// Compares the beginning of a text with a secret, each of whose characters may be escaped in its own
/// way. A backslash may be a character or begin an escape, so that there may be several matches.
pub(super) fn beginning(text: &str, secret: &str) -> Option<Beginning> {
    let first = text.as_bytes().first()?;
    if !secret.as_bytes().starts_with(&[*first]) && !ESCAPES.contains(first) {
        return None;
    }
    let mut ends = vec![0];
    let mut cut = None;
    for (count, expected) in secret.chars().enumerate() {
        let mut next = Vec::new();
        for end in ends {
            let rest = &text[end..];
            if rest.is_empty() || is_unfinished_escape(rest) {
                let chars = count + usize::from(!rest.is_empty());
                cut = Some(Beginning::Cut { chars });
            }
            for length in spellings(rest, expected) {
                if !next.contains(&(end + length)) {
                    next.push(end + length);
                }
            }
        }
        if next.is_empty() {
            return cut;
        }
        ends = next;
    }
    let bytes = ends.into_iter().max()?;
    Some(Beginning::Whole { bytes })
}

/// Returns the lengths of the spellings of a character at the beginning of a text.
fn spellings(text: &str, expected: char) -> impl Iterator<Item = usize> {
    let is_escape = text.starts_with(['\\', '%', '&', '+']);
    let escapes: [fn(&str, char) -> Option<&str>; 5] = [doubled, json, percent, plus, html];
    let literal = text.strip_prefix(expected);
    let escaped = escapes
        .into_iter()
        .filter(move |_| is_escape)
        .filter_map(move |escape| escape(text, expected));
    let rests = literal.into_iter().chain(escaped);
    rests.map(|rest| text.len() - rest.len())
}

/// Strips a character that is literal or percent-encoded, since escapes occur in URLs too.
fn strip(text: &str, expected: char) -> Option<&str> {
    let literal = text.strip_prefix(expected);
    literal.or_else(|| percent(text, expected))
}

/// Strips backslashes, and counts them.
fn strip_backslashes(mut text: &str) -> (&str, usize) {
    let mut count = 0;
    while count < MAX_BACKSLASHES
        && let Some(rest) = strip(text, '\\')
    {
        text = rest;
        count += 1;
    }
    (text, count)
}

/// Strips a backslash in JSON, or in JSON within JSON.
fn doubled(text: &str, expected: char) -> Option<&str> {
    let (_, run) = strip_backslashes(text);
    if expected != '\\' || run < 2 {
        return None;
    }
    let length = if run.is_multiple_of(4) { 4 } else { 2 };
    (0..length).try_fold(text, |rest, _| strip(rest, '\\'))
}

/// Strips a JSON escape, also within JSON that is itself a JSON string.
fn json(text: &str, expected: char) -> Option<&str> {
    let letter = match expected {
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '"' | '/' | '\'' => expected,
        _ => 'u',
    };
    let (escape, backslashes) = strip_backslashes(text);
    if backslashes == 0 {
        return None;
    }
    if letter != 'u'
        && let Some(rest) = strip(escape, letter)
    {
        return Some(rest);
    }
    let mut rest = text;
    for unit in expected.encode_utf16(&mut [0; 2]) {
        let (escape, backslashes) = strip_backslashes(rest);
        let (digits, after) = escape.strip_prefix('u')?.split_at_checked(4)?;
        if backslashes == 0 || u16::from_str_radix(digits, 16) != Ok(*unit) {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

/// Strips a percent-encoded character, also one that is encoded several times.
fn percent(text: &str, expected: char) -> Option<&str> {
    let mut rest = text;
    for byte in expected.encode_utf8(&mut [0; 4]).bytes() {
        rest = rest.strip_prefix('%')?;
        while let Some(inner) = rest.strip_prefix("25")
            && inner.starts_with(|c: char| c.is_ascii_hexdigit())
        {
            rest = inner;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        if u8::from_str_radix(digits, 16) != Ok(byte) {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

/// Strips the `+` that a form sends for a space.
fn plus(text: &str, expected: char) -> Option<&str> {
    text.strip_prefix('+').filter(|_| expected == ' ')
}

/// Strips an HTML character reference, also one that is escaped several times.
fn html(text: &str, expected: char) -> Option<&str> {
    let mut rest = strip(text, '&')?;
    loop {
        // Read `&amp;lt;` as a whole, not as `&amp;` and `lt;`.
        let inner = rest.strip_prefix("amp").and_then(|rest| strip(rest, ';'));
        let is_reference = |text| reference(text).is_some_and(|(found, _)| found == expected);
        match inner {
            Some(inner) if is_reference(inner) || inner.starts_with("amp") => rest = inner,
            _ => break,
        }
    }
    let (found, rest) = reference(rest)?;
    (found == expected).then_some(rest)
}

/// Returns the character of a reference, whose `&` is stripped already, and the text behind it.
fn reference(text: &str) -> Option<(char, &str)> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric();
    let number = strip(text, '#');
    let (name, rest) = {
        let text = number.unwrap_or(text);
        let rest = text.trim_start_matches(is_of_name);
        (&text[..text.len() - rest.len()], strip(rest, ';')?)
    };
    let character = match (number, name) {
        (Some(_), number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
        (None, "amp") => '&',
        (None, "lt") => '<',
        (None, "gt") => '>',
        (None, "quot") => '"',
        (None, "apos") => '\'',
        _ => return None,
    };
    Some((character, rest))
}

/// Returns whether the text is the beginning of a truncated escape.
fn is_unfinished_escape(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|lead| "\\%&".contains(lead))
        && text.len() < MAX_ESCAPE
        && characters.all(|c| c.is_ascii_alphanumeric() || "\\%&#".contains(c))
        && !(text.starts_with('%') && text.len() > 2 && !text[1..].contains('%'))
}
