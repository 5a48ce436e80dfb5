//! Makes texts of a response fit for an error: on one line, bounded, without secrets.

use crate::redaction::Redactor;
use crate::response::MAX_ERROR_BYTES;

/// How many characters of a response an error repeats.
const MAX_EXCERPT: usize = 300;

/// How many bytes of a text are searched for secrets, since searching megabytes for hundreds of
/// secrets takes seconds. An excerpt shows less, even if most of the text is white space.
const MAX_REDACTED_BYTES: usize = 8 * 1024;

/// Returns the beginning of a body on one line. It may end within a secret, because it was
/// truncated here or when it was read, or because the connection was lost.
pub(super) fn body_excerpt(body: &[u8], secrets: &Redactor) -> String {
    let is_cut = body.len() >= MAX_ERROR_BYTES;
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_ERROR_BYTES)]);
    let text = match is_cut {
        // A truncated character has become a replacement character.
        true => text.trim_end_matches(char::REPLACEMENT_CHARACTER),
        false => &text,
    };
    if text.trim().is_empty() {
        return "an empty body".to_owned();
    }
    format!("`{}`", redacted_line(text, is_cut, secrets))
}

/// Collapses the white space of a text and truncates it.
pub(super) fn truncate_line(text: &str, secrets: &Redactor) -> String {
    redacted_line(text, false, secrets)
}

/// Redacts before it truncates, because truncating a secret would leave a part of it.
fn redacted_line(text: &str, is_cut: bool, secrets: &Redactor) -> String {
    let text = text.trim_start();
    let mut end = text.len().min(MAX_REDACTED_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let is_cut = is_cut || end < text.len();
    one_line(&secrets.redact_end(&text[..end], is_cut))
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * MAX_EXCERPT {
            break;
        }
    }
    match line.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Searching the whole text would take minutes.
    #[test]
    fn redaction_of_a_long_text_with_many_secrets_is_fast() {
        let mut secrets = Redactor::new();
        for number in 0..20 {
            secrets.add(&format!("sk-test-{number}"));
        }
        let text = "sk-".repeat(10_000_000);
        let began = std::time::Instant::now();
        for line in [
            truncate_line(&text, &secrets),
            body_excerpt(text.as_bytes(), &secrets),
        ] {
            assert!(line.contains("sk-sk-"), "{line}");
        }
        assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    }

    #[test]
    fn a_truncated_body_leaves_no_part_of_the_key() {
        for key in ["sk-test-5f2b9c-key", r#"sk"te\st-5f2b9c"#] {
            let mut secrets = Redactor::new();
            secrets.add(key);
            let escaped = Value::from(key).to_string();
            let escaped = escaped.trim_matches('"');
            for spelled in [key, escaped] {
                for shown in 1..=spelled.len() {
                    let mut body = vec![b' '; MAX_ERROR_BYTES - shown];
                    body.extend_from_slice(&spelled.as_bytes()[..shown]);
                    let text = body_excerpt(&body, &secrets);
                    assert_eq!(text, "`***`", "{shown}");
                    // A body that is longer than the part that is read.
                    body.extend_from_slice(&spelled.as_bytes()[shown..]);
                    let text = body_excerpt(&body, &secrets);
                    assert_eq!(text, "`***`", "{shown}");
                }
                // A text whose beginning alone is redacted.
                for shown in 1..=spelled.len() {
                    let mut text = "x".to_owned();
                    text.push_str(&" ".repeat(MAX_REDACTED_BYTES - 1 - shown));
                    text.push_str(spelled);
                    text.push_str(&"y".repeat(1_000_000));
                    for line in [
                        truncate_line(&text, &secrets),
                        body_excerpt(text.as_bytes(), &secrets).replace('`', ""),
                    ] {
                        assert_eq!(line, "x ***", "{shown}");
                    }
                }
                // A body that the service, or a lost connection, ended there.
                for shown in 5..spelled.len() {
                    let body = format!("you sent {}", &spelled[..shown]);
                    assert_eq!(body_excerpt(body.as_bytes(), &secrets), "`you sent ***`");
                }
            }
        }
    }
}
