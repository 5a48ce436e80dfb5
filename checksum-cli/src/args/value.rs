//! Parsers of single values.

use checksum_api_ext::{PrNumber, RepoName};

/// Parses `OWNER/REPO`, which generation requires.
pub(super) fn with_owner(text: &str) -> Result<RepoName, String> {
    let repo = text
        .parse::<RepoName>()
        .map_err(|error| error.to_string())?;
    if repo.has_owner() {
        Ok(repo)
    } else {
        Err("generation needs the repository as OWNER/REPO".to_owned())
    }
}

/// Parses the number of a pull request.
pub(super) fn pr_number(text: &str) -> Result<PrNumber, &'static str> {
    let number = text.parse().ok().map(PrNumber::new);
    number
        .and_then(Result::ok)
        .ok_or("a pull request's number is 1 or more")
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
