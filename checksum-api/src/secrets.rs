use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::Client;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// A shorter value is no secret, and hiding it would tear other words apart.
const MIN_VALUE_BYTES: usize = 4;

/// So much of a secret may stand at the end of a whole text by chance.
const MAX_CHANCE: usize = 3;

/// A shorter text has no base64 that is unlike other words.
const MIN_BASE64_BYTES: usize = 8;

/// JSON four times within JSON. A bound, since a text may be nothing but backslashes.
const MAX_BACKSLASHES: usize = 16;

/// The longest escape of one character: `&amp;#x1F600;` and the like.
const MAX_ESCAPE: usize = 24;

/// Replaces secrets in texts by `***`: for programs that print what a service sends, which may
/// repeat the API key or the value of an environment variable.
///
/// A secret is found as it is, JSON-escaped, percent-encoded, HTML-escaped and within base64, and
/// also where only some of its characters are escaped.
///
/// ```
/// let mut redactor = checksum_api::Redactor::new();
/// redactor.add("k/e\"y");
/// assert_eq!(redactor.redact(r#"{"sent": "k\/e\"y"}, ?key=k%2Fe%22y"#), r#"{"sent": "***"}, ?key=***"#);
/// ```
#[derive(Clone, Default)]
pub struct Redactor(Vec<SecretString>);

impl Redactor {
    /// Returns a redactor that knows no secret.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a secret. An empty one is ignored.
    pub fn add(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        self.0.push(SecretString::from(secret));
        if secret.len() < MIN_BASE64_BYTES {
            return;
        }
        // What base64 makes of a part of a text depends on where the part begins, and its first
        // and last characters on what stands beside it.
        for before in 0..3 {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(secret.as_bytes());
            let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
            for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let encoded = &alphabet.encode(&bytes)[own.clone()];
                if !self.0.iter().any(|known| known.expose_secret() == encoded) {
                    self.0.push(SecretString::from(encoded));
                }
            }
        }
    }

    pub(crate) fn key(key: &SecretString) -> Self {
        let mut redactor = Self::new();
        redactor.add(key.expose_secret());
        redactor
    }

    /// Learns the value of a secret member of a request: a text, or several by name.
    pub(crate) fn learn(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.len() >= MIN_VALUE_BYTES => self.add(text),
            Value::Object(members) => members.values().for_each(|value| self.learn(value)),
            _ => {}
        }
    }

    /// Returns `text` with each secret replaced by `***`.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.replace(text, None)
    }

    /// The same for the end of a response, where it may have been cut by the one who sent it; or
    /// was cut for certain, so that even one character may be the beginning of a secret.
    pub(crate) fn redact_end<'a>(&self, text: &'a str, is_cut: bool) -> Cow<'a, str> {
        let chance = if is_cut { 0 } else { MAX_CHANCE };
        self.replace(text, Some(chance))
    }

    /// `chance`: how much of a secret's beginning the end of the text may show; anything where
    /// there is none.
    fn replace<'a>(&self, text: &'a str, chance: Option<usize>) -> Cow<'a, str> {
        let mut redacted = String::new();
        let mut hidden_to = 0;
        for (start, _) in text.char_indices() {
            let rest = &text[start..];
            let longest = self.0.iter().filter_map(|secret| {
                let secret = secret.expose_secret();
                match beginning(rest, secret)? {
                    Beginning::Whole { bytes } => Some(bytes),
                    Beginning::Cut { chars } => chance
                        .is_some_and(|chance| chars > chance)
                        .then_some(rest.len()),
                }
            });
            let Some(length) = longest.max() else {
                continue;
            };
            let end = start + length;
            if end <= hidden_to {
                continue;
            }
            // Secrets that overlap are hidden as one.
            if start >= hidden_to {
                redacted.push_str(&text[hidden_to..start]);
                redacted.push_str(HIDDEN);
            }
            hidden_to = end;
        }
        match hidden_to {
            0 => text.into(),
            _ => {
                redacted.push_str(&text[hidden_to..]);
                redacted.into()
            }
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Redactor(***)")
    }
}

/// How a text begins with a secret.
enum Beginning {
    /// So many bytes of the text are the secret.
    Whole { bytes: usize },
    /// The text ends within so many of the secret's first characters.
    Cut { chars: usize },
}

