use checksum_api_ext::types::RepoName;

/// Whether a repository is named as `OWNER/REPO`.
pub(crate) fn has_owner(repo: &RepoName) -> bool {
    let is_name =
        |part: &str| !matches!(part, "" | "." | "..") && !part.contains(char::is_whitespace);
    let parts = repo.as_str().split_once('/');
    parts.is_some_and(|(owner, repo)| is_name(owner) && is_name(repo) && !repo.contains('/'))
}

/// Reads a repository with its owner, which generation needs.
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

/// Reads the name of a branch. An empty one often is a variable that is not set.
pub(super) fn branch(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("the branch is empty; leave the option out, or name one");
    }
    Ok(text.to_owned())
}

/// Reads the path of a file. An empty one often is a variable that is not set.
pub(super) fn path(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("the path is empty");
    }
    Ok(text.to_owned())
}
