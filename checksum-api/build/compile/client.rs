//! Runs progenitor on the rewritten document.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle};
use serde_json::{Map, Value, json};

use super::custom_types::CustomTypes;
use super::document::{GenerationError, operations};

pub(super) fn tokens(
    document: &Value,
    custom: &CustomTypes,
) -> Result<TokenStream, GenerationError> {
    let error = match try_tokens(document, custom) {
        Ok(tokens) => return Ok(tokens),
        Err(error) => error,
    };
    // Progenitor's errors and panics have no place: find the part that fails on its own.
    if let Err(error) = try_tokens(&with_paths(document, Map::new()), custom) {
        return Err(GenerationError::new("#/components", error));
    }
    for operation in operations(document) {
        let item = json!({ operation.method: operation.value });
        let single = Map::from_iter([(operation.path.to_owned(), item)]);
        if let Err(error) = try_tokens(&with_paths(document, single), custom) {
            return Err(GenerationError::new(operation.place(), error));
        }
    }
    Err(GenerationError::new("#", error))
}

fn with_paths(document: &Value, paths: Map<String, Value>) -> Value {
    let mut document = document.clone();
    document["paths"] = Value::Object(paths);
    document
}

fn try_tokens(document: &Value, custom: &CustomTypes) -> Result<TokenStream, String> {
    let openapi: OpenAPI =
        serde_path_to_error::deserialize(document.clone()).map_err(|error| error.to_string())?;
    let outcome = quietly(|| Generator::new(&settings(custom)).generate_tokens(&openapi));
    match outcome {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "progenitor panicked".to_owned())),
    }
}

/// Progenitor panics on some documents: returns the panic's message, and prints nothing.
fn quietly<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    thread_local! {
        static IS_QUIET: Cell<bool> = const { Cell::new(false) };
    }
    // The hook is the whole process's: a panic of another thread must still be printed.
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_QUIET.get() {
                hook(panic);
            }
        }));
    });
    IS_QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    IS_QUIET.set(false);
    outcome
}

fn settings(custom: &CustomTypes) -> GenerationSettings {
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_derive("PartialEq")
        .with_map_type("::std::collections::BTreeMap");
    custom.replace(&mut settings);
    settings
}