/// Compares the start of a text with a secret, each of whose characters may be escaped in its own
/// way. A backslash may be one or begin an escape, so there may be several ways to go on.
fn beginning(text: &str, secret: &str) -> Option<Beginning> {
    let first = text.as_bytes().first()?;
    if !secret.as_bytes().starts_with(&[*first]) && !b"\\%&+".contains(first) {
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

/// The lengths of what stands for a character at the start of a text.
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

/// Behind a character that is as it is or percent-encoded: escapes stand in addresses too.
fn behind(text: &str, expected: char) -> Option<&str> {
    let literal = text.strip_prefix(expected);
    literal.or_else(|| percent(text, expected))
}

/// Behind backslashes, and how many they are.
fn behind_backslashes(mut text: &str) -> (&str, usize) {
    let mut count = 0;
    while count < MAX_BACKSLASHES
        && let Some(rest) = behind(text, '\\')
    {
        text = rest;
        count += 1;
    }
    (text, count)
}

/// A backslash, in JSON or in JSON within JSON.
fn doubled(text: &str, expected: char) -> Option<&str> {
    let (_, run) = behind_backslashes(text);
    if expected != '\\' || run < 2 {
        return None;
    }
    let length = if run.is_multiple_of(4) { 4 } else { 2 };
    (0..length).try_fold(text, |rest, _| behind(rest, '\\'))
}

/// A JSON escape, also within JSON that is a JSON string itself.
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
    let (escape, backslashes) = behind_backslashes(text);
    if backslashes == 0 {
        return None;
    }
    if letter != 'u'
        && let Some(rest) = behind(escape, letter)
    {
        return Some(rest);
    }
    let mut rest = text;
    for unit in expected.encode_utf16(&mut [0; 2]) {
        let (escape, backslashes) = behind_backslashes(rest);
        let (digits, after) = escape.strip_prefix('u')?.split_at_checked(4)?;
        if backslashes == 0 || u16::from_str_radix(digits, 16) != Ok(*unit) {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

/// Percent-encoding, also of what is percent-encoded already.
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

/// A space, in a form.
fn plus(text: &str, expected: char) -> Option<&str> {
    text.strip_prefix('+').filter(|_| expected == ' ')
}

/// An HTML character reference, also of what is escaped already.
fn html(text: &str, expected: char) -> Option<&str> {
    let mut rest = behind(text, '&')?;
    loop {
        // The whole of `&amp;lt;` before its beginning.
        let inner = rest.strip_prefix("amp").and_then(|rest| behind(rest, ';'));
        let is_reference = |text| reference(text).is_some_and(|(found, _)| found == expected);
        match inner {
            Some(inner) if is_reference(inner) || inner.starts_with("amp") => rest = inner,
            _ => break,
        }
    }
    let (found, rest) = reference(rest)?;
    (found == expected).then_some(rest)
}

/// The character that stands behind the `&` of a reference, and what follows it.
fn reference(text: &str) -> Option<(char, &str)> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric();
    let number = behind(text, '#');
    let (name, rest) = {
        let text = number.unwrap_or(text);
        let rest = text.trim_start_matches(is_of_name);
        (&text[..text.len() - rest.len()], behind(rest, ';')?)
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

/// Whether the text is the beginning of an escape that has no end.
fn is_unfinished_escape(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|lead| "\\%&".contains(lead))
        && text.len() < MAX_ESCAPE
        && characters.all(|c| c.is_ascii_alphanumeric() || "\\%&#".contains(c))
        && !(text.starts_with('%') && text.len() > 2 && !text[1..].contains('%'))
}

impl Client {
    /// A text without the key, should the service, or an echo in its place, have repeated it: for
    /// answers that are shown. Errors do so by themselves.
    ///
    /// ```
    /// # use checksum_api::{ApiKey, Client};
    /// let client = Client::builder(ApiKey::new("my-key")?).build()?;
    /// assert_eq!(client.redact("Authorization: Bearer my-key"), "Authorization: Bearer ***");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.inner.api_key.secrets().redact(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactor(secret: &str) -> Redactor {
        Redactor::key(&SecretString::from(secret))
    }

    #[test]
    fn hides_the_key_and_what_it_has_learnt_however_it_is_written() {
        let mut secrets = redactor("my-key");
        secrets.learn(&json!({ "A": "two\nlines", "B": "1", "C": null, "D": ["listed"] }));
        secrets.learn(&json!("alone"));
        for (text, redacted) in [
            ("Bearer my-key, my-key", "Bearer ***, ***"),
            ("two\nlines", "***"),
            (r#"{"A":"two\nlines","B":"1"}"#, r#"{"A":"***","B":"1"}"#),
            ("leave me alone", "leave me ***"),
            ("listed", "listed"),
        ] {
            assert_eq!(secrets.redact(text), redacted);
        }
    }

    #[test]
    fn redacts_every_spelling_of_a_key() {
        let key = r#"sk/"a\b'<&>%+c9"#;
        let secrets = redactor(key);
        let json = json!(key).to_string();
        let json = &json[1..json.len() - 1];
        let twice = json!(json).to_string();
        let twice = &twice[1..twice.len() - 1];
        let unicode: String = key
            .chars()
            .map(|c| format!("\\u{:04X}", c as u32))
            .collect();
        let percent: String = key.bytes().map(|b| format!("%{b:02x}")).collect();
        for spelled in [
            key,
            json,
            twice,
            &json.replace('/', r"\/"),
            &unicode,
            &unicode.replace('\\', r"\\"),
            &percent,
            &percent.replace('%', "%25"),
            "sk/%22a%5Cb'%3C&%3E%25+c9",
            "sk%2F%22a%5cb%27%3c%26%3e%25%2Bc9",
            r#"sk/&quot;a\b&#39;&lt;&amp;&gt;%+c9"#,
            r#"sk&#x2F;&#34;a\b&apos;&lt;&amp;&gt;%&#43;c9"#,
            r"sk%2F%5C%22a%5C%5Cb'%5Cu003c&%3e%25%5C%5Cu002bc9",
            "%26%23115%3B%26%23x6b;%26%2347%3B&quot%3Ba\\b'<%26amp%3B>%+c9",
            r#"sk/&amp;quot;a\b&amp;#39;&amp;lt;&amp;amp;&amp;gt;%+c9"#,
        ] {
            let text = format!("before {spelled} after");
            assert_eq!(secrets.redact(&text), "before *** after", "{text}");
        }
    }

    #[test]
    fn redacts_what_a_key_is_within_base64() {
        let key = "sk-test-5f2b9c-must-not-show";
        let secrets = redactor(key);
        for before in ["", "Bearer ", "{\"key\":\"", ":", "user:"] {
            for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let text = alphabet.encode(format!("{before}{key}\"}}"));
                let shown = secrets.redact(&text).into_owned();
                assert!(shown.contains("***"), "{shown}");
                assert!(text.len() - shown.len() > key.len(), "{text}: {shown}");
            }
        }
    }

    #[test]
    fn secrets_that_overlap_or_contain_each_other_leave_nothing() {
        let mut secrets = redactor("abcdef");
        secrets.add("abc");
        secrets.add("efgh");
        for (text, redacted) in [
            ("-abcdef-", "-***-"),
            ("-abcdefgh-", "-***-"),
            ("-abcabc-", "-******-"),
            ("", ""),
        ] {
            assert_eq!(secrets.redact(text), redacted);
        }
    }

    #[test]
    fn the_beginning_of_a_secret_at_a_cut_is_dropped() {
        let key = r#"sk"test"#;
        let secrets = redactor(key);
        for spelled in [
            key,
            r#"sk\"test"#,
            "sk%22test",
            "sk&quot;test",
            r"\u0073k%22test",
        ] {
            for end in 1..spelled.len() {
                let shown = format!("you sent {}", &spelled[..end]);
                assert_eq!(secrets.redact_end(&shown, true), "you sent ***", "{shown}");
            }
        }
        assert_eq!(
            secrets.redact_end(r#"you sent sk"t"#, false),
            "you sent ***"
        );
        assert_eq!(secrets.redact_end("no tasks", false), "no tasks");
        assert_eq!(secrets.redact("no task"), "no task");
    }
}
