//! The composite action: its own steps, run by bash as a runner runs them, against the mock server.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use checksum_mock::{Mock, RunScript};
use serde_json::Value;

use crate::github_step::Step;
use crate::invocation::{Ended, KEY, ended, last_body, observed_mock};

/// The folder of the action; `None` in the package of this crate, which does not have it.
fn action() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/actions/checksum");
    folder.canonicalize().ok()
}

/// A use of the action in the workflow of a pull request.
struct Use {
    step: Step,
    inputs: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
}

impl Use {
    fn new(inputs: &[(&str, &str)]) -> Self {
        let given = [
            ("api-key", KEY),
            ("wait", "true"),
            ("poll-interval-seconds", "0"),
            ("path", env!("CARGO_BIN_EXE_checksum")),
        ];
        let inputs = given.iter().chain(inputs);
        Self {
            step: Step::of_pull_request(),
            inputs: inputs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            outputs: BTreeMap::new(),
        }
    }

    /// Runs the steps until one fails. The masks are checked, and left out of what was printed.
    #[track_caller]
    fn run(&mut self, mock: &Mock) -> Ended {
        let folder = action().expect("the action");
        let text = fs::read_to_string(folder.join("action.yml")).expect("the action");
        let action: Value = serde_saphyr::from_str(&text).expect("YAML");
        for name in self.inputs.keys() {
            assert!(action["inputs"][name].is_object(), "{name} is no input");
        }
        let url = mock.url();
        self.inputs.entry("api-base-url".to_owned()).or_insert(url);
        let mut steps: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut last = None;
        for step in action["runs"]["steps"].as_array().expect("steps") {
            fs::write(self.step.path("outputs"), "").expect("written");
            let script = step["run"].as_str().expect("a script");
            // An expression in a script would let an input run commands.
            assert!(!script.contains("${{") && step["shell"] == "bash");
            let mut bash = Command::new("bash");
            bash.args([
                "--noprofile",
                "--norc",
                "-e",
                "-o",
                "pipefail",
                "-c",
                script,
            ])
            .current_dir(self.step.directory())
            .env_clear()
            .envs(self.step.variables())
            .env("PATH", env::var_os("PATH").expect("a PATH"))
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .env("GITHUB_ACTION_PATH", &folder);
            if let Some(path) = self.step.variables().get("PATH") {
                bash.env("PATH", path);
            }
            for (name, value) in step["env"].as_object().expect("variables") {
                bash.env(name, self.evaluate(&action, value, &steps));
            }
            let mut output = bash.output().expect("bash runs");
            let printed = String::from_utf8(output.stdout).expect("UTF-8");
            let is_mask = |line: &&str| line.starts_with("::add-mask::");
            let (masks, rest): (Vec<&str>, Vec<&str>) = printed.lines().partition(is_mask);
            if step["id"] == "run" && !self.inputs["api-key"].is_empty() {
                assert_eq!(masks[0], format!("::add-mask::{KEY}"));
            }
            self.step.set("MASKS", &masks.join("\n"));
            output.stdout = rest.join("\n").into_bytes();
            let id = step["id"].as_str().expect("an id").to_owned();
            steps.insert(id, self.step.outputs());
            let ended = ended(output);
            let has_failed = ended.code != 0;
            last = Some(ended);
            if has_failed {
                break;
            }
        }
        for (name, output) in action["outputs"].as_object().expect("outputs") {
            let value = self.evaluate(&action, &output["value"], &steps);
            self.outputs.insert(name.clone(), value);
        }
        last.expect("a step")
    }

