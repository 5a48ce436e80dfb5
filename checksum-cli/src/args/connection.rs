use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Where the API is; CHECKSUM_API_BASE_URL, or the service itself
    #[arg(long, value_name = "URL")]
    // Taken apart later: clap would repeat a text that it refuses, with the credentials in it.
    pub(crate) base_url: Option<String>,
    /// Read the API key from a file
    #[arg(long, value_name = "PATH", conflicts_with = "api_key_stdin")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// Read the API key from standard input
    #[arg(long)]
    pub(crate) api_key_stdin: bool,
}
