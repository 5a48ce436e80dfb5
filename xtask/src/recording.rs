use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use checksum_contract::{Document, Recording};

use crate::document::PATH as DOCUMENT;
use crate::root;

/// Compares what `checksum contract verify --save` recorded with the document of this working tree.
/// A deviation from a documented part is an error, from any other part a line to read.
pub(crate) fn replay(path: &Path) -> Result<()> {
    let yaml = fs::read_to_string(root().join(DOCUMENT)).context(DOCUMENT)?;
    let document = Document::parse(&yaml).context(DOCUMENT)?;
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
    let recording = Recording::load(file).with_context(|| name.to_string())?;
    let drifts = recording.replay(&document);
    for drift in &drifts {
        let sort = if drift.is_failure() { "drift" } else { "note " };
        eprintln!("{sort}  {}: {drift}", drift.operation);
    }
    let failures = drifts.iter().filter(|drift| drift.is_failure()).count();
    eprintln!(
        "{} answers, {failures} drifts, {} notes",
        recording.exchanges().len(),
        drifts.len() - failures
    );
    ensure!(failures == 0, "{name} is not as {DOCUMENT} says");
    Ok(())
}

#[cfg(test)]
mod tests {
    use checksum_contract::{Exchange, compare};
    use serde_json::{Value, json};

    use super::*;

    fn document() -> (Value, Document) {
        let yaml = fs::read_to_string(root().join(DOCUMENT)).expect("the document");
        let value = serde_saphyr::from_str(&yaml).expect("YAML");
        (value, Document::parse(&yaml).expect("a document"))
    }

    /// Records one answer of `get_project` to a file, and replays it.
    fn replayed(answer: &Value) -> Result<()> {
        let (_, document) = document();
        let operation = document.operation("get_project").expect("an operation");
        let mut recording = Recording::default();
        recording.push(Exchange::new(&document, operation, 200, None, Some(answer)));
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        recording.save(&mut file).expect("written");
        replay(file.path())
    }

    #[test]
    fn a_recording_is_compared_with_the_working_tree() {
        replayed(&json!({ "id": "a", "name": "b" })).expect("no drift");
        let error = replayed(&json!({ "id": "a" })).expect_err("drift");
        assert!(
            error
                .to_string()
                .contains("is not as openapi/checksum.yaml says"),
            "{error}"
        );
        let error = replay(&root().join("Cargo.toml")).expect_err("no recording");
        assert!(
            format!("{error:#}").contains("this is no recording"),
            "{error:#}"
        );
    }

    /// The comparer reads the whole document: were it to miss a part, the examples would tell.
    #[test]
    fn the_examples_of_the_document_are_as_it_says() {
        let (value, document) = document();
        let items = value["paths"].as_object().expect("paths").values();
        let operations = items.flat_map(|item| item.as_object().expect("an item").values());
        let mut compared = 0;
        for operation in operations {
            let id = operation["operationId"].as_str().expect("an id");
            let mut response = &operation["responses"]["2XX"];
            if let Some(target) = response["$ref"].as_str() {
                let pointer = target.trim_start_matches('#');
                response = value.pointer(pointer).expect("a response");
            }
            let examples = &response["content"]["application/json"]["examples"];
            for example in examples.as_object().expect("examples").values() {
                let known = document.operation(id).expect(id);
                let drifts = compare(&document, known, &example["value"]);
                assert_eq!(drifts, [], "{id}");
                compared += 1;
            }
        }
        assert_eq!(document.operations().count(), 17);
        assert!(compared > 17);
    }
}
