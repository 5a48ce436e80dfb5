//! An imitation of a step of GitHub Actions: its variables, and the files that its runner reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use checksum_mock::Mock;
use serde_json::json;

use crate::invocation::{Ended, KEY, checksum};

/// One step of a job, in a directory of its own.
pub(crate) struct Step {
    directory: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Step {
    /// A step of the workflow of a pull request.
    pub(crate) fn of_pull_request() -> Self {
        let head = json!({ "ref": "feature/x", "repo": { "full_name": "acme-co/webapp" } });
        Self::new(
            &json!({ "pull_request": { "number": 42, "head": head } }).to_string(),
            &[
                ("GITHUB_EVENT_NAME", "pull_request"),
                ("GITHUB_HEAD_REF", "feature/x"),
                ("GITHUB_BASE_REF", "main"),
                ("GITHUB_REF", "refs/pull/42/merge"),
                ("GITHUB_REF_NAME", "42/merge"),
            ],
        )
    }

    /// A step of the workflow of a pushed branch.
    pub(crate) fn of_push() -> Self {
        Self::new(
            r#"{"ref":"refs/heads/main"}"#,
            &[
                ("GITHUB_EVENT_NAME", "push"),
                ("GITHUB_HEAD_REF", ""),
                ("GITHUB_REF", "refs/heads/main"),
                ("GITHUB_REF_NAME", "main"),
                ("GITHUB_REF_TYPE", "branch"),
            ],
        )
    }

    fn new(event: &str, variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut step = Self {
            directory,
            variables: BTreeMap::new(),
        };
        fs::write(step.path("event.json"), event).expect("written");
        step.set("GITHUB_ACTIONS", "true").set("CI", "true");
        step.set("GITHUB_REPOSITORY", "acme-co/webapp");
        for (name, value) in variables {
            step.set(name, value);
        }
        for (name, file) in [
            ("GITHUB_EVENT_PATH", "event.json"),
            ("GITHUB_OUTPUT", "outputs"),
            ("GITHUB_STEP_SUMMARY", "summary.md"),
            ("RUNNER_TEMP", "."),
        ] {
            let path = step.path(file).display().to_string();
            step.set(name, &path);
        }
        for file in ["outputs", "summary.md"] {
            fs::write(step.path(file), "").expect("written");
        }
        step
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs the command in the step.
    #[track_caller]
    pub(crate) fn exec(&self, mock: &Mock, arguments: &str) -> Ended {
        let mut invocation = checksum(&mock.url(), arguments);
        for (name, value) in &self.variables {
            invocation = invocation.env(name, value);
        }
        let ended = invocation.end();
        assert!(!self.summary().contains(KEY));
        ended
    }

    pub(crate) fn summary(&self) -> String {
        fs::read_to_string(self.path("summary.md")).unwrap_or_default()
    }

    /// Reads the outputs as the runner does.
    #[track_caller]
    pub(crate) fn outputs(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.path("outputs")).expect("outputs");
        assert!(!text.contains(KEY), "{text}");
        let mut lines = text.lines();
        let mut outputs = BTreeMap::new();
        while let Some(head) = lines.next() {
            let (name, value) = match head.split_once("<<") {
                Some((name, end)) => {
                    let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                    (name, value.join("\n"))
                }
                None => {
                    let (name, value) = head.split_once('=').expect("an output");
                    (name, value.to_owned())
                }
            };
            outputs.insert(name.to_owned(), value);
        }
        outputs
    }

    /// The names of the outputs with their values.
    #[track_caller]
    pub(crate) fn has_outputs(&self, expected: &[(&str, &str)]) {
        let expected = expected.iter();
        let expected: BTreeMap<String, String> = expected
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(self.outputs(), expected);
    }
}
