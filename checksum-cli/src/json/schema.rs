//! The JSON Schema of the output, and the words in it.

use std::sync::LazyLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::message::Line;

/// The words of the JSON form: names of fields and fixed values.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut words = Vec::new();
    collect(schema().as_value(), &mut words);
    words
});

/// Returns the schema of every line of `--output json` and `--output ndjson`.
pub(crate) fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<Line<'static>>()
}

/// Returns whether `text` is part of a word of the JSON form.
pub(crate) fn is_part_of_a_word(text: &str) -> bool {
    // No word is longer, so that for most secrets the schema need not be built.
    text.len() <= 24 && WORDS.iter().any(|word| word.contains(text))
}

fn collect(schema: &Value, words: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("const", Value::String(word)) => words.push(word.clone()),
                    ("enum", Value::Array(list)) => {
                        words.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    ("properties", Value::Object(properties)) => {
                        words.extend(properties.keys().cloned());
                    }
                    _ => {}
                }
                collect(field, words);
            }
        }
        Value::Array(list) => list.iter().for_each(|field| collect(field, words)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_other_texts_are_not() {
        for word in [
            "passed",
            "run",
            "status",
            "exitCode",
            "testRunId",
            "isSuccess",
        ] {
            assert!(is_part_of_a_word(word), "{word}");
        }
        assert!(!is_part_of_a_word("hush-hush"));
        assert!(WORDS.iter().all(|word| word.len() <= 24), "{WORDS:?}");
    }
}
