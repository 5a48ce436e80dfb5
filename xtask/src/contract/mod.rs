//! The document, the stand-in and the client, judged by tools that nobody here wrote.

mod document;
mod prism;
mod schemathesis;
mod stand_in;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use crate::tool::Tool;

/// One of the tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Judge {
    Redocly,
    Spectral,
    SpecValidator,
    Schemathesis,
    Prism,
}

impl Judge {
    const ALL: [Self; 5] = [
        Self::Redocly,
        Self::Spectral,
        Self::SpecValidator,
        Self::Schemathesis,
        Self::Prism,
    ];

    /// Those that need nothing but the document.
    pub(crate) const OF_THE_DOCUMENT: [Self; 3] =
        [Self::Redocly, Self::Spectral, Self::SpecValidator];

    fn tool(self) -> Tool {
        match self {
            Self::Redocly => document::REDOCLY,
            Self::Spectral => document::SPECTRAL,
            Self::SpecValidator => document::SPEC_VALIDATOR,
            Self::Schemathesis => schemathesis::SCHEMATHESIS,
            Self::Prism => prism::PRISM,
        }
    }

    /// Has it look, and gives what it counted.
    fn judge(self) -> Result<String> {
        match self {
            Self::Redocly => document::redocly(),
            Self::Spectral => document::spectral(),
            Self::SpecValidator => document::spec_validator(),
            Self::Schemathesis => schemathesis::run(),
            Self::Prism => prism::run(),
        }
    }
}

/// Runs the tools, or only these, and prints what each counted.
pub(crate) fn run(only: &[Judge]) -> Result<()> {
    let judges = match only {
        [] => &Judge::ALL[..],
        only => only,
    };
    install(judges)?;
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["tool", "version", "counted", "seconds"]);
    let mut failures = Vec::new();
    for judge in judges {
        let started = Instant::now();
        let tool = judge.tool();
        let counted = judge.judge();
        let counted = counted.unwrap_or_else(|error| {
            eprintln!("==> {}: {error:#}", tool.package);
            failures.push(tool.package);
            "FAILED, see above".to_owned()
        });
        table.add_row([
            tool.package,
            tool.version,
            &counted,
            &started.elapsed().as_secs().to_string(),
        ]);
    }
    eprintln!("{table}");
    ensure!(failures.is_empty(), "not kept: {}", failures.join(", "));
    Ok(())
}

/// Installs what is missing, side by side.
fn install(judges: &[Judge]) -> Result<()> {
    std::thread::scope(|scope| {
        let installing: Vec<_> = judges
            .iter()
            .map(|judge| scope.spawn(|| judge.tool().install()))
            .collect();
        installing.into_iter().try_for_each(|thread| {
            let result = thread.join().map_err(|_| anyhow::anyhow!("it panicked"));
            result.and_then(|installed| installed).context("installing")
        })
    })
}
