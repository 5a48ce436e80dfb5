//! Requests as they go out, as text.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use checksum_api::{OPERATIONS, Operation};
use checksum_api_ext::{Checksum, RetryPolicy};
use http::Response;
use serde_json::Value;

use crate::document::examples;

/// Answers each request with the document's first example for it, and writes the request down.
#[derive(Clone, Default)]
pub struct Wire(Arc<Mutex<Vec<String>>>);

impl Wire {
    /// A client whose requests are written down.
    pub fn client(&self) -> Checksum {
        let wire = self.clone();
        Checksum::builder()
            .api_key(KEY.parse().expect("a key"))
            .base_url("https://checksum.invalid".parse().expect("a URL"))
            .retry_policy(RetryPolicy::none())
            .transport(move |request: reqwest::Request| {
                let operation = operation_of(&request);
                wire.lock().push(text(operation, &request));
                let (_, example) = examples(operation.id)
                    .into_iter()
                    .next()
                    .expect("an example");
                async move { Ok(Response::new(example.to_string()).into()) }
            })
            .build()
            .expect("a client")
    }

    /// The requests since the last time, each as its method, path, query, headers and body.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Long enough to be found in whatever should not hold it.
const KEY: &str = "key-that-nobody-may-see";

/// The operation that a request is meant for: the one whose literal segments fit best.
fn operation_of(request: &reqwest::Request) -> &'static Operation {
    let path = request.url().path().trim_start_matches("/public-api");
    let fits = |operation: &&Operation| {
        let template: Vec<&str> = operation.path.split('/').collect();
        let segments: Vec<&str> = path.split('/').collect();
        operation.method == request.method().as_str()
            && template.len() == segments.len()
            && template
                .iter()
                .zip(&segments)
                .all(|(expected, found)| expected.starts_with('{') || expected == found)
    };
    let literal = |operation: &&Operation| !operation.path.contains('{');
    let mut candidates: Vec<_> = OPERATIONS.iter().filter(fits).collect();
    candidates.sort_by_key(|operation| !literal(operation));
    candidates
        .first()
        .unwrap_or_else(|| panic!("{path} is no operation's"))
}

fn text(operation: &Operation, request: &reqwest::Request) -> String {
    let url = request.url();
    let mut text = format!("{}\n{} {}", operation.id, request.method(), url.path());
    if let Some(query) = url.query() {
        write!(text, "?{query}").expect("text");
    }
    let mut headers: Vec<String> = request
        .headers()
        .iter()
        .map(|(name, value)| match value.is_sensitive() {
            true => format!("{name}: ***"),
            false => format!("{name}: {}", value.to_str().expect("a header")),
        })
        .collect();
    headers.sort();
    text = format!("{text}\n{}\n", headers.join("\n"));
    let body = request.body().and_then(reqwest::Body::as_bytes);
    if let Some(body) = body {
        let body: Value = serde_json::from_slice(body).expect("a body of JSON");
        writeln!(text, "{body:#}").expect("text");
    }
    assert!(!text.contains(KEY), "the key is in {text}");
    // Turns the order of what follows round where it is shown.
    let text = text.replace('\u{202e}', "\\u{202e}");
    short(&text).replace(env!("CARGO_PKG_VERSION"), "[version]")
}

/// The text with long runs of one character counted.
fn short(text: &str) -> String {
    let mut short = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let mut count = 1;
        while characters.next_if_eq(&character).is_some() {
            count += 1;
        }
        if count > 100 {
            write!(short, "[{count} × {character}]").expect("text");
        } else {
            short.extend(std::iter::repeat_n(character, count));
        }
    }
    short
}
