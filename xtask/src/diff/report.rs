use clap::ValueEnum;
use serde_json::json;

use super::{Change, Class};

/// The form of the list, where it is not for a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables for a pull request or a changelog
    Markdown,
    /// One object, for programs
    Json,
}

const CLASSES: [Class; 3] = [Class::Breaking, Class::Compatible, Class::DocumentationOnly];

pub(super) fn text(title: &str, changes: &[Change]) -> String {
    let mut lines = vec![summary(title, changes)];
    for (class, changes) in classes(changes) {
        lines.push(String::new());
        lines.push(class.to_string());
        let widest = |change: &&Change| change.subject.chars().count();
        let width = changes.iter().map(widest).max().unwrap_or_default();
        for change in changes {
            lines.push(format!(
                "  {:<9}  {:<7}  {:<width$}  {}",
                change.side, change.kind, change.subject, change.message
            ));
        }
    }
    lines.join("\n") + "\n"
}

pub(super) fn markdown(title: &str, changes: &[Change]) -> String {
    let mut lines = vec![summary(title, changes)];
    for (class, changes) in classes(changes) {
        lines.extend([
            String::new(),
            format!("### {class}"),
            String::new(),
            "| side | kind | what | change |".to_owned(),
            "| --- | --- | --- | --- |".to_owned(),
        ]);
        for change in changes {
            let cell = |text: &str| text.replace('|', "\\|").replace(['\n', '\r'], " ");
            lines.push(format!(
                "| {} | {} | {} | {} |",
                change.side,
                change.kind,
                cell(&change.subject),
                cell(&change.message)
            ));
        }
    }
    lines.join("\n") + "\n"
}

pub(super) fn json(title: &str, changes: &[Change]) -> String {
    let report = json!({
        "title": title,
        "breaking": count(changes, Class::Breaking),
        "compatible": count(changes, Class::Compatible),
        "documentationOnly": count(changes, Class::DocumentationOnly),
        "changes": changes,
    });
    format!("{report:#}\n")
}

fn summary(title: &str, changes: &[Change]) -> String {
    if changes.is_empty() {
        return format!("{title}: no change");
    }
    let counts = CLASSES.map(|class| format!("{} {class}", count(changes, class)));
    format!("{title}: {}", counts.join(", "))
}

fn count(changes: &[Change], class: Class) -> usize {
    changes
        .iter()
        .filter(|change| change.class == class)
        .count()
}

/// The classes that have changes, with them.
fn classes(changes: &[Change]) -> impl Iterator<Item = (Class, Vec<&Change>)> {
    CLASSES.into_iter().filter_map(move |class| {
        let of_class: Vec<_> = changes
            .iter()
            .filter(|change| change.class == class)
            .collect();
        (!of_class.is_empty()).then_some((class, of_class))
    })
}
