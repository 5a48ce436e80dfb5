//! What downloading the attachments of tests costs, beside curl, from a server that responds after 50
//! milliseconds.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Bench;
use crate::bench::times::{CPU, Program, WALL, table};
use crate::process::{self, Running};
use crate::tool;

const ROUNDS: usize = 15;
const LATENCY: &str = "50";

pub(super) fn measure(bench: &mut Bench) -> Result<String> {
    let port = process::free_port()?;
    let mut serve = Command::new(bench.program());
    serve.args(["serve", LATENCY, &port.to_string()]);
    let mut server = Running::start(&mut serve, &bench.folder)?;
    server.wait_for_port(port, Duration::from_secs(10))?;
    let curl = tool::debian("curl", &["curl"])?.display().to_string();
    let jq = tool::debian("jq", &["jq"])?.display().to_string();
    let mut tables = String::new();
    let of_files = bench.size(100, 10);
    for (title, tests, files) in [
        ("attachments of one test", 1, of_files),
        ("attachments, one of each test", of_files, 1),
    ] {
        let folder = bench.folder.join(format!("attachments-{tests}"));
        fs::create_dir_all(&folder)?;
        let path = folder.display();
        let base = format!("http://127.0.0.1:{port}");
        let (mut urls, mut lists) = (String::new(), String::new());
        for test in 0..tests {
            let list = format!("/public-api/v1/test-runs/run-id/tests/{files}-{test}/attachments");
            writeln!(
                lists,
                "url = \"{base}{list}\"\noutput = \"{path}/{test}.json\""
            )?;
            for file in 0..files {
                let name = format!("{files}-{test}/{file}.png");
                let output = name.replace('/', "-");
                writeln!(
                    urls,
                    "url = \"{base}/files/{name}\"\noutput = \"{path}/{output}\""
                )?;
            }
        }
        fs::write(folder.join("urls"), urls)?;
        fs::write(folder.join("lists"), lists)?;
        // What a script does that does not know the URLs.
        let script = format!(
            "{curl} -sZ -K {path}/lists && {jq} -r '.attachments[].url | \"url = \\\"{base}\\(.)\\\"\
             \\noutput = \\\"{path}/listed-\\(gsub(\"/\"; \"-\"))\\\"\"' {path}/*.json | {curl} -sZ -K -"
        );
        let ours = format!("attachments {base} {tests} {files} {path}/ours");
        let measured = bench.interleaved(
            ROUNDS,
            &[
                Program::shell(
                    "`curl -Z`, which is given the URLs",
                    &format!("exec {curl} -sZ -K {path}/urls"),
                ),
                Program::shell(
                    "`curl -Z` for the lists, `jq`, `curl -Z` for the files",
                    &script,
                ),
                bench.case("`checksum-api-ext`, lists and files", &ours),
            ],
        )?;
        let mut find = Command::new("find");
        find.arg(&folder)
            .args(["-name", "*.png", "-size", "20000c"]);
        let saved = process::stdout(&mut find)?.lines().count();
        ensure!(saved == 3 * tests * files, "{saved} files are saved");
        tables += &table(&format!("{of_files} {title}"), &measured, &[WALL, CPU])?;
    }
    Ok(tables)
}
