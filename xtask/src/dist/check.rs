//! Tries a release file: unpacks it, looks at what it needs, and runs what it has.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::stdout;

/// The newest version of glibc that the command may need: that of RHEL 8 and Debian 10.
pub(super) const GLIBC: (u32, u32) = (2, 28);

/// Each shell's completions, and the file name under which the shell looks for them.
pub(super) const COMPLETIONS: [(&str, &str); 4] = [
    ("bash", "checksum.bash"),
    ("zsh", "_checksum"),
    ("fish", "checksum.fish"),
    ("powershell", "checksum.ps1"),
];

/// Unpacks the file into a folder of its own, and runs what it has.
pub(super) fn run(archive: &Path, name: &str) -> Result<()> {
    let output = archive.parent().unwrap_or(archive);
    let sum = archive.with_extension("gz.sha256");
    let mut check = Command::new("sha256sum");
    stdout(check.arg("--check").arg(sum).current_dir(output))?;
    let folder = tempfile::tempdir()?;
    let mut tar = Command::new("tar");
    stdout(tar.arg("-xzf").arg(archive).current_dir(&folder))?;
    let unpacked = folder.path().join(name);
    let binary = unpacked.join("checksum");
    check_glibc(&binary, GLIBC)?;
    let is_checked = check_glibc(&binary, (2, 0)).is_err();
    ensure!(is_checked, "negative control: glibc 2.0 was enough");
    let version = stdout(Command::new(&binary).arg("--version"))?;
    ensure!(
        version.trim() == concat!("checksum ", env!("CARGO_PKG_VERSION")),
        "--version prints {version}"
    );
    // It starts runs at its own mock server, and waits for them.
    stdout(Command::new(&binary).arg("demo"))?;
    let completions = COMPLETIONS.map(|(_, file)| format!("completions/{file}"));
    for file in completions
        .iter()
        .chain([&"man/man1/checksum.1".to_owned()])
    {
        let text = fs::read_to_string(unpacked.join(file)).with_context(|| file.clone())?;
        ensure!(
            text.contains("checksum"),
            "{file} does not name the command"
        );
    }
    Ok(())
}

/// Fails if the program needs a newer glibc.
fn check_glibc(binary: &Path, newest: (u32, u32)) -> Result<()> {
    let mut readelf = Command::new("readelf");
    let needs = stdout(readelf.args(["--version-info", "--wide"]).arg(binary))?;
    let needs = newest_glibc(&needs).context("readelf names no version of glibc")?;
    ensure!(
        needs <= newest,
        "the command needs glibc {}.{}",
        needs.0,
        needs.1
    );
    eprintln!("glibc {}.{} or newer", needs.0, needs.1);
    Ok(())
}

/// Returns the newest version in the output of readelf.
fn newest_glibc(readelf: &str) -> Option<(u32, u32)> {
    let versions = readelf.split("GLIBC_").skip(1).filter_map(|version| {
        let mut numbers = version.split(|c: char| !c.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    });
    versions.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_glibc_are_compared_by_number() {
        let needs =
            "0x0010:   Name: GLIBC_2.9  Flags: none\n0x0020:   Name: GLIBC_2.17  Version: 9\n";
        assert_eq!(newest_glibc(needs), Some((2, 17)));
        assert_eq!(
            newest_glibc("Name: GLIBC_2.2.5 Name: GLIBC_PRIVATE"),
            Some((2, 2))
        );
        assert_eq!(newest_glibc("No version information found"), None);
    }
}
