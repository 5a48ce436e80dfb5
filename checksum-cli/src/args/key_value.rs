//! Options of the form NAME=VALUE. Their values may be secrets, so clap must not parse them: it would
//! repeat an invalid value in its error.

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::env_file::{is_name, parse};
use crate::redaction;

/// Larger than any list of variables: a larger file was given by mistake.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Why an option of the form NAME=VALUE is invalid. No text contains a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValueError {
    #[error(
        "--env takes NAME=VALUE, or the NAME of a variable of this process's environment; \
         number {0} is neither"
    )]
    Env(usize),
    #[error(
        "--env {0}: this process's environment has no such variable; set it, or give --env {0}=VALUE"
    )]
    EnvMissing(String),
    #[error("--env {0}: the variable's value is not valid Unicode")]
    EnvNotUnicode(String),
    #[error("--env-file {}: {error}", path.display())]
    EnvFile { path: PathBuf, error: io::Error },
    #[error("--env-file {}: line {line} {reason}", path.display())]
    EnvLine {
        path: PathBuf,
        line: usize,
        reason: &'static str,
    },
    #[error("--metadata takes KEY=TEXT or KEY:=JSON; number {0} is neither")]
    Metadata(usize),
    #[error(
        "--field takes NAME=JSON, with strings in double quotes; number {0} is not of that form"
    )]
    Field(usize),
}

#[derive(Debug, Args)]
pub(crate) struct EnvOverrides {
    /// An environment variable for the tests; repeatable. Values are never printed. With only a
    /// NAME, the value is read from this process's environment, so that it is not in the arguments,
    /// which everyone on the machine can read
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// A file of environment variables, with a line NAME=VALUE for each; repeatable. Later files
    /// override earlier ones, and --env overrides files. A line may be empty or a comment that
    /// begins with `#`. It may begin with `export`, and its value may be in quotes. The file may
    /// also be a JSON object
    #[arg(long, value_name = "PATH")]
    env_file: Vec<PathBuf>,
}

impl EnvOverrides {
    /// Returns the variables. Their values are redacted from now on.
    pub(crate) fn pairs(&self) -> Result<BTreeMap<String, String>, ValueError> {
        let mut variables = BTreeMap::new();
        for path in &self.env_file {
            variables.extend(read_file(path)?);
        }
        for (index, text) in self.env.iter().enumerate() {
            let (name, value) = read_argument(index + 1, text)?;
            variables.insert(name, value);
        }
        variables.values().for_each(|value| redaction::add(value));
        Ok(variables)
    }
}

fn read_argument(number: usize, text: &str) -> Result<(String, String), ValueError> {
    match text.split_once('=') {
        Some(("", _)) => Err(ValueError::Env(number)),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => match env::var(text) {
            Ok(value) => Ok((text.to_owned(), value)),
            // It may be a value whose name was forgotten: do not repeat it.
            Err(_) if !is_name(text) => Err(ValueError::Env(number)),
            Err(env::VarError::NotPresent) => Err(ValueError::EnvMissing(text.to_owned())),
            Err(env::VarError::NotUnicode(_)) => Err(ValueError::EnvNotUnicode(text.to_owned())),
        },
    }
}

fn read_file(path: &Path) -> Result<Vec<(String, String)>, ValueError> {
    let failed = |error| ValueError::EnvFile {
        path: path.to_owned(),
        error,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    let read = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let error = io::Error::other("it is too large to be a list of variables");
        return Err(failed(error));
    }
    parse(&bytes).map_err(|(line, reason)| ValueError::EnvLine {
        path: path.to_owned(),
        line,
        reason,
    })
}

/// Parses the values of `--metadata`: KEY=TEXT or KEY:=JSON.
pub(crate) fn metadata(texts: &[String]) -> Result<Vec<(String, Value)>, ValueError> {
    let parse = |text: &str| match text.split_once('=')? {
        (name, json) if name.ends_with(':') => {
            let name = &name[..name.len() - 1];
            Some((name.to_owned(), serde_json::from_str(json).ok()?))
        }
        (name, text) => Some((name.to_owned(), text.into())),
    };
    parse_all(texts, parse, ValueError::Metadata)
}

/// Parses the values of `--field`: NAME=JSON.
pub(crate) fn extra_fields(texts: &[String]) -> Result<Vec<(String, Value)>, ValueError> {
    let parse = |text: &str| {
        let (name, json) = text.split_once('=')?;
        Some((name.to_owned(), serde_json::from_str(json).ok()?))
    };
    parse_all(texts, parse, ValueError::Field)
}

fn parse_all(
    texts: &[String],
    parse: impl Fn(&str) -> Option<(String, Value)>,
    error: fn(usize) -> ValueError,
) -> Result<Vec<(String, Value)>, ValueError> {
    let pair = |(index, text): (usize, &String)| {
        let pair = parse(text).filter(|(name, _)| !name.is_empty());
        pair.ok_or_else(|| error(index + 1))
    };
    texts.iter().enumerate().map(pair).collect()
}
