//! Writes the API's description as JSON, which `/docs` of the mock server shows.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// In the workspace a link to `openapi/`; cargo packs the file itself.
const DOCUMENT: &str = "checksum.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let document: serde_json::Value = serde_saphyr::from_str(&fs::read_to_string(DOCUMENT)?)?;
    let directory = PathBuf::from(std::env::var("OUT_DIR")?);
    fs::write(directory.join("openapi.json"), document.to_string())?;
    Ok(())
}
