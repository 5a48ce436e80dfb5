//! The secrets of this invocation, which nothing that it prints or writes may hold.

use std::env;
use std::sync::{LazyLock, PoisonError, RwLock};

use checksum_api::Redactor;
use checksum_api_ext::API_KEY_ENV;
use serde_json::Value;

use crate::message::Line;

/// A shorter text is no secret, and redacting it would tear other words apart: no key is as short,
/// but one for a stand-in, such as `any`.
const MIN_BYTES: usize = 4;

static REDACTOR: RwLock<Redactor> = RwLock::new(Redactor::new());

/// The API keys among them.
static KEYS: RwLock<Redactor> = RwLock::new(Redactor::new());

/// Names by which work is resumed. The value of a variable may be a part of one.
static NAMES: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// The words of the JSON form, which programs look for.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut words = Vec::new();
    collect(Line::schema().as_value(), &mut words);
    words
});

/// Adds the API key of the environment, whether or not it will be used.
pub(crate) fn add_key_of_environment() {
    if let Ok(key) = env::var(API_KEY_ENV) {
        add_key(key.trim());
    }
}

/// Adds an API key.
pub(crate) fn add_key(key: &str) {
    if is_secret(key) {
        let mut keys = KEYS.write().unwrap_or_else(PoisonError::into_inner);
        keys.add(key);
    }
    add(key);
}

/// Adds a secret; but not one that is a part of a word of the JSON form, such as `passed`. It could
/// not be told from that word, and programs could not read what is printed.
pub(crate) fn add(secret: &str) {
    if is_secret(secret) {
        let mut redactor = REDACTOR.write().unwrap_or_else(PoisonError::into_inner);
        redactor.add(secret);
    }
}

fn is_secret(text: &str) -> bool {
    // The schema is made only where its longest words could have the text as a part.
    let is_part = || WORDS.iter().any(|word| word.contains(text));
    text.len() >= MIN_BYTES && (text.len() > 24 || !is_part())
}

/// Adds a name by which work is resumed, of which no part is the value of a variable from then on:
/// without its name, work is lost.
pub(crate) fn keep_name(name: &str) {
    let mut names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
    if !name.is_empty() && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// Returns the text with each API key replaced by `***`, and with the values of variables as they
/// are.
pub(crate) fn without_keys(text: &str) -> String {
    let keys = KEYS.read().unwrap_or_else(PoisonError::into_inner);
    keys.redact(text).into_owned()
}

/// Returns the text with each secret replaced by `***`.
pub(crate) fn redact(text: &str) -> String {
    let names = NAMES.read().unwrap_or_else(PoisonError::into_inner);
    let redactor = REDACTOR.read().unwrap_or_else(PoisonError::into_inner);
    let mut redacted = String::new();
    let mut rest = text;
    while let Some((start, name)) = names
        .iter()
        .filter_map(|name| Some((rest.find(name.as_str())?, name)))
        .min_by_key(|(start, name)| (*start, usize::MAX - name.len()))
    {
        redacted += &redactor.redact(&rest[..start]);
        redacted += &without_keys(name);
        rest = &rest[start + name.len()..];
    }
    redacted += &redactor.redact(rest);
    redacted
}

fn collect(schema: &Value, words: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("const", Value::String(word)) => words.push(word.clone()),
                    ("enum", Value::Array(list)) => {
                        words.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    ("properties", Value::Object(properties)) => {
                        words.extend(properties.keys().cloned());
                    }
                    _ => {}
                }
                collect(member, words);
            }
        }
        Value::Array(list) => list.iter().for_each(|member| collect(member, words)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_json_form_is_no_secret() {
        for word in ["passed", "run", "status", "exitCode", "testRunId", "pass"] {
            add(word);
            assert_eq!(redact(word), word);
        }
        add("word-of-nobody");
        assert_eq!(redact("the word-of-nobody"), "the ***");
    }

    #[test]
    fn a_name_by_which_work_is_resumed_stays() {
        add("staging-77");
        add_key("the-key-of-77");
        keep_name("job-staging-77-1");
        let text = "job-staging-77-1 on staging-77 with the-key-of-77";
        assert_eq!(redact(text), "job-staging-77-1 on *** with ***");
        keep_name("job-the-key-of-77");
        assert_eq!(redact("job-the-key-of-77"), "job-***");
    }
}
