//! The gate: every check of this workspace, and a search for broken links and unused snapshots.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::{process, root};

/// The title of each step, and the arguments of cargo.
const STEPS: &[(&str, &str)] = &[
    ("formatting", "fmt --all --check"),
    (
        "clippy",
        "clippy --workspace --all-targets --locked -- -D warnings",
    ),
    (
        "the client without features",
        "clippy -p checksum-api-ext --no-default-features --locked -- -D warnings",
    ),
    (
        "rustdoc",
        "--config build.rustdocflags=['-Dwarnings'] doc --workspace --no-deps --locked",
    ),
    (
        "the demo of the README",
        "run --locked -p checksum-cli -- demo",
    ),
    ("the dependencies", "xtask deny"),
    // The document is a link here and a file in the package, so build from the package too.
    (
        "the packaged checksum-api",
        "package -p checksum-api --locked --allow-dirty",
    ),
    ("derived files", "xtask generate --check"),
    ("other people's tools", "xtask conformance"),
    ("the cost of calls", "xtask bench --check"),
    ("the release file", "xtask dist"),
    // The last step, so that the gate's output ends with the number of tests.
    ("the tests of the README", "test --workspace"),
];

/// Runs every step, and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    let started = Instant::now();
    // insta appends the path of each snapshot that a test asserts.
    let asserted = process::empty_folder("ci")?.join("snapshots.txt");
    for (title, arguments) in STEPS {
        let step_started = Instant::now();
        eprintln!("==> {title}: cargo {arguments}");
        let status = Command::new(env!("CARGO"))
            .args(arguments.split(' '))
            .env("INSTA_UPDATE", "no")
            .env("INSTA_SNAPSHOT_REFERENCES_FILE", &asserted)
            .current_dir(root())
            .status()
            .with_context(|| format!("cannot run cargo for {title}"))?;
        ensure!(status.success(), "{title} failed ({status})");
        eprintln!("==> {title}: {} s", step_started.elapsed().as_secs());
    }
    check_links()?;
    check_snapshots(&asserted)?;
    eprintln!("==> all of it: {} s", started.elapsed().as_secs());
    Ok(())
}

/// Fails if a README links to a page of docs.rs that rustdoc has not written. Links are absolute, since
/// crates.io shows the READMEs too, so rustdoc does not check them.
fn check_links() -> Result<()> {
    for package in [
        "checksum-api",
        "checksum-api-ext",
        "checksum-mock",
        "checksum-cli",
    ] {
        let readme = fs::read_to_string(root().join(package).join("README.md"))?;
        for link in readme.split("https://docs.rs/").skip(1) {
            let end = link.find(|c: char| c.is_whitespace() || ")]>`".contains(c));
            let link = &link[..end.unwrap_or(link.len())];
            if let Some((_, page)) = link.split_once("/latest/checksum_") {
                let exists = is_documented(page).with_context(|| format!("docs.rs/{link}"))?;
                ensure!(exists, "{package}/README.md: docs.rs/{link} does not exist");
            }
        }
    }
    Ok(())
}

/// Returns whether rustdoc lists this page and has written its anchor. A page that is not listed may
/// be left over from an earlier build.
fn is_documented(page: &str) -> Result<bool> {
    let (page, anchor) = page.split_once('#').unwrap_or((page, ""));
    let (library, item) = page.split_once('/').unwrap_or((page, ""));
    let folder = root().join(format!("target/doc/checksum_{library}"));
    let list = fs::read_to_string(folder.join("all.html"))?;
    Ok(list.contains(&format!("href=\"{item}\""))
        && (anchor.is_empty()
            || fs::read_to_string(folder.join(item))?.contains(&format!("id=\"{anchor}\""))))
}

/// Fails if there is a snapshot file that no test has asserted.
fn check_snapshots(asserted: &Path) -> Result<()> {
    let asserted = fs::read_to_string(asserted).context("no test has asserted a snapshot")?;
    let asserted = asserted.lines().map(fs::canonicalize);
    let asserted: BTreeSet<PathBuf> = asserted.filter_map(Result::ok).collect();
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others"])
        .args(["--exclude-standard", "*.snap"]);
    let files = git.current_dir(root()).output().context("cannot run git")?;
    let files = String::from_utf8(files.stdout)?;
    let unused: Vec<&str> = files
        .split_terminator('\0')
        .filter(|file| {
            fs::canonicalize(root().join(file)).is_ok_and(|path| !asserted.contains(&path))
        })
        .collect();
    ensure!(
        unused.is_empty(),
        "no test asserts these snapshots, delete them: {unused:?}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_have_no_syntax_error() {
        let files = process::stdout(
            Command::new("git")
                .current_dir(root())
                .args(["ls-files", ".ci/run", "*.sh"]),
        );
        let files = files.expect("git");
        assert!(files.contains(".ci/run"), "{files}");
        for file in files.lines() {
            let mut bash = Command::new("bash");
            bash.args(["-n", file]).current_dir(root());
            process::stdout(&mut bash).expect(file);
        }
    }
}
