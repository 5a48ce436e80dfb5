//! Makes the release file of this machine's target: the stripped command, its completions and manual
//! pages, README and licences. Then unpacks the file, and tries what is in it.

mod check;
mod notices;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use check::{COMPLETIONS, GLIBC};

use crate::process::{self, stdout};
use crate::{root, tool};

/// Writes `target/dist/checksum-VERSION-TARGET.tar.gz` and its `.sha256`.
pub(crate) fn run() -> Result<()> {
    let rustc = stdout(Command::new("rustc").arg("-vV"))?;
    let target = rustc.lines().find_map(|line| line.strip_prefix("host: "));
    let target = target.context("rustc names no host")?;
    ensure!(
        target.ends_with("-linux-gnu"),
        "release files are made on Linux with glibc, not on {target}"
    );
    let built = build(target)?;
    let name = format!("checksum-{}-{target}", env!("CARGO_PKG_VERSION"));
    let staging = process::empty_folder("dist")?;
    stage(&built, target, &staging.join(&name))?;
    let output = root().join("target/dist");
    fs::create_dir_all(&output)?;
    let archive = output.join(format!("{name}.tar.gz"));
    pack(&staging, &name, &archive)?;
    check::run(&archive, &name)?;
    let size = fs::metadata(&archive)?.len();
    let binary = fs::metadata(built)?.len();
    eprintln!("{}: {size} bytes; the binary: {binary}", archive.display());
    Ok(())
}

/// Builds the command with zig as its linker, since zig links to any version of glibc.
fn build(target: &str) -> Result<PathBuf> {
    let mut cargo = tool::zig("cargo-zigbuild")?;
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let home = home.context("no home folder")?.join("registry/src");
    // The paths of this machine are in the text of panics, and must not be in the release.
    let remap = |path: &Path| format!("--remap-path-prefix={}=", path.display());
    let flags = [remap(&home), remap(root())].join("\u{1f}");
    cargo
        .args(["zigbuild", "--locked", "--profile", "dist"])
        .args(["--package", "checksum-cli", "--target"])
        .arg(format!("{target}.{}.{}", GLIBC.0, GLIBC.1))
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        // Without it, aws-lc measures the jitter of the processor before the first https request,
        // beside the system's random numbers: nine tenths of what `checksum status` costs.
        .env("AWS_LC_SYS_NO_JITTER_ENTROPY", "1")
        .current_dir(root());
    eprintln!("==> cargo zigbuild --profile dist");
    let status = cargo.status().context("cannot run cargo-zigbuild")?;
    ensure!(status.success(), "cargo-zigbuild failed ({status})");
    Ok(root().join("target").join(target).join("dist/checksum"))
}

/// Fills the folder that is packed.
fn stage(built: &Path, target: &str, folder: &Path) -> Result<()> {
    let man = folder.join("man/man1");
    let completions = folder.join("completions");
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    fs::copy(built, folder.join("checksum"))?;
    for (file, from) in [
        ("README.md", "checksum-cli/README.md"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
        ("LICENSE-MIT", "LICENSE-MIT"),
    ] {
        fs::copy(root().join(from), folder.join(file)).context(from)?;
    }
    fs::write(folder.join("THIRD-PARTY.txt"), notices::text_of(target)?)?;
    for (shell, file) in COMPLETIONS {
        let script = stdout(Command::new(built).args(["completions", shell]))?;
        fs::write(completions.join(file), script)?;
    }
    write_pages(built, &[], &man)
}

/// Writes the manual page of a command, and those of the commands below it, which it names.
fn write_pages(built: &Path, words: &[&str], folder: &Path) -> Result<()> {
    let page = stdout(Command::new(built).arg("man").args(words))?;
    let name = [&["checksum"], words].concat().join("-");
    let below = format!("{}\\-", name.replace('-', "\\-"));
    for line in page.lines() {
        let word = line
            .strip_prefix(&below)
            .and_then(|line| line.strip_suffix("(1)"));
        if let Some(word) = word.filter(|word| *word != "help") {
            write_pages(built, &[words, &[word]].concat(), folder)?;
        }
    }
    fs::write(folder.join(format!("{name}.1")), page)?;
    Ok(())
}

/// Packs the folder so that the same files make the same archive.
fn pack(staging: &Path, name: &str, archive: &Path) -> Result<()> {
    let commit = stdout(
        Command::new("git")
            .args(["log", "-1", "--format=%ct"])
            .current_dir(root()),
    )?;
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--format=ustar", "--mode=u+rwX,go+rX,go-w"])
        .args(["--owner=0", "--group=0", "--numeric-owner"])
        .arg(format!("--mtime=@{}", commit.trim()))
        .args(["--use-compress-program", "gzip -n -9", "-cf"])
        .arg(archive)
        .arg("-C")
        .args([staging, Path::new(name)]);
    stdout(&mut tar)?;
    let file = archive.file_name().unwrap_or_default();
    let folder = archive.parent().unwrap_or(archive);
    let sum = stdout(Command::new("sha256sum").arg(file).current_dir(folder))?;
    fs::write(archive.with_extension("gz.sha256"), sum)?;
    Ok(())
}