    /// Evaluates an expression that is an input, or an output of a step.
    fn evaluate(
        &self,
        action: &Value,
        value: &Value,
        steps: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> String {
        let value = value.as_str().expect("a text");
        let inner = value
            .strip_prefix("${{ ")
            .and_then(|text| text.strip_suffix(" }}"));
        let expression = inner.expect("an expression and nothing else");
        if let Some(name) = expression.strip_prefix("inputs.") {
            assert!(action["inputs"][name].is_object(), "{name} is no input");
            let default = action["inputs"][name]["default"].as_str();
            let given = self.inputs.get(name).map(String::as_str);
            return given.or(default).unwrap_or_default().to_owned();
        }
        let output = expression.strip_prefix("steps.").expect("a step");
        let (step, output) = output.split_once(".outputs.").expect("an output");
        let outputs = steps.get(step);
        outputs
            .and_then(|one| one.get(output))
            .cloned()
            .unwrap_or_default()
    }

    fn masks(&self) -> &str {
        &self.step.variables()["MASKS"]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_the_action() {
    if action().is_none() {
        return;
    }
    let failed = RunScript::new().fail_tests(["test-def-456"]);
    let no_tests = || RunScript::new().tests([]);
    let sharded: &[(&str, &str)] = &[("grep", "checkout"), ("shard-count", "3")];
    for (script, inputs, code, status, verdict) in [
        (
            RunScript::new(),
            &[("grep", "checkout")][..],
            0,
            "passed",
            "pass",
        ),
        (RunScript::new(), sharded, 0, "passed", "pass"),
        (
            RunScript::new().lost_shards(1),
            sharded,
            1,
            "failed",
            "fail",
        ),
        (
            failed,
            &[("suite-ids", "suite-1, suite-2")],
            1,
            "failed",
            "fail",
        ),
        (
            no_tests(),
            &[("test-ids", "test-abc-123")],
            1,
            "failed",
            "fail",
        ),
        (
            RunScript::new().cancelled(),
            &[("collection-id", "collection-abc-123")],
            9,
            "cancelled",
            "fail",
        ),
    ] {
        let mock = observed_mock().await;
        mock.next_run(script);
        let mut used = Use::new(inputs);
        let ended = used.run(&mock);
        assert_eq!(ended.code, code, "{status}: {ended:?}");
        assert_eq!(used.outputs["verdict"], verdict, "{ended:?}");
        assert!(verdict == "fail" || used.outputs["status"] == status);
        assert!(!used.outputs["test-run-id"].is_empty());
        assert_eq!(used.outputs["job-name"].is_empty(), inputs.len() == 2);
        let is_annotated = ended.stderr.contains("\n::error ");
        assert_eq!(is_annotated, verdict == "fail", "{ended:?}");
        assert!(used.step.summary().contains("Checksum"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_become_a_request() {
    if action().is_none() {
        return;
    }
    let mock = observed_mock().await;
    let pattern = "\"; touch owned; $(touch owned) `touch owned` ${{ x }} 'a\nb -- --timeout";
    let mut used = Use::new(&[
        ("grep", pattern),
        (
            "env-overrides",
            r#"{"URL": "https://a.example", "PASSWORD": "50%\nsecret"}"#,
        ),
        ("auto-heal", "true"),
        ("metadata", r#"{"ticket": {"id": 7}, "by": "it's = me"}"#),
        ("report", "junit=reports/junit.xml\nhtml=run.html"),
        ("shard-count", "1"),
    ]);
    let ended = used.run(&mock);
    assert_eq!(ended.code, 1, "it matches no test: {ended:?}");
    let body = last_body(&mock, "run_grep_v2");
    assert_eq!(body["grep"], pattern);
    assert_eq!(body["branch"], "feature/x");
    assert_eq!(body["envOverrides"]["URL"], "https://a.example");
    assert_eq!(body["envOverrides"]["PASSWORD"], "50%\nsecret");
    assert_eq!(body["autoHeal"]["prNumber"], 42);
    assert_eq!(body["autoHeal"]["repoName"], "acme-co/webapp");
    assert_eq!(body["autoHeal"]["metadata"]["ticket"]["id"], 7);
    assert_eq!(body["autoHeal"]["metadata"]["by"], "it's = me");
    for mask in ["https://a.example", "50%25", "secret"] {
        assert!(
            used.masks()
                .lines()
                .any(|line| line == format!("::add-mask::{mask}"))
        );
    }
    assert!(!used.step.path("owned").exists());
    assert!(used.step.path("reports/junit.xml").exists() && used.step.path("run.html").exists());

    let mut used = Use::new(&[("suite-ids", "suite-1,\nsuite-2"), ("wait", "false")]);
    assert_eq!(used.run(&mock).code, 0);
    assert_eq!(last_body(&mock, "run_suite")["suiteIds"][1], "suite-2");
    assert!(used.outputs["status"].is_empty() && !used.outputs["job-name"].is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_files_select_the_affected_tests() {
    if action().is_none() {
        return;
    }
    let mock = observed_mock().await;
    let affected = ("affected", "true");
    let mut used = Use::new(&[affected, ("changed-files", "src/cart.ts\nsrc/a b.ts\n")]);
    assert_eq!(used.run(&mock).code, 0);
    let files = &last_body(&mock, "find_affected_tests")["changedFiles"];
    let files = files.as_array().expect("files");
    assert!(files.len() == 2 && files.contains(&"src/a b.ts".into()));
    assert_eq!(used.outputs["affected-test-ids"], r#"["test-abc-123"]"#);
    assert_eq!(used.outputs["grep-pattern"], "(test-abc-123)");

    // A checkout of the application beside the folder of the job.
    let mut used = Use::new(&[affected, ("git-dir", "code"), ("git-base-ref", "main")]);
    let script = "git init -q -b main code && cd code && git config user.email a@b.c \
        && git config user.name a && git commit -q --allow-empty -m a && git checkout -q -b x \
        && touch 'ü.ts' && git add . && git commit -q -m b";
    let mut git = Command::new("sh");
    git.args(["-c", script]).current_dir(used.step.directory());
    assert!(git.status().expect("git runs").success());
    mock.set_affected_tests([""; 0]);
    let ended = used.run(&mock);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        last_body(&mock, "find_affected_tests")["changedFiles"][0],
        "ü.ts"
    );
    assert_eq!(used.outputs["affected-test-ids"], "[]");
    assert!(used.outputs["job-name"].is_empty());
    // Without an input, the base of the pull request is taken, which this folder does not have.
    let ended = Use::new(&[affected]).run(&mock);
    assert_eq!(ended.code, 2);
    ended.stdout_has("may need fetch-depth: 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_inputs_start_nothing() {
    if action().is_none() {
        return;
    }
    let mock = observed_mock().await;
    let grep = ("grep", "a");
    for (inputs, expected) in [
        (
            &[("api-key", ""), grep][..],
            "no secret to a pull request from a fork",
        ),
        (&[], "exactly one of affected, grep"),
        (&[grep, ("test-ids", "a")], "exactly one of affected, grep"),
        (&[("suite-ids", " , ")], "suite-ids has no id"),
        (&[grep, ("wait", "yes")], "wait is true or false"),
        (
            &[grep, ("auto-heal", "true"), ("metadata", "[1]")],
            "metadata is not a JSON object",
        ),
        (
            &[grep, ("path", "nowhere")],
            "path is not that of a program",
        ),
        (
            &[grep, ("path", ""), ("version", "$(id)")],
            "not the number of a release",
        ),
    ] {
        let ended = Use::new(inputs).run(&mock);
        assert_eq!(ended.code, 2, "{expected}: {ended:?}");
        ended
            .stdout_has("::error title=Checksum::")
            .stdout_has(expected);
    }
    let invalid = [grep, ("env-overrides", r#"{"A": ["hush"]}"#)];
    let ended = Use::new(&invalid).run(&mock);
    assert_eq!(ended.code, 2);
    ended.stderr_has("no text").stderr_lacks("hush");
    assert_eq!(mock.request_count(), 0);
}

/// The address of the release that the test downloads, and the name of its folder.
const RELEASE: &str = "checksum-ai/checksum-rs/releases/download/v1.2.3/";
const RELEASE_NAME: &str = "checksum-1.2.3-x86_64-unknown-linux-gnu";

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_downloaded_and_checked() {
    if action().is_none() {
        return;
    }
    let mock = observed_mock().await;
    let ended = download("sha256sum", &mock);
    assert_eq!(ended.code, 0, "{ended:?}");
    let requests = mock.request_count();
    let another = format!("echo {:064}\\ ", 0);
    let ended = download(&another, &mock);
    assert_eq!(ended.code, 2, "{ended:?}");
    ended.stdout_has("its SHA-256 differs");
    assert_eq!(mock.request_count(), requests);
}

/// Runs the action with a version, and a curl that makes the files: the release, and what `sum` says
/// of it.
fn download(sum: &str, mock: &Mock) -> Ended {
    let mut used = Use::new(&[("grep", "a"), ("path", ""), ("version", "v1.2.3")]);
    let folder = used.step.path("release").join(RELEASE_NAME);
    fs::create_dir_all(&folder).expect("a folder");
    let archive = format!("{RELEASE_NAME}.tar.gz");
    let curl = format!(
        "#!/bin/sh\necho \"$*\" >>curl.txt\ncase \"${{10}}\" in\n\
         *.sha256) cd \"$RUNNER_TEMP\" && {sum} {archive} >\"${{10}}\" ;;\n\
         *) tar -czf \"${{10}}\" -C release {RELEASE_NAME} ;;\nesac\n"
    );
    let command = format!(
        "#!/bin/sh\nexec {} \"$@\"\n",
        env!("CARGO_BIN_EXE_checksum")
    );
    let script = format!(
        "printf '%s' '{curl}' >bin/curl && printf '%s' '{command}' >release/{RELEASE_NAME}/checksum \
         && chmod +x bin/curl release/{RELEASE_NAME}/checksum"
    );
    fs::create_dir(used.step.path("bin")).expect("a folder");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &script])
        .current_dir(used.step.directory());
    assert!(shell.status().expect("sh runs").success());
    let path = format!("{}:{}", used.step.path("bin").display(), env!("PATH"));
    used.step.set("PATH", &path);
    let ended = used.run(mock);
    let asked = fs::read_to_string(used.step.path("curl.txt")).expect("the arguments");
    let asked: Vec<&str> = asked.lines().collect();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].ends_with(&format!("{RELEASE}{archive}")));
    assert!(asked[1].ends_with(&format!("{RELEASE}{archive}.sha256")));
    ended
}
