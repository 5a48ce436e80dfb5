//! Parsers of single values.

use checksum_api_ext::types::RepoName;

/// Returns whether a repository has the form `OWNER/REPO`.
pub(crate) fn has_owner(repo: &RepoName) -> bool {
    let is_name =
        |part: &str| !matches!(part, "" | "." | "..") && !part.contains(char::is_whitespace);
    let parts = repo.as_str().split_once('/');
    parts.is_some_and(|(owner, repo)| is_name(owner) && is_name(repo) && !repo.contains('/'))
}

/// Parses `OWNER/REPO`, which generation requires.
pub(super) fn with_owner(text: &str) -> Result<RepoName, String> {
    let repo = text
        .parse::<RepoName>()
        .map_err(|error| error.to_string())?;
    if has_owner(&repo) {
        Ok(repo)
    } else {
        Err("generation needs the repository as OWNER/REPO".to_owned())
    }
}

/// Parses the name of a branch. It is empty if a script's variable is not set.
pub(super) fn branch(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("the branch is empty; leave the option out, or name one");
    }
    Ok(text.to_owned())
}

/// Parses the path of a file. It is empty if a script's variable is not set.
pub(super) fn path(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("the path is empty");
    }
    Ok(text.to_owned())
}
