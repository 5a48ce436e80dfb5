//! `--help`, `checksum man` and `checksum completions`.

use crate::invocation::checksum;

const COMMANDS: [&str; 22] = [
    "",
    "run",
    "run suite",
    "run collection",
    "run tests",
    "run grep",
    "run affected",
    "heal",
    "generate",
    "wait",
    "status",
    "results",
    "report",
    "attachments",
    "latest",
    "bugs",
    "me",
    "mock",
    "demo",
    "completions",
    "schema",
    "man",
];

/// Each section of options is shown once: at the first command that has it.
#[test]
fn help_describes_every_command() {
    let mut shown: Vec<String> = Vec::new();
    let mut all = String::new();
    for command in COMMANDS {
        let ended = checksum("", format!("{command} --help")).end().exits(0);
        all += format!("$ checksum {command}").trim_end();
        all += " --help\n";
        for section in sections(&ended.stdout) {
            let heading = section.lines().next().expect("a line");
            if heading.ends_with(':') && shown.contains(&section) {
                all += &format!("{heading} (as above)\n");
            } else {
                all += &section;
                shown.push(section);
            }
        }
        all += "\n";
    }
    insta::assert_snapshot!("help", all);
}

/// Splits at the lines that are headings of options.
fn sections(help: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    for line in help.lines() {
        if line.ends_with(':') && !line.starts_with(' ') {
            sections.push(String::new());
        }
        if let Some(section) = sections.last_mut() {
            *section += &format!("{}\n", line.trim_end());
        }
    }
    for section in &mut sections {
        *section = format!("{}\n", section.trim_end());
    }
    sections
}

#[test]
fn completions_and_manual_pages_cover_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        checksum("", format!("completions {shell}"))
            .end()
            .exits(0)
            .stdout_has("heal")
            .stdout_has("handle-file");
    }
    let ended = checksum("", "man").end();
    ended.stdout_has(".TH checksum 1");
    ended.stdout_has("generate");
    let ended = checksum("", "man run grep").end();
    ended.stdout_has("handle\\-file");
    checksum("", "man nothing").end().exits(2);
}
