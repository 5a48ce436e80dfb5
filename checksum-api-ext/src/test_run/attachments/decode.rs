//! Decoding a list of attachments, whose form the API's description does not show.

use checksum_api::BaseUrl;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use url::Url;

use super::AttachmentKind;
use crate::lenient::{integer, string};
use crate::url::resolve;

/// Fields that hold the list.
const LISTS: [&str; 6] = ["attachments", "items", "data", "results", "files", "result"];

/// Fields that hold the URL.
const ADDRESS: [&str; 9] = [
    "url",
    "href",
    "link",
    "downloadUrl",
    "signedUrl",
    "fileUrl",
    "src",
    "location",
    "path",
];

/// How deep lists may be nested.
const MAX_DEPTH: usize = 4;

/// One attachment of the response.
pub(super) struct Entry<'a> {
    pub(super) name: String,
    pub(super) kind: AttachmentKind,
    pub(super) content_type: Option<String>,
    pub(super) url: Url,
    pub(super) size: Option<u64>,
    pub(super) raw: &'a Value,
}

/// Returns the attachments of a response, or `None` if it cannot be a list of attachments.
pub(super) fn entries<'a>(response: &'a Value, base: &BaseUrl) -> Option<Vec<Entry<'a>>> {
    let mut found = Vec::new();
    collect(response, None, base, 0, &mut found).then_some(found)
}

/// Adds the attachments in a value. Returns whether the value can be a list of attachments.
fn collect<'a>(
    value: &'a Value,
    kind: Option<&str>,
    base: &BaseUrl,
    depth: usize,
    found: &mut Vec<Entry<'a>>,
) -> bool {
    match value {
        // A missing list counts as an empty one.
        Value::Null => true,
        Value::Array(elements) => {
            let before = found.len();
            found.extend(elements.iter().filter_map(|one| entry(one, kind, base)));
            // If no element has a field for a URL, it is a list of something else.
            found.len() > before || elements.is_empty() || elements.iter().any(is_without_address)
        }
        Value::String(_) => match entry(value, kind, base) {
            Some(entry) => {
                found.push(entry);
                true
            }
            None => false,
        },
        Value::Object(fields) => {
            if let Some(entry) = entry(value, kind, base) {
                found.push(entry);
                return true;
            }
            depth < MAX_DEPTH && collect_fields(fields, kind, base, depth, found)
        }
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn collect_fields<'a>(
    fields: &'a Map<String, Value>,
    kind: Option<&str>,
    base: &BaseUrl,
    depth: usize,
    found: &mut Vec<Entry<'a>>,
) -> bool {
    let list = LISTS.iter().find_map(|name| fields.get(*name));
    if let Some(list) = list
        && collect(list, kind, base, depth + 1, found)
    {
        return true;
    }
    let mut is_list = fields.is_empty();
    for (name, value) in fields {
        // Any value counts in a field that is named after a kind. In another field only a list
        // counts, so that a test's id or a link to the next page is not an attachment.
        let is_kind = AttachmentKind::from_word(name).is_some();
        if is_kind || value.is_array() {
            is_list |= collect(value, Some(name), base, depth + 1, found);
        }
    }
    is_list
}

/// Returns whether an element is null, or an attachment without a URL.
fn is_without_address(element: &Value) -> bool {
    element.is_null() || ADDRESS.iter().any(|name| element.get(*name).is_some())
}

fn entry<'a>(raw: &'a Value, kind: Option<&str>, base: &BaseUrl) -> Option<Entry<'a>> {
    let address = match raw {
        Value::String(address) => address,
        _ => string(raw, &ADDRESS)?,
    };
    let url = resolve(base, address)?;
    let given_name = string(raw, &["name", "fileName", "filename", "title"]);
    let name = given_name.map_or_else(|| last_segment(&url), str::to_owned);
    let type_word = string(raw, &["type"]);
    let content_type = string(raw, &["contentType", "content_type", "mimeType", "mime"])
        .or(type_word.filter(|word| word.contains('/')));
    let word = string(raw, &["kind", "attachmentType", "category"])
        .or(type_word.filter(|word| !word.contains('/')))
        .or(kind);
    let known = word
        .and_then(AttachmentKind::from_word)
        .or_else(|| content_type.and_then(AttachmentKind::of_content_type))
        .or_else(|| AttachmentKind::from_word(&name))
        .or_else(|| AttachmentKind::of_name(&name))
        .or_else(|| AttachmentKind::of_name(&last_segment(&url)));
    // A kind that the entry itself gives has priority over its name, even if the kind is not known.
    let own = word.filter(|own| Some(*own) != kind && AttachmentKind::from_word(own).is_none());
    let kind = match (own, known) {
        (Some(own), _) => AttachmentKind::Other(own.to_owned()),
        (None, Some(known)) => known,
        (None, None) => AttachmentKind::Other(word.unwrap_or("file").to_owned()),
    };
    Some(Entry {
        name,
        kind,
        content_type: content_type.map(str::to_owned),
        url,
        size: integer(
            raw,
            &["size", "sizeBytes", "sizeInBytes", "bytes", "contentLength"],
        ),
        raw,
    })
}

