use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::{root, snapshots};

/// One step of the gate.
struct Step {
    title: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const STEPS: &[Step] = &[
    Step {
        title: "formatting",
        arguments: &["fmt", "--all", "--check"],
        environment: &[],
    },
    Step {
        title: "clippy",
        arguments: &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
        environment: &[],
    },
    Step {
        title: "docs",
        arguments: &["doc", "--workspace", "--no-deps", "--locked"],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    Step {
        title: "the demo of the README",
        arguments: &["run", "--locked", "-p", "checksum-cli", "--", "demo"],
        environment: &[],
    },
    // The document is a link here and a file in the package: a build from the package shows it.
    // The stand-in comes along because the client's tests use it.
    Step {
        title: "the packaged checksum-api",
        arguments: &[
            "package",
            "-p",
            "checksum-mock",
            "-p",
            "checksum-api",
            "--locked",
            "--allow-dirty",
        ],
        environment: &[],
    },
    Step {
        title: "derived files",
        arguments: &["xtask", "generate", "--check"],
        environment: &[],
    },
    Step {
        title: "other people's tools",
        arguments: &["xtask", "contract"],
        environment: &[],
    },
    // The last one, so that its count of tests is what the gate ends with.
    Step {
        title: "the tests of the README",
        arguments: &["test", "--workspace"],
        environment: &[("INSTA_UPDATE", "no")],
    },
];

/// Runs every step, and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    let started = Instant::now();
    let references = snapshots::forget_references()?;
    for step in STEPS {
        let step_started = Instant::now();
        eprintln!("==> {}: cargo {}", step.title, step.arguments.join(" "));
        let status = Command::new(env!("CARGO"))
            .args(step.arguments)
            .envs(step.environment.iter().copied())
            .env("INSTA_SNAPSHOT_REFERENCES_FILE", &references)
            .current_dir(root())
            .status()
            .with_context(|| format!("cannot run cargo for {}", step.title))?;
        ensure!(status.success(), "{} failed ({status})", step.title);
        eprintln!("==> {}: {} s", step.title, step_started.elapsed().as_secs());
    }
    let unreferenced = snapshots::unreferenced()?;
    ensure!(
        unreferenced.is_empty(),
        "no test asks for these snapshots, delete them: {unreferenced:?}"
    );
    eprintln!("==> all of it: {} s", started.elapsed().as_secs());
    Ok(())
}
