//! Checks the dependencies with cargo-deny: their licences, their registry, and that none is in the
//! tree in two versions.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{process, root, tool};

/// The first run may have to download the crates of other systems.
const LIMIT: Duration = Duration::from_secs(300);

/// Rejects every tree: no crate may have its licence, come from a registry, or be `serde`.
const REJECT_ALL: &str = r#"
[licenses]
allow = ["0BSD"]
[bans]
deny = ["serde"]
[sources]
unknown-registry = "deny"
allow-registry = []
"#;

/// How cargo-deny's errors begin, for each of its checks that need no network.
const CHECKS: [(&str, &str); 3] = [
    ("bans", "error[banned]"),
    ("licenses", "error[rejected]"),
    ("sources", "error[source-not-allowed]"),
];

/// Runs a negative control of each check, and then the checks.
pub(crate) fn run() -> Result<()> {
    let folder = process::empty_folder("deny")?;
    let reject_all = folder.join("reject-all.toml");
    fs::write(&reject_all, REJECT_ALL)?;
    let check = |config: &Path, checks: &[&str]| {
        let mut deny = tool::python("cargo-deny")?;
        deny.args(["--locked", "--config"]).arg(config).arg("check");
        deny.args(checks).current_dir(root());
        process::run(&mut deny, &folder, LIMIT)
    };
    for (name, error) in CHECKS {
        let rejected = check(&reject_all, &[name])?.rejected(name)?;
        let is_expected = rejected.stderr.contains(error);
        ensure!(
            is_expected,
            "negative control: no {error}: {}",
            rejected.tail()
        );
    }
    let result = check(&root().join("deny.toml"), &CHECKS.map(|(name, _)| name))?;
    eprintln!("cargo-deny: {}", result.success()?.stdout.trim());
    Ok(())
}
