//! The secrets of this invocation, which nothing that it prints or writes may hold.

use std::env;
use std::sync::{LazyLock, PoisonError, RwLock};

use checksum_api::Redactor;
use checksum_api_ext::API_KEY_VARIABLE;
use serde_json::Value;

use crate::message::Line;

/// A shorter text is no secret, and redacting it would tear other words apart: no key is as short,
/// but one for a stand-in, such as `any`.
const MIN_BYTES: usize = 4;

static REDACTOR: RwLock<Redactor> = RwLock::new(Redactor::new());

/// The API keys among them.
static KEYS: RwLock<Redactor> = RwLock::new(Redactor::new());

/// The words of the JSON form, which programs look for.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut words = Vec::new();
    collect(Line::schema().as_value(), &mut words);
    words
});

/// Adds the API key of the environment, whether or not it will be used.
pub(crate) fn add_key_of_environment() {
    if let Ok(key) = env::var(API_KEY_VARIABLE) {
        add_key(key.trim());
    }
}

/// Adds an API key.
pub(crate) fn add_key(key: &str) {
    if key.len() >= MIN_BYTES {
        let mut keys = KEYS.write().unwrap_or_else(PoisonError::into_inner);
        keys.add(key);
    }
    add(key);
}

/// Adds a secret; but not one that is a part of a word of the JSON form, such as `passed`. It could
/// not be told from that word, and programs could not read what is printed.
pub(crate) fn add(secret: &str) {
    // The schema is made only where its longest words could have the secret as a part.
    let is_part = || WORDS.iter().any(|word| word.contains(secret));
    if secret.len() >= MIN_BYTES && (secret.len() > 24 || !is_part()) {
        let mut redactor = REDACTOR.write().unwrap_or_else(PoisonError::into_inner);
        redactor.add(secret);
    }
}

/// Returns the text with each API key replaced by `***`, and with the values of variables as they
/// are: for a file from which work is resumed by its name.
pub(crate) fn without_keys(text: &str) -> String {
    let keys = KEYS.read().unwrap_or_else(PoisonError::into_inner);
    keys.redact(text).into_owned()
}

/// Returns the text with each secret replaced by `***`.
pub(crate) fn redact(text: &str) -> String {
    let redactor = REDACTOR.read().unwrap_or_else(PoisonError::into_inner);
    redactor.redact(text).into_owned()
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
}
