//! Requests as text: the method, path, query, headers and body that were sent.

use std::fmt::Write;

use checksum_api::{OPERATIONS, Operation};
use serde_json::Value;

use crate::document::examples;
use crate::fake_transport::{FakeRequest, FakeTransport, KEY};

/// Responds to each request with the first example that the document has for it.
pub fn documented() -> FakeTransport {
    FakeTransport::new(|request| {
        let examples = examples(operation_of(request).id);
        let (_, example) = examples.into_iter().next().expect("an example");
        example.into()
    })
}

/// Returns a request as text, with the API key and the version replaced.
///
/// # Panics
///
/// A header that is not marked as sensitive, or the body, has the API key.
pub fn text(request: &FakeRequest) -> String {
    let mut text = format!(
        "{}\n{} {}",
        operation_of(request).id,
        request.method,
        request.url.path()
    );
    if let Some(query) = request.url.query() {
        write!(text, "?{query}").expect("text");
    }
    let headers = request.headers.iter();
    let mut headers: Vec<String> = headers
        .map(|(name, value)| match value.is_sensitive() {
            true => format!("{name}: ***"),
            false => format!("{name}: {}", value.to_str().expect("a header")),
        })
        .collect();
    headers.sort();
    writeln!(text, "\n{}", headers.join("; ")).expect("text");
    if request.body != Value::Null {
        writeln!(text, "{:#}", request.body).expect("text");
    }
    assert!(!text.contains(KEY), "the key is in {text}");
    text.replace(env!("CARGO_PKG_VERSION"), "[version]")
        // It would reverse the direction of what follows wherever the text is shown.
        .replace('\u{202e}', "\\u{202e}")
}

/// The operation that a request is meant for: the one whose literal segments fit best.
fn operation_of(request: &FakeRequest) -> &'static Operation {
    let fits = OPERATIONS.iter().filter(|operation| {
        operation.method == request.method.as_str() && operation.matches(&request.path)
    });
    let best = fits.min_by_key(|operation| operation.path.matches('{').count());
    best.unwrap_or_else(|| panic!("{} is no operation's", request.path))
}
