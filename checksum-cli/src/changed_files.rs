//! The changed files, for which the service finds the affected tests.

use std::io::{self, Read};
use std::process::{Command, Output};

use crate::output::text::one_line;

/// Larger than any list of changed files.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The environment variables that git needs to find itself, the repository and its configuration.
/// It gets no others, because they may be secret.
const GIT_VARIABLES: [&str; 11] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "TEMP",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CEILING_DIRECTORIES",
];

/// Why the changed files are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangedFilesError {
    #[error("cannot read the changed files from standard input: {0}")]
    Input(io::Error),
    #[error("standard input cannot hold both the changed files and the API key")]
    KeyInput,
    #[error("--base: cannot run git: {0}")]
    NoGit(io::Error),
    #[error(
        "--base: git cannot list what changed since {base}: {message}; \
         a checkout in CI may need more history (`fetch-depth: 0`)"
    )]
    Git { base: String, message: String },
    #[error("the path of a changed file is not valid Unicode")]
    NotUnicode,
    #[error("`-` reads all paths from standard input; leave the others out")]
    Mixed,
    #[error(
        "a line of standard input is quoted, as git writes a path with special characters; \
         give git the option `-z`"
    )]
    Quoted,
}

/// Returns the paths of the changed files: those that changed since `base`, otherwise `files`, where
/// `-` stands for the list on standard input.
pub(crate) fn changed_files(
    base: Option<&str>,
    files: &[String],
    key_is_on_stdin: bool,
) -> Result<Vec<String>, ChangedFilesError> {
    let list = match base {
        Some(base) => run_git(base),
        None if files.iter().all(|file| file != "-") => return Ok(files.to_vec()),
        None if files.len() > 1 => Err(ChangedFilesError::Mixed),
        None if key_is_on_stdin => Err(ChangedFilesError::KeyInput),
        None => read_stdin(),
    }?;
    let list = String::from_utf8(list).map_err(|_| ChangedFilesError::NotUnicode)?;
    split(list.trim_start_matches('\u{feff}'))
}

fn read_stdin() -> Result<Vec<u8>, ChangedFilesError> {
    let mut list = Vec::new();
    let read = io::stdin()
        .lock()
        .take(MAX_BYTES + 1)
        .read_to_end(&mut list);
    read.map_err(ChangedFilesError::Input)?;
    if list.len() as u64 > MAX_BYTES {
        let error = io::Error::other("it is too large to be a list of files");
        return Err(ChangedFilesError::Input(error));
    }
    Ok(list)
}

/// Lists what changed on the current branch since it left `base`.
fn run_git(base: &str) -> Result<Vec<u8>, ChangedFilesError> {
    let environment = std::env::vars_os().filter(|(name, _)| {
        name.to_str()
            // Windows has `Path`.
            .is_some_and(|name| {
                GIT_VARIABLES
                    .iter()
                    .any(|one| one.eq_ignore_ascii_case(name))
            })
    });
    let range = format!("{base}...");
    let output = Command::new("git")
        .args([
            "diff",
            "--name-only",
            "--no-renames",
            "--no-relative",
            "-z",
            "--end-of-options",
            &range,
            "--",
        ])
        .env_clear()
        .envs(environment)
        .env("GIT_TERMINAL_PROMPT", "0")
        .output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.map_err(ChangedFilesError::NoGit)?;
    if !status.success() {
        return Err(ChangedFilesError::Git {
            base: one_line(base),
            message: one_line(String::from_utf8_lossy(&stderr).trim()),
        });
    }
    Ok(stdout)
}

/// Splits paths that are on lines, or between NULs as `git diff -z` prints them.
fn split(list: &str) -> Result<Vec<String>, ChangedFilesError> {
    let separator = if list.contains('\0') { '\0' } else { '\n' };
    let path = |path: &str| match separator {
        '\n' if path.starts_with('"') => Err(ChangedFilesError::Quoted),
        '\n' => Ok(path.trim_end_matches('\r').to_owned()),
        _ => Ok(path.to_owned()),
    };
    list.split(separator)
        .map(path)
        .filter(|path| path.as_ref().map_or(true, |path| !path.is_empty()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_on_lines_or_between_nuls() {
        let paths = |list| split(list).expect("paths");
        assert_eq!(paths("a b\r\n\nc\n"), ["a b", "c"]);
        assert_eq!(paths("a\nb\0c\0"), ["a\nb", "c"]);
        assert!(paths("").is_empty());
        assert!(split("a\n\"\\303\\274.ts\"\n").is_err());
    }
}
