//! What the `checksum` command costs beside curl and jq, and its size.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use checksum_mock::{Mock, RunScript};

use super::Bench;
use crate::bench::instructions::{CALLGRIND, instructions};
use crate::bench::number;
use crate::bench::times::{CPU, Program, WALL, table};
use crate::{process, tool};

const KEY: &str = "the-key-of-the-benchmarks-is-long";

pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    let binary = bench.command()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let script = RunScript::new().queued(0).running(0);
    let mock = runtime.block_on(Mock::builder().default_run(script).start())?;
    let url = mock.url().to_string();
    let checksum = move |mut command: Command, arguments: &str| {
        command.args(arguments.split(' '));
        command.env("CHECKSUM_API_BASE_URL", &url);
        command.env("CHECKSUM_API_KEY", KEY);
        command
    };
    let run = "run suite --poll-interval 0s --quiet";
    process::stdout(&mut checksum(Command::new(&binary), run))?;
    let status = "status job-name-12345";

    let mut valgrind = Command::new(tool::debian("valgrind", &["valgrind"])?);
    valgrind.args(CALLGRIND).arg(&binary);
    let limit = std::time::Duration::from_secs(300);
    let counted = process::run(&mut checksum(valgrind, status), &bench.folder, limit)?;
    let counted = instructions(&counted.success()?.stderr).context("no total")?;

    let (curl, jq) = (
        tool::debian("curl", &["curl"])?,
        tool::debian("jq", &["jq"])?,
    );
    let pipe = format!(
        "{} -s -H 'Authorization: Bearer {KEY}' {}/v1/execution/status/job-name-12345 | {} .status",
        curl.display(),
        mock.url(),
        jq.display()
    );
    let size = fs::metadata(&binary)?.len() as f64;
    let programs = [
        Program::shell("`curl \\| jq .status`", &pipe),
        Program::new("`checksum status`", move || {
            checksum(Command::new(&binary), status)
        }),
    ];
    let measured = bench.interleaved(40, &programs)?;
    let figures = table(
        "The status of a run, by plain http",
        &measured,
        &[WALL, CPU],
    )?;
    Ok(format!(
        "{figures}Instructions of `checksum status`: {}. Size of the command: {:.2} MB.\n",
        number(counted),
        size / 1e6
    ))
}
