//! The API reference as one page that needs nothing but itself.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use minijinja::{Environment, Value, context};

use crate::document::Document;
use crate::root;

const TEMPLATE: &str = include_str!("docs.html");

/// Writes the page.
pub(crate) fn run(output: &Path) -> Result<()> {
    let document = Document::current()?;
    let page = page(&document)?;
    let path = root().join(output);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, &page).with_context(|| output.display().to_string())?;
    eprintln!(
        "{}: {} operations, {} types, {} kB",
        output.display(),
        document.operations().count(),
        document.components("schemas").count(),
        page.len() / 1000
    );
    Ok(())
}

fn page(document: &Document) -> Result<String> {
    // The template engine's values keep the order of members, which `serde_json` here does not.
    let openapi: Value = serde_saphyr::from_str(document.text())?;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
    environment.add_filter("markdown", markdown);
    environment.add_filter("pretty", pretty);
    environment.add_filter("last_segment", |reference: &str| {
        reference.rsplit('/').next().unwrap_or_default().to_owned()
    });
    environment.add_template("docs.html", TEMPLATE)?;
    let methods = ["get", "put", "post", "delete", "patch"];
    let template = environment.get_template("docs.html")?;
    Ok(template.render(context! { openapi, methods })?)
}

fn markdown(text: &str) -> Value {
    let mut html = String::new();
    // Tags that stand in a description are text, not tags.
    let events = pulldown_cmark::Parser::new(text).map(|event| match event {
        pulldown_cmark::Event::Html(html) | pulldown_cmark::Event::InlineHtml(html) => {
            pulldown_cmark::Event::Text(html)
        }
        event => event,
    });
    pulldown_cmark::html::push_html(&mut html, events);
    Value::from_safe_string(html)
}

fn pretty(value: &Value) -> Result<String, minijinja::Error> {
    serde_json::to_string_pretty(value).map_err(|error| {
        minijinja::Error::new(minijinja::ErrorKind::BadSerialization, error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_everything_and_needs_nothing() {
        let document = Document::current().expect("the document");
        let page = page(&document).expect("a page");
        for operation in document.operations() {
            assert!(
                page.contains(&format!("id=\"{}\"", operation.id())),
                "{}",
                operation.id()
            );
        }
        for (name, _) in document.components("schemas") {
            assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
            assert!(
                page.contains(&format!("href=\"#{name}\"")) || name == "Verdict",
                "{name}"
            );
        }
        for word in ["<script", "<link", "<img", "src=", "@import", "url("] {
            assert!(!page.contains(word), "{word}");
        }
        // Every link of the page leads to a place of the page.
        for part in page.split("href=\"#").skip(1) {
            let target = part.split('"').next().expect("a target");
            assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
        }
    }

    #[test]
    fn texts_of_the_document_are_no_markup() {
        let document = Document::changed("summary: Run every test", "summary: <b>Run</b>");
        assert!(page(&document).expect("a page").contains("&lt;b&gt;Run"));
        assert_eq!(
            markdown("a <script> b").to_string(),
            "<p>a &lt;script&gt; b</p>\n"
        );
    }
}
