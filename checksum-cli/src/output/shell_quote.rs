//! Quoting for a POSIX shell, so that printed commands can be copied.

/// Returns `text` as one word of a shell command.
pub(crate) fn quote(text: &str) -> String {
    match is_plain(text) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Returns whether a shell, and the command that it starts, take `text` as it is.
pub(crate) fn is_plain(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@".contains(c);
    !text.is_empty() && text.chars().all(is_plain) && !text.starts_with('-')
}
