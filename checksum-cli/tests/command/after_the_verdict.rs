//! Healing, generation, and what there is to read of a run that has ended.

use std::fs;

use checksum_mock::{BatchScript, Fault, Mock, RunScript};

use crate::invocation::{Ended, KEY, checksum, with_one_time};

const TEST_RUN: &str = "00000000-0000-4000-8000-000000000001";

/// A stand-in with one run that has ended, in which a test failed.
async fn after_a_run() -> Mock {
    let mock = Mock::start().await.expect("a stand-in");
    mock.next_run(RunScript::new().fail_tests(["test-def-456", "test-ghi-789"]));
    let ended = checksum(&mock.url(), "run suite --poll-interval 0s --quiet").end();
    assert_eq!(ended.code, 1, "{ended:?}");
    mock
}

/// What an invocation showed, without the port of the stand-in and the directory of the test.
fn shown(mock: &Mock, arguments: &str, directory: &str, ended: &Ended) -> String {
    let origin = mock.url().replace("/public-api", "");
    let mut text = format!("$ checksum {arguments}\n{}", ended.stdout);
    if !ended.stderr.is_empty() {
        text += &format!("--- standard error\n{}", ended.stderr);
    }
    text += &format!("--- exit code {}\n\n", ended.code);
    let text = text.replace(&origin, "http://[stand-in]");
    let text = with_one_time(&text);
    match directory {
        "" => text,
        directory => text.replace(directory, "[directory]"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn healing_in_each_form() {
    let mut all = String::new();
    for form in ["human", "json", "ndjson"] {
        let mock = after_a_run().await;
        let script = BatchScript::new().pending(1).session(1);
        mock.next_heal(script.fail_tests(["test-ghi-789"]));
        let arguments = format!(
            "heal {TEST_RUN} --repo acme-co/my-tests --branch main --pr 42 \
             --metadata ticket=42 --poll-interval 0s --output {form}"
        );
        let ended = checksum(&mock.url(), &arguments).end();
        assert_eq!(ended.code, 1, "{ended:?}");
        all += &shown(&mock, &arguments, "", &ended);
    }
    insta::assert_snapshot!("heal", all);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_end_of_a_healing() {
    let arguments = format!("heal {TEST_RUN} --no-create-pr --poll-interval 0s --output json");
    for (script, code) in [
        (BatchScript::new(), 0),
        (BatchScript::new().no_sessions(), 0),
        (BatchScript::new().without_pull_requests(), 0),
        (BatchScript::new().fail_tests(["test-def-456"]), 1),
        (BatchScript::new().fails_all(), 1),
    ] {
        let mock = after_a_run().await;
        mock.next_heal(script.clone());
        let ended = checksum(&mock.url(), &arguments).end();
        assert_eq!(ended.code, code, "{script:?}: {ended:?}");
    }

    let mock = after_a_run().await;
    mock.fault(
        Fault::status(503)
            .on_operation("trigger_auto_heal")
            .always(),
    );
    let ended = checksum(&mock.url(), &arguments).end();
    assert_eq!(ended.code, 5, "it may have been started: {ended:?}");
    let mock = after_a_run().await;
    mock.next_heal(BatchScript::new().session(1_000_000));
    let ended = checksum(&mock.url(), &format!("{arguments} --timeout 1ms")).end();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("wait --heal-batch="), "{ended:?}");
    let ended = checksum(&mock.url(), "heal nowhere --no-create-pr").end();
    assert_eq!(ended.code, 2, "{ended:?}");
    let ended = checksum(&mock.url(), &format!("heal {TEST_RUN} --pr 1")).end();
    assert_eq!(
        ended.code, 2,
        "a pull request needs a repository: {ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn generation_in_each_form() {
    let mut all = String::new();
    for form in ["human", "json", "ndjson"] {
        let mock = Mock::start().await.expect("a stand-in");
        let arguments = format!(
            "generate --repo acme-co/webapp --pr 42 --branch feature/checkout \
             --env BASE_URL=https://secret.example.com --metadata by=ci \
             --poll-interval 0s --output {form}"
        );
        let ended = checksum(&mock.url(), &arguments).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        let printed = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!printed.contains("secret.example"), "{printed}");
        all += &shown(&mock, &arguments, "", &ended);
    }
    insta::assert_snapshot!("generate", all);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_detached_is_waited_for_by_its_name_or_its_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("way-back.json");
    let file = file.to_str().expect("UTF-8");
    let heal = format!("heal {TEST_RUN} --no-create-pr");
    let generate = "generate --repo acme-co/webapp --pr 42 --branch feature";
    let mut all = String::new();
    for (start, wait) in [
        ("run suite", "wait job-name-12346 --poll-interval 0s"),
        (heal.as_str(), "wait --heal-batch batch-xyz-789"),
        (generate, "wait --generation-batch batch-gen-1"),
    ] {
        let mock = after_a_run().await;
        let arguments = format!("{start} --detach --run-id-file {file}");
        let ended = checksum(&mock.url(), &arguments).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        all += &shown(&mock, &arguments, file, &ended);
        all += &format!(
            "$ cat [directory]\n{}\n",
            with_one_time(&fs::read_to_string(file).expect("a file"))
        );

        let by_file = format!("wait --run-id-file {file} --poll-interval 0s");
        let ended = checksum(&mock.url(), &by_file).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        all += &shown(&mock, &by_file, file, &ended);
        let by_name = checksum(&mock.url(), wait).end();
        assert_eq!((by_name.code, by_name.stdout), (0, ended.stdout));
    }
    insta::assert_snapshot!("detached", all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_starts_nothing() {
    let mock = Mock::start().await.expect("a stand-in");
    let ended = checksum(&mock.url(), "run suite --run-id-file nowhere/at/all.json").end();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(mock.request_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_request_and_sends_nothing() {
    let mock = Mock::start().await.expect("a stand-in");
    let mut all = String::new();
    for arguments in [
        "run suite --dry-run",
        "run collection collection-abc-123 --auto-heal --repo acme-co/my-tests --dry-run",
        "run tests id1 id2 --dry-run --output json",
        "run grep checkout --env PASSWORD=hunter2 --dry-run",
        "heal run-id --no-create-pr --metadata by=ci --dry-run",
        "generate --repo acme-co/webapp --pr 42 --branch feature --env PASSWORD=hunter2 --dry-run",
    ] {
        let invocation = checksum(&mock.url(), arguments).without_env("CHECKSUM_API_KEY");
        let ended = invocation.end();
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(!ended.stdout.contains("hunter2"), "{ended:?}");
        let version = env!("CARGO_PKG_VERSION");
        let text = shown(&mock, arguments, "", &ended);
        all += &text.replace(&format!("/{version}"), "/[version]");
    }
    assert_eq!(mock.request_count(), 0);
    insta::assert_snapshot!("dry run", all);

    let ended = checksum(&mock.url(), "heal run-id --dry-run").end();
    assert_eq!(
        ended.code, 2,
        "what would not be sent is refused: {ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_to_read() {
    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let mut all = String::new();
    for arguments in [
        "latest".to_owned(),
        format!("results {TEST_RUN} --status failed"),
        format!("report {TEST_RUN}"),
        format!("report {TEST_RUN} --download {path}/report.html"),
        format!("attachments {TEST_RUN} test-def-456"),
        format!("attachments {TEST_RUN} --failed --download {path}"),
        "bugs --severity critical".to_owned(),
        "bugs --tag checkout --limit 1".to_owned(),
    ] {
        for form in ["human", "json", "ndjson"] {
            let arguments = format!("{arguments} --output {form}");
            let ended = checksum(&mock.url(), &arguments).end();
            assert_eq!(ended.code, 0, "{arguments}: {ended:?}");
            assert_eq!(ended.stderr, "", "{arguments}");
            all += &shown(&mock, &arguments, path, &ended);
        }
    }
    insta::assert_snapshot!("reading", all);
    let report = fs::read_to_string(directory.path().join("report.html")).expect("a report");
    assert!(report.starts_with("<!doctype html>"), "{report}");
    let traces = fs::read_dir(directory.path().join("test-def-456")).expect("a directory");
    assert_ne!(traces.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_bugs_that_may_be_incomplete_says_so() {
    let mock = Mock::start().await.expect("a stand-in");
    let page = r#"{"bugs":[{"id":"a","title":"A"},{"id":"b"}],"hasMore":true}"#;
    let page = Fault::respond_with(page).header("content-type", "application/json");
    mock.fault(page.on_operation("list_bugs").always());
    let mut all = String::new();
    for arguments in ["bugs", "bugs --max 2", "bugs --max 1", "bugs --limit 2"] {
        for form in ["human", "json", "ndjson"] {
            let arguments = format!("{arguments} --quiet --output {form}");
            let ended = checksum(&mock.url(), &arguments).end();
            let is_one_page = arguments.contains("--limit");
            assert_eq!(ended.code, if is_one_page { 0 } else { 10 }, "{ended:?}");
            if form != "human" {
                let last = ended.lines().last().expect("a line");
                assert_eq!(last["mayHaveMore"], true, "{ended:?}");
            }
            all += &shown(&mock, &arguments, "", &ended);
        }
    }
    insta::assert_snapshot!("bugs that may be incomplete", all);
}

#[tokio::test(flavor = "multi_thread")]
async fn bugs_of_several_pages_are_shown_page_by_page() {
    let mock = Mock::start().await.expect("a stand-in");
    let page = |ids: [&str; 2], has_more: bool| {
        let bugs = ids.map(|id| format!(r#"{{"id":"{id}"}}"#)).join(",");
        let page = format!(r#"{{"bugs":[{bugs}],"hasMore":{has_more}}}"#);
        let page = Fault::respond_with(page).header("content-type", "application/json");
        page.on_operation("list_bugs")
    };
    mock.fault(page(["a", "b"], true));
    mock.fault(page(["c", "d"], false));
    let ended = checksum(&mock.url(), "bugs").end();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert_eq!(ended.stdout.matches("severity").count(), 2, "{ended:?}");

    // What came before a failure is shown.
    mock.fault(page(["a", "b"], true));
    mock.fault(Fault::status(403).on_operation("list_bugs"));
    let ended = checksum(&mock.url(), "bugs").end();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert_eq!(ended.stdout.matches("severity").count(), 1, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_fails_is_listed_and_fails_the_command() {
    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    // A file where a directory has to be.
    fs::write(directory.path().join("test-def-456"), "").expect("a file");
    let arguments = format!("attachments {TEST_RUN} --failed --output json --download");
    let invocation = checksum(&mock.url(), &arguments).argument(directory.path());
    let ended = invocation.end();
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(ended.stdout.contains("cannot write"), "{ended:?}");
    assert!(directory.path().join("test-ghi-789").is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_fails_hides_no_other() {
    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let mut all = String::new();
    for arguments in [
        format!("attachments {TEST_RUN} --failed"),
        format!("attachments {TEST_RUN} --failed --download {path}"),
    ] {
        for form in ["human", "json", "ndjson"] {
            mock.fault(Fault::status(403).on_operation("get_test_attachments"));
            let arguments = format!("{arguments} --quiet --output {form}");
            let ended = checksum(&mock.url(), &arguments).end();
            assert_eq!(ended.code, 4, "{ended:?}");
            all += &shown(&mock, &arguments, path, &ended);
        }
    }
    insta::assert_snapshot!("attachments of which a list fails", all);
    assert!(!directory.path().join("test-def-456").exists());
    assert!(directory.path().join("test-ghi-789/trace.zip").is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_the_one_test_that_was_asked_for_is_an_error() {
    let mock = after_a_run().await;
    let arguments = format!("attachments {TEST_RUN} test-none --output json");
    let ended = checksum(&mock.url(), &arguments).end();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(ended.lines().next().expect("a line")["type"], "error");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_link_inside_the_download_folder_is_not_followed() {
    use std::os::unix::fs::symlink;

    let mock = after_a_run().await;
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    for name in ["downloads", "outside"] {
        fs::create_dir(at(name)).expect("a directory");
    }
    fs::create_dir(at("downloads/test-ghi-789")).expect("a directory");
    fs::write(at("outside/file"), "old").expect("a file");
    symlink("../outside", at("downloads/test-def-456")).expect("a link");
    symlink("../../outside/file", at("downloads/test-ghi-789/trace.zip")).expect("a link");
    symlink("downloads", at("link")).expect("a link");
    // The folder that the user names may be a link.
    for folder in ["downloads", "link"] {
        let arguments = format!("attachments {TEST_RUN} --failed --output json --download");
        let ended = checksum(&mock.url(), &arguments).argument(at(folder)).end();
        assert_eq!(ended.code, 5, "{ended:?}");
        let last = ended.lines().last().expect("a line");
        let listed = last["attachments"].as_array().expect("a list");
        let refused: Vec<bool> = listed
            .iter()
            .map(|one| {
                let error = one["error"].as_str().unwrap_or_default();
                error.contains("symbolic link") && error.contains("not followed")
            })
            .collect();
        assert_eq!(refused, [true, true, true, true, false, false], "{last}");
        assert_eq!(fs::read_dir(at("outside")).expect("a directory").count(), 1);
        assert_eq!(
            fs::read_to_string(at("outside/file")).expect("a file"),
            "old"
        );
        assert!(at("downloads/test-def-456").is_symlink());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_not_there_yet_is_not_written() {
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
        // The first request is for the address.
        mock.fault(fault.after(1));
        let arguments = format!("report {TEST_RUN} --download");
        let ended = checksum(&mock.url(), &arguments)
            .argument(directory.path().join("report.html"))
            .end();
        assert_eq!(ended.code, 5, "{ended:?}");
        assert!(ended.stderr.contains(reason), "{ended:?}");
        assert_eq!(fs::read_dir(directory.path()).expect("there").count(), 0);
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_opened_in_the_browser_of_the_environment() {
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
        let invocation = checksum(&mock.url(), &format!("report {TEST_RUN} --open"))
            .env("BROWSER", &chosen)
            .env("ANOTHER_NAME", &format!("key={KEY}"))
            .env("OF_NO_SECRET", "stays")
            .env("PATH", "/usr/bin:/bin");
        let ended = invocation.end();
        assert_eq!(ended.code, 0, "{ended:?}");
        // The browser is another process, which the command does not wait for.
        let appears = async {
            while !opened.exists() {
                tokio::task::yield_now().await;
            }
        };
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, appears)
            .await
            .expect("a browser");
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
    let ended = checksum(&mock.url(), &format!("report {TEST_RUN} --open"))
        .env("BROWSER", "/nowhere/at/all")
        .env("PATH", "/nowhere")
        .end();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.stderr.contains("cannot open the browser"),
        "{ended:?}"
    );
}

#[test]
fn shells_and_manuals_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = checksum("", &format!("completions {shell}")).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains("heal"), "{ended:?}");
        assert!(ended.stdout.contains("run-id-file"), "{ended:?}");
    }
    let ended = checksum("", "man").end();
    assert!(ended.stdout.contains(".TH checksum 1"), "{ended:?}");
    assert!(ended.stdout.contains("generate"), "{ended:?}");
    let ended = checksum("", "man run grep").end();
    assert!(ended.stdout.contains("run\\-id\\-file"), "{ended:?}");
    let ended = checksum("", "man nothing").end();
    assert_eq!(ended.code, 2, "{ended:?}");
}
