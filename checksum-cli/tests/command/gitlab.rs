//! GitLab's template: the script of its job, run by a shell with the variables of a job.

use std::fs;
use std::path::Path;
use std::process::Command;

use checksum_mock::{Mock, RunScript, TestScript};
use serde_json::Value;

use crate::invocation::{KEY, ended, observed_mock};

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_gitlab() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci/gitlab");
    let Ok(text) = fs::read_to_string(template.join("checksum.gitlab-ci.yml")) else {
        return;
    };
    let template: Value = serde_saphyr::from_str(&text).expect("YAML");
    let job = &template[".checksum"];
    let script = job["script"][0].as_str().expect("a script");
    let run = |mock: &Mock, directory: &Path, arguments: &str, key: &str| {
        let mut shell = Command::new("sh");
        let binary = Path::new(env!("CARGO_BIN_EXE_checksum")).parent();
        let path = format!("{}:{}", binary.expect("a folder").display(), env!("PATH"));
        shell
            .args(["-e", "-c", script])
            .current_dir(directory)
            .env_clear();
        for (name, value) in job["variables"].as_object().expect("variables") {
            shell.env(name, value.as_str().expect("a text"));
        }
        shell
            .env("PATH", path)
            .env("GITLAB_CI", "true")
            .env("CI", "true")
            .env("CHECKSUM_RUN", arguments)
            .env("CHECKSUM_API_KEY", key)
            .env("CHECKSUM_API_BASE_URL", mock.url());
        ended(shell.output().expect("sh runs"))
    };
    let title = "x\nCHECKSUM_VERDICT=pass\nsection_start:1:a ]]>";
    let failing = || {
        let test = TestScript::new("test-1").title(title).fails(title);
        RunScript::new().tests([test]).end_state("failed")
    };
    for (script, arguments, code, verdict) in [
        (
            RunScript::new(),
            "grep checkout --shards 3 --poll-interval 0s",
            0,
            "pass",
        ),
        (failing(), "suite --poll-interval 0s", 1, "fail"),
        (
            RunScript::new().tests([]),
            "suite --poll-interval 0s",
            1,
            "fail",
        ),
        (
            RunScript::new().cancelled(),
            "suite --poll-interval 0s",
            9,
            "fail",
        ),
    ] {
        let mock = observed_mock().await;
        mock.next_run(script);
        let directory = tempfile::tempdir().expect("a directory");
        run(&mock, directory.path(), arguments, KEY)
            .exits(code)
            .stderr_lacks("section_start:");
        let read = |name: &Value| {
            let name = name.as_str().expect("a path");
            fs::read_to_string(directory.path().join(name)).expect(name)
        };
        let variables = read(&job["artifacts"]["reports"]["dotenv"]);
        assert!(
            variables.contains("CHECKSUM_TEST_RUN_URL=https://"),
            "{variables}"
        );
        assert!(variables.ends_with(&format!("\nCHECKSUM_VERDICT={verdict}\n")));
        assert!(read(&job["artifacts"]["reports"]["junit"]).contains("<testsuites"));
        for path in job["artifacts"]["paths"].as_array().expect("paths") {
            read(path);
        }
    }
    let mock = observed_mock().await;
    let directory = tempfile::tempdir().expect("a directory");
    let ended = run(&mock, directory.path(), "suite", "").exits(2);
    ended.stderr_has("CHECKSUM_API_KEY is empty");
    assert_eq!(mock.request_count(), 0);
}
