//! `BENCHMARKS.md`: the figures of a section are between two comments; people write the rest.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::root;

/// Replaces the figures of this section.
pub(super) fn write(section: &str, figures: &str) -> Result<()> {
    let file = root().join("BENCHMARKS.md");
    let text = fs::read_to_string(&file)?;
    let text = replaced(&text, section, &format!("{}\n\n{figures}", machine()))?;
    Ok(fs::write(file, text)?)
}

fn replaced(text: &str, section: &str, figures: &str) -> Result<String> {
    let begin = format!("<!-- {section}: cargo xtask bench {section} -->\n");
    let end = format!("<!-- {section}: the end -->\n");
    let missing = || format!("BENCHMARKS.md has no place for `{section}`");
    let (before, rest) = text.split_once(&begin).with_context(missing)?;
    let (_, after) = rest.split_once(&end).with_context(missing)?;
    let figures = figures.trim_end();
    Ok(format!("{before}{begin}{figures}\n\n{end}{after}"))
}

/// Returns one line about this machine.
fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut models = processors.lines().filter_map(|line| {
        let (name, model) = line.split_once(": ")?;
        name.starts_with("model name").then_some(model)
    });
    let model = models.next().unwrap_or_default();
    let count = 1 + models.count();
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    format!(
        "{} {}, {count} × {model}; {}.",
        std::env::consts::OS,
        std::env::consts::ARCH,
        rustc.unwrap_or_default().trim(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::sections::SECTIONS;

    #[test]
    fn only_the_figures_of_the_section_are_replaced() {
        let place = |name: &str, figures: &str| {
            format!(
                "<!-- {name}: cargo xtask bench {name} -->\n{figures}\n<!-- {name}: the end -->\n"
            )
        };
        let text = format!("# A\n{}B\n{}", place("a", "old\n"), place("b", "kept\n"));
        let expected = text.replace("old", "| new |");
        assert_eq!(replaced(&text, "a", "| new |\n").expect("a"), expected);
        assert!(replaced(&text, "c", "").is_err());
    }

    #[test]
    fn every_section_has_its_place() {
        let text = fs::read_to_string(root().join("BENCHMARKS.md")).expect("the file");
        for (name, _) in SECTIONS {
            replaced(&text, name, "").expect(name);
        }
    }
}
