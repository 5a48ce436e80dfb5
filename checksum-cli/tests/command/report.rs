//! `checksum report`.

use std::fs;

use checksum_mock::Fault;

use crate::invocation::{KEY, checksum, wait_until};
use crate::transcript::{TEST_RUN, after_a_run};

#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_report_is_not_written() {
    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    for (fault, reason) in [
        (Fault::status(202), "not ready yet; try again later"),
        (Fault::status(204), "no file"),
        (Fault::respond_with(""), "empty"),
        (
            Fault::respond_with("x").header("content-encoding", "gzip"),
            "compressed",
        ),
    ] {
        // The first request is for the URL.
        mock.fault(fault.after(1));
        let arguments = format!("report {TEST_RUN} --download");
        checksum(&mock.url(), &arguments)
            .argument(directory.path().join("report.html"))
            .end()
            .exits(5)
            .stderr_has(reason);
        assert_eq!(fs::read_dir(directory.path()).expect("there").count(), 0);
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn open_starts_the_browser_without_secrets_in_its_environment() {
    use std::os::unix::fs::PermissionsExt;

    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    let browser = directory.path().join("browser");
    let opened = directory.path().join("opened");
    // The whole file appears at once.
    let script = format!(
        "#!/bin/sh\n(env; echo \"opened $*\") > {0}.part\nmv {0}.part {0}\n",
        opened.display()
    );
    fs::write(&browser, script).expect("a script");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).expect("a program");
    let browser = browser.to_str().expect("UTF-8");
    for chosen in [
        browser.to_owned(),
        format!("{browser} --new-window"),
        format!("/nowhere/at/all:{browser} --at %s --end"),
    ] {
        let invocation = checksum(&mock.url(), format!("report {TEST_RUN} --open"))
            .env("BROWSER", &chosen)
            .env("ANOTHER_NAME", &format!("key={KEY}"))
            .env("OF_NO_SECRET", "stays")
            .env("PATH", "/usr/bin:/bin");
        let ended = invocation.end().exits(0);
        // The command does not wait for the browser.
        wait_until("the browser starts", || opened.exists());
        let text = fs::read_to_string(&opened).expect("a file");
        fs::remove_file(&opened).expect("a file");
        let url = ended.stdout.trim_end();
        let arguments = match chosen.as_str() {
            chosen if chosen.contains("--end") => format!("--at {url} --end"),
            chosen if chosen.contains("--new-window") => format!("--new-window {url}"),
            _ => url.to_owned(),
        };
        assert!(text.ends_with(&format!("opened {arguments}\n")), "{text}");
        assert!(text.contains("OF_NO_SECRET=stays"), "{text}");
        for secret in [KEY, "CHECKSUM_API_KEY", "ANOTHER_NAME"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    checksum(&mock.url(), format!("report {TEST_RUN} --open"))
        .env("BROWSER", "/nowhere/at/all")
        .env("PATH", "/nowhere")
        .end()
        .exits(2)
        .stderr_has("cannot open the browser");
}
