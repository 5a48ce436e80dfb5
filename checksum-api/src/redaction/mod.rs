//! Replaces secrets in texts.

mod spelling;

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use spelling::{Beginning, ESCAPES, beginning};

/// The text that replaces a secret.
const REDACTED: &str = "***";

/// A shorter value is not a secret, and replacing it would change other words.
const MIN_VALUE_BYTES: usize = 4;

/// Up to this many characters at the end of a complete text may equal the beginning of a secret by
/// chance.
const MAX_CHANCE: usize = 3;

/// The base64 of a shorter text may occur by chance.
const MIN_BASE64_BYTES: usize = 8;

/// Replaces secrets in texts by `***`. Use it before you print a response of the service, which may
/// repeat the API key or the value of an environment variable.
///
/// A secret is found as it is, JSON-escaped, percent-encoded, HTML-escaped and within base64, also if
/// only some of its characters are escaped.
///
/// ```
/// let mut redactor = checksum_api::Redactor::new();
/// redactor.add("k/e\"y");
/// assert_eq!(redactor.redact(r#"{"sent": "k\/e\"y"}, ?key=k%2Fe%22y"#), r#"{"sent": "***"}, ?key=***"#);
/// ```
#[derive(Clone, Default)]
pub struct Redactor(Vec<SecretString>);

impl Redactor {
    /// Returns a redactor without any secret.
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
        // The base64 of a part of a text depends on where the part begins, and its first and last
        // characters depend on the neighbours of the part.
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

    /// Adds the secrets of another redactor.
    pub(crate) fn add_all(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// Adds the value of a secret field of a request: a text, or an object of texts.
    pub(crate) fn add_value(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.len() >= MIN_VALUE_BYTES => self.add(text),
            Value::Object(fields) => fields.values().for_each(|value| self.add_value(value)),
            _ => {}
        }
    }

    /// Returns `text` with each secret replaced by `***`.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.replace(text, None)
    }

    /// Returns `text` with each secret replaced. If the text ends with the beginning of a secret,
    /// because the sender may have truncated it, that beginning is replaced too. With `is_cut` it
    /// was certainly truncated, so that even one character is replaced.
    pub(crate) fn redact_end<'a>(&self, text: &'a str, is_cut: bool) -> Cow<'a, str> {
        let chance = if is_cut { 0 } else { MAX_CHANCE };
        self.replace(text, Some(chance))
    }

    /// Replaces secrets. A beginning of a secret at the end of the text is kept if it has at most
    /// `chance` characters; with `None`, whatever its length.
    fn replace<'a>(&self, text: &'a str, chance: Option<usize>) -> Cow<'a, str> {
        let mut redacted = String::new();
        let mut redacted_to = 0;
        let mut may_begin = [false; 256];
        let firsts = self
            .0
            .iter()
            .filter_map(|secret| secret.expose_secret().as_bytes().first());
        firsts
            .chain(ESCAPES)
            .for_each(|byte| may_begin[usize::from(*byte)] = true);
        let starts = text.char_indices().map(|(start, _)| start);
        for start in starts.filter(|start| may_begin[usize::from(text.as_bytes()[*start])]) {
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
            if end <= redacted_to {
                continue;
            }
            // Secrets that overlap are replaced as one.
            if start >= redacted_to {
                redacted.push_str(&text[redacted_to..start]);
                redacted.push_str(REDACTED);
            }
            redacted_to = end;
        }
        match redacted_to {
            0 => text.into(),
            _ => {
                redacted.push_str(&text[redacted_to..]);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactor(secret: &str) -> Redactor {
        {
            let mut redactor = Redactor::new();
            redactor.add(secret);
            redactor
        }
    }

    #[test]
    fn redacts_keys_and_values_of_secret_fields() {
        let mut secrets = redactor("my-key");
        secrets.add_value(&json!({ "A": "two\nlines", "B": "1", "C": null, "D": ["listed"] }));
        secrets.add_value(&json!("alone"));
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
    fn redacts_a_key_within_base64() {
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
    fn overlapping_secrets_are_fully_redacted() {
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
    fn a_truncated_secret_at_the_end_is_redacted() {
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
