//! Compiles `checksum.yaml` into the generated part of this crate.

#![expect(
    clippy::print_stdout,
    reason = "cargo reads the build script's standard output"
)]

mod compile;

use std::path::Path;
use std::process::ExitCode;

/// The document, as this crate's package holds it: in the workspace a link to `openapi/`.
const DOCUMENT: &str = "checksum.yaml";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={DOCUMENT}");
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // One `cargo::error` for each line: the directive ends with its line.
            for line in message.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let yaml = std::fs::read_to_string(DOCUMENT).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let code = compile::generate(&yaml).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let directory = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    for (name, code) in [
        ("client.rs", code.client),
        ("operations.rs", code.operations),
    ] {
        let target = Path::new(&directory).join(name);
        std::fs::write(&target, code).map_err(|error| format!("{}: {error}", target.display()))?;
    }
    Ok(())
}
