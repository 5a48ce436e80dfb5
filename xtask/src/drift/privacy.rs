//! Decides which words of a response may be printed: those that look like the vocabulary of an API
//! and not like somebody's data.

/// Returns whether a text looks like a value of an enumeration rather than like an id, a name or a
/// secret.
pub(super) fn is_enum_word(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    text.len() <= 32 && text.chars().all(is_allowed) && has_plain_parts(text, 4)
}

/// Returns whether a text looks like the name of a field rather than like a key of somebody's data.
pub(super) fn is_field_name(text: &str) -> bool {
    text.len() <= 40 && has_plain_parts(text, 5)
}

/// Returns whether each part begins with letters and ends with at most three digits. Ids and
/// secrets mix the two.
fn has_plain_parts(text: &str, max_parts: usize) -> bool {
    let mut parts = text.split(['_', '-']);
    let is_plain = |part: &str| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        !letters.is_empty()
            && letters.chars().all(|c| c.is_ascii_alphabetic())
            && part.len() - letters.len() <= 3
    };
    parts.by_ref().take(max_parts).all(is_plain) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_differ_from_private_texts() {
        for word in "skipped timed-out in_progress v2 sha256".split(' ') {
            assert!(is_enum_word(word), "{word}");
        }
        for text in " - s3cr3t-plan Acme größe a@example.com https://example.com 1234 test-abc-123 \
            7f9c2ba4-e88f-827d-9160-4bd11d0a5c1e sk-test-5f2b9c one-two-three-four-five \
            a-word-of-more-than-thirty-two-bytes"
            .split(' ')
            .chain(["acme co"])
        {
            assert!(!is_enum_word(text), "{text}");
        }
        for name in "isTerminal pr_url x-trace sha256".split(' ') {
            assert!(is_field_name(name), "{name}");
        }
        for text in [
            "",
            "s3cr3t",
            "a@example.com",
            "https://a.b",
            "test-abc-123",
            "two words",
        ] {
            assert!(!is_field_name(text), "{text}");
        }
    }
}