/// Returns the last part of the path of a URL; empty if there is none.
fn last_segment(url: &Url) -> String {
    let segment = url.path_segments().and_then(|mut parts| parts.next_back());
    percent_decode_str(segment.unwrap_or_default())
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Each attachment as `kind name address`.
    fn decode(response: &Value) -> Option<Vec<String>> {
        let base = "https://api.checksum.ai".parse().expect("a URL");
        let entries = entries(response, &base)?;
        let line = |one: Entry<'_>| format!("{} {} {}", one.kind, one.name, one.url);
        Some(entries.into_iter().map(line).collect())
    }

    #[test]
    fn reads_every_likely_shape() {
        let trace = "https://f.example/1/trace.zip";
        let image = "https://f.example/1/a.png";
        let expected = [
            format!("trace trace.zip {trace}"),
            format!("screenshot a.png {image}"),
        ];
        let objects = json!([
            { "name": "trace.zip", "kind": "trace", "url": trace, "contentType": null },
            { "fileName": "a.png", "type": "image/png", "href": image },
        ]);
        for response in [
            objects.clone(),
            json!({ "attachments": objects }),
            json!({ "items": objects, "total": 2 }),
            json!({ "data": objects }),
            json!({ "data": { "attachments": objects } }),
            json!({ "attachments": null, "data": objects })["data"].clone(),
            json!([trace, image]),
            json!({ "attachments": [trace, image] }),
            json!({ "traces": [trace], "screenshots": [{ "url": image }], "videos": null }),
            json!({ "data": { "trace": trace, "screenshot": image, "testId": "test/a.b" } }),
            json!({ "attachments": { "traces": [trace], "screenshots": [image] } }),
        ] {
            let mut lines = decode(&response).expect("a list");
            lines.sort_by_key(|line| !line.starts_with("trace"));
            assert_eq!(lines, expected, "{response}");
        }
    }

    #[test]
    fn empty_lists_are_decoded_and_other_shapes_are_rejected() {
        for none in [
            json!(null),
            json!([]),
            json!({}),
            json!({ "attachments": null }),
            json!({ "attachments": [null, 3, {}, "<html>"] }),
            json!([{ "name": "trace.zip", "url": null }]),
        ] {
            assert_eq!(decode(&none), Some(Vec::new()), "{none}");
        }
        for odd in [
            json!("<html>Sign in</html>"),
            json!(7),
            json!(true),
            json!({ "message": "no" }),
            json!({ "attachments": 7 }),
            json!([3, {}, "<html>"]),
            json!({ "headers": [{ "authorization": "Bearer" }] }),
        ] {
            assert_eq!(decode(&odd), None, "{odd}");
        }
    }

    #[test]
    fn kind_is_derived_from_any_field() {
        for (entry, kind) in [
            (json!({ "url": "/a", "kind": "Traces" }), "trace"),
            (json!({ "url": "/a", "type": "video" }), "video"),
            (
                json!({ "url": "/a", "mimeType": "image/webp" }),
                "screenshot",
            ),
            (json!({ "url": "/a.webm?x=y.png" }), "video"),
            (json!({ "url": "/a.png", "kind": "har" }), "har"),
            (json!({ "url": "/a" }), "file"),
        ] {
            let lines = decode(&json!([entry])).expect("a list");
            assert!(lines[0].starts_with(&format!("{kind} ")), "{lines:?}");
        }
        let lines = decode(&json!({ "logs": ["/a/b"] })).expect("a list");
        assert_eq!(lines, ["logs b https://api.checksum.ai/a/b"]);
    }

    #[test]
    fn sizes_and_unusual_names_are_decoded() {
        let base: BaseUrl = "https://api.checksum.ai".parse().expect("a URL");
        let long = "x".repeat(1_000_000);
        let response = json!([
            { "url": "/a/%2e%2e%2fb", "size": "12" },
            { "url": "/a", "name": long, "sizeBytes": 7 },
        ]);
        let entries = entries(&response, &base).expect("a list");
        assert_eq!(entries[0].size, Some(12));
        assert_eq!(entries[0].name, "../b");
        assert_eq!(entries[1].size, Some(7));
        assert_eq!(entries[1].name.len(), 1_000_000);
    }

    #[test]
    fn deep_nesting_is_bounded() {
        let mut deep = json!(["/a.png"]);
        for _ in 0..100 {
            deep = json!({ "data": deep });
        }
        assert_eq!(decode(&deep), None);
    }
}
