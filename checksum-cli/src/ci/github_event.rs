//! Takes options that are not given from the event that started a workflow of GitHub Actions.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use checksum_api_ext::{PrNumber, RepoName};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// GitHub sends events of at most 25 MB.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// The options of a command that the event can fill; `None` for one that the command does not need.
#[derive(Default)]
pub(crate) struct Options<'a> {
    pub(crate) repo: Option<&'a mut Option<RepoName>>,
    pub(crate) pr: Option<&'a mut Option<PrNumber>>,
    /// A branch that is checked out in the repository, which has no branch of a fork.
    pub(crate) branch: Option<&'a mut Option<String>>,
    /// The branch of the pull request, wherever it is.
    pub(crate) head_branch: Option<&'a mut Option<String>>,
}

/// What is read of the file.
#[derive(Default, Deserialize)]
struct Event {
    pull_request: Option<PullRequest>,
    /// A comment on a pull request is one on its issue.
    issue: Option<Issue>,
}

#[derive(Deserialize)]
struct PullRequest {
    number: u64,
    head: Option<Head>,
}

#[derive(Deserialize)]
struct Head {
    /// Null if the fork was deleted.
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    pull_request: Option<IgnoredAny>,
}

impl Options<'_> {
    /// Fills the options that are empty, and returns what to tell the user.
    pub(super) fn fill(self, variable: &impl Fn(&str) -> Option<String>) -> Vec<String> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let (mut taken, mut notes) = (Vec::new(), Vec::new());
        let event = |notes: &mut Vec<String>| {
            let path = variable("GITHUB_EVENT_PATH").unwrap_or_default();
            read(Path::new(&path)).unwrap_or_else(|error| {
                notes.push(format!("GITHUB_EVENT_PATH {path}: {error}"));
                Event::default()
            })
        };
        let repo = variable("GITHUB_REPOSITORY").and_then(|name| name.parse::<RepoName>().ok());
        let mut is_of_event = true;
        if let Some(option) = self.repo {
            match (&option, repo.filter(RepoName::has_owner)) {
                (Some(given), repo) => {
                    is_of_event = repo.is_some_and(|repo| names(given.as_str(), repo.as_str()));
                }
                (None, None) => {}
                (None, Some(repo)) => {
                    taken.push(format!("--repo {repo}"));
                    *option = Some(repo);
                }
            }
        }
        // A number belongs to the repository of the event.
        if let Some(option @ None) = self.pr
            && is_of_event
        {
            let reference = variable("GITHUB_REF").unwrap_or_default();
            let number = event(&mut notes)
                .number()
                .or_else(|| of_reference(&reference));
            *option = number.and_then(|number| PrNumber::new(number).ok());
            taken.extend(option.as_ref().map(|number| format!("--pr {number}")));
        }
        if let Some(option @ None) = self.branch {
            let is_fork = variable("GITHUB_HEAD_REF").is_some()
                && event(&mut notes).is_of_fork(&variable("GITHUB_REPOSITORY").unwrap_or_default());
            match is_fork {
                true => notes.push(
                    "the pull request comes from a fork, so its branch is not taken for --branch"
                        .to_owned(),
                ),
                false => *option = branch(variable),
            }
            taken.extend(option.as_ref().map(|branch| format!("--branch {branch}")));
        }
        if let Some(option @ None) = self.head_branch {
            *option = branch(variable);
            taken.extend(option.as_ref().map(|branch| format!("--branch {branch}")));
        }
        if !taken.is_empty() {
            notes.push(format!("from the GitHub event: {}", taken.join(" ")));
        }
        notes.dedup();
        notes
    }
}

/// Returns whether a repository, with or without its owner, is the one with this full name.
fn names(given: &str, full_name: &str) -> bool {
    let name = full_name
        .split_once('/')
        .map_or(full_name, |(_, name)| name);
    given.eq_ignore_ascii_case(full_name) || given.eq_ignore_ascii_case(name)
}

/// Returns the number in `refs/pull/42/merge`.
fn of_reference(reference: &str) -> Option<u64> {
    let (number, _) = reference.strip_prefix("refs/pull/")?.split_once('/')?;
    number.parse().ok()
}

/// Returns the branch of the event: that of a pull request, or the one that was pushed. A tag is no
/// branch, and neither is `42/merge`, which a pull request has in its place.
fn branch(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    variable("GITHUB_HEAD_REF").or_else(|| {
        let name = variable("GITHUB_REF_NAME")?;
        let is_branch = match variable("GITHUB_REF") {
            Some(reference) => reference.starts_with("refs/heads/"),
            None => {
                let number = name.strip_suffix("/merge");
                let is_merge = number.is_some_and(|number| number.parse::<u64>().is_ok());
                !is_merge && variable("GITHUB_REF_TYPE").is_none_or(|kind| kind == "branch")
            }
        };
        is_branch.then_some(name)
    })
}

impl Event {
    fn number(&self) -> Option<u64> {
        let of_comment = || {
            let issue = self.issue.as_ref()?;
            issue.pull_request.is_some().then_some(issue.number)
        };
        let pull_request = self.pull_request.as_ref();
        pull_request.map(|one| one.number).or_else(of_comment)
    }

    fn is_of_fork(&self, repository: &str) -> bool {
        let head = self.pull_request.as_ref().and_then(|one| one.head.as_ref());
        head.is_some_and(|head| {
            let repo = head.repo.as_ref();
            !repo.is_some_and(|repo| repo.full_name.eq_ignore_ascii_case(repository))
        })
    }
}

fn read(path: &Path) -> io::Result<Event> {
    // A pipe or a device may have no end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is too large to be an event"));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        io::Error::other(format!("it is not an event (line {line}, column {column})"))
    })
}
