//! The client against the document's examples, and the client and the stand-in with Prism between
//! them, which answers with an error where either does what the document does not say.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::stand_in::StandIn;
use super::{Checked, DOCUMENT, example, workspace};
use crate::process::{self, Ended, Running};
use crate::root;
use crate::tool::PRISM;

const START_LIMIT: Duration = Duration::from_secs(60);
const DRIVE_LIMIT: Duration = Duration::from_secs(120);

/// What every operation's name is printed behind, by the example `drive`.
const DECODED: &str = "decoded ";

/// What Prism names the violations of an upstream by.
const VIOLATION: &str = "prism/errors#VIOLATIONS";

pub(crate) fn judge() -> Result<Checked> {
    let folder = workspace("prism")?;

    let (served, url) = start(&folder, "mock", &[])?;
    let ended = drive(&folder, "examples", &url)?;
    ensure!(ended.status.success(), "its examples: {}", ended.tail());
    let examples = decoded(&ended.said);
    drop(served);

    let mut stand_in = StandIn::start(&folder)?;
    let upstream = stand_in.url.clone();
    let (proxy, url) = start(&folder, "proxy", &["--errors", &upstream])?;
    let ended = drive(&folder, "stand-in", &url)?;
    ensure!(ended.status.success(), "the stand-in: {}", ended.tail());
    let proxied = decoded(&ended.said);

    // Who finds nothing may not have looked: with a lie in one answer, the same drive has to fail.
    stand_in.lie()?;
    let ended = drive(&folder, "lie", &url)?;
    ensure!(
        is_violation(&ended),
        "a lie of the stand-in went unseen: {}",
        ended.tail()
    );
    drop(proxy);
    counts(examples, proxied)
}

/// Starts Prism over the document, and gives its address.
fn start(folder: &Path, mode: &str, arguments: &[&str]) -> Result<(Running, String)> {
    let port = process::free_port()?;
    let mut command = PRISM.command()?;
    command
        .args([mode, "--host=127.0.0.1", "--port", &port.to_string()])
        .arg(DOCUMENT)
        .args(arguments)
        .current_dir(root());
    let log = folder.join(format!("{mode}.txt"));
    let mut prism = Running::start("prism", &mut command, &log)?;
    prism.wait_until(START_LIMIT, |_| process::is_open(port).then_some(()))?;
    // Prism serves the document's paths at the root, whatever path the server's URL there has.
    Ok((prism, format!("http://127.0.0.1:{port}")))
}

/// Lets the client call every operation.
fn drive(folder: &Path, name: &str, url: &str) -> Result<Ended> {
    let mut command = example("checksum-tests", "drive");
    command.args(["--base-url", url]);
    let log = folder.join(format!("drive-{name}.txt"));
    process::run("the client", &mut command, &log, DRIVE_LIMIT)
        .with_context(|| format!("the client against {name}"))
}

/// How many operations were called and decoded.
fn decoded(said: &str) -> usize {
    let lines = said.lines();
    lines.filter(|line| line.starts_with(DECODED)).count()
}

fn is_violation(ended: &Ended) -> bool {
    !ended.status.success() && ended.said.contains(VIOLATION)
}

fn counts(examples: usize, proxied: usize) -> Result<Checked> {
    ensure!(
        examples == proxied && examples > 0,
        "{examples} operations with examples, {proxied} with the stand-in"
    );
    Ok(Checked(format!(
        "{examples} operations decoded from examples, {proxied} through the proxy; 1 lie seen"
    )))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn ended(code: i32, said: &str) -> Ended {
        Ended {
            status: ExitStatus::from_raw(code << 8),
            said: said.to_owned(),
        }
    }

    #[test]
    fn operations_are_counted_by_their_lines() {
        let said = "warning: something\ndecoded get_project\ndecoded run_suite\n";
        assert_eq!(decoded(said), 2);
        assert_eq!(
            counts(17, 17).expect("counts").0,
            "17 operations decoded from examples, 17 through the proxy; 1 lie seen"
        );
        assert!(counts(17, 16).is_err());
        assert!(counts(0, 0).is_err());
    }

    #[test]
    fn only_a_violation_is_one() {
        let said = "error: run_suite: https://stoplight.io/prism/errors#VIOLATIONS";
        assert!(is_violation(&ended(1, said)));
        assert!(!is_violation(&ended(0, said)));
        assert!(!is_violation(&ended(1, "error: no connection")));
    }
}
