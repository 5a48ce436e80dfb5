//! The secrets of this invocation, which nothing that it prints or writes may contain: API keys and
//! the values of environment overrides.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::env;
use std::sync::{OnceLock, PoisonError, RwLock};

use checksum_api::Redactor;
use checksum_api_ext::API_KEY_ENV;

/// A shorter text is not redacted, because that would change other words. Real keys are longer;
/// only a key for the mock server, such as `any`, can be shorter.
const MIN_BYTES: usize = 4;

static SECRETS: RwLock<Secrets> = RwLock::new(Secrets {
    all: Redactor::new(),
    keys: Redactor::new(),
    names: BTreeSet::new(),
});

static IS_RESERVED: OnceLock<fn(&str) -> bool> = OnceLock::new();

struct Secrets {
    all: Redactor,
    /// The API keys among them.
    keys: Redactor,
    /// Names by which work is resumed. The value of a variable may be a part of one.
    names: BTreeSet<String>,
}

/// Sets which texts are never redacted: those that are part of a word of the JSON form, such as
/// `passed`. Without them, programs could not read the output.
pub(crate) fn reserve(is_reserved: fn(&str) -> bool) {
    IS_RESERVED.get_or_init(|| is_reserved);
}

/// Adds the API key of the environment, whether or not it will be used.
pub(crate) fn add_key_from_env() {
    if let Ok(key) = env::var(API_KEY_ENV) {
        add_key(key.trim());
    }
}

/// Adds an API key.
pub(crate) fn add_key(key: &str) {
    if is_secret(key) {
        let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
        secrets.keys.add(key);
        secrets.all.add(key);
    }
}

/// Adds the value of a variable.
pub(crate) fn add(secret: &str) {
    if is_secret(secret) {
        let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
        secrets.all.add(secret);
    }
}

fn is_secret(text: &str) -> bool {
    text.len() >= MIN_BYTES
        && !IS_RESERVED
            .get()
            .is_some_and(|is_reserved| is_reserved(text))
}

/// Keeps a name readable even if the value of a variable is a part of it: without its name, work
/// cannot be resumed. API keys in it are still redacted.
pub(crate) fn keep_name(name: &str) {
    let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    if !name.is_empty() {
        secrets.names.insert(name.to_owned());
    }
}

/// Returns `text` with each API key replaced by `***`. The values of variables stay.
pub(crate) fn redact_keys(text: &str) -> String {
    let secrets = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    secrets.keys.redact(text).into_owned()
}

/// Returns `text` with each secret replaced by `***`.
pub(crate) fn redact(text: &str) -> String {
    let Secrets { all, keys, names } = &*SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    // A command that waits for thousands of runs keeps thousands of names.
    if let Cow::Borrowed(text) = all.redact(text) {
        return text.to_owned();
    }
    let mut redacted = String::new();
    let mut rest = text;
    while let Some((start, name)) = names
        .iter()
        .filter_map(|name| Some((rest.find(name.as_str())?, name)))
        .min_by_key(|(start, name)| (*start, usize::MAX - name.len()))
    {
        redacted += &all.redact(&rest[..start]);
        redacted += &keys.redact(name);
        rest = &rest[start + name.len()..];
    }
    redacted + &all.redact(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_and_short_texts_are_not_redacted() {
        reserve(|text| text == "passed");
        for text in ["passed", "any"] {
            add(text);
            add_key(text);
            assert_eq!(redact(text), text);
        }
        add("hush-hush");
        assert_eq!(redact("the hush-hush"), "the ***");
    }

    #[test]
    fn names_of_work_stay_readable_except_for_keys_in_them() {
        add("staging-77");
        add_key("the-key-of-77");
        keep_name("job-staging-77-1");
        let text = "job-staging-77-1 on staging-77 with the-key-of-77";
        assert_eq!(redact(text), "job-staging-77-1 on *** with ***");
        keep_name("job-the-key-of-77");
        assert_eq!(redact("job-the-key-of-77"), "job-***");
    }
}
