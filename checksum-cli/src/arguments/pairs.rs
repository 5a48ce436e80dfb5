use clap::Args;

use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct Variables {
    /// An environment variable for the tests; repeatable. Values are never printed
    #[arg(long, value_name = "KEY=VALUE")]
    env: Vec<String>,
}

impl Variables {
    pub(crate) fn pairs(&self) -> Result<Vec<(&str, &str)>, Failure> {
        pairs("--env", &self.env)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Metadata {
    /// A note that the service keeps; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    metadata: Vec<String>,
}

impl Metadata {
    pub(crate) fn pairs(&self) -> Result<Vec<(&str, &str)>, Failure> {
        pairs("--metadata", &self.metadata)
    }
}

/// Taken apart here: clap would repeat a text that it refuses, with the value in it.
fn pairs<'a>(
    option: &'static str,
    texts: &'a [String],
) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    let pair = |(index, text): (usize, &'a String)| {
        text.split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or(Failure::Pair {
                option,
                number: index + 1,
            })
    };
    texts.iter().enumerate().map(pair).collect()
}
