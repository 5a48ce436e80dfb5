//! The options for reaching the service.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// The base URL of the API. Default: CHECKSUM_API_BASE_URL, or the public service
    #[arg(long, value_name = "URL")]
    // Parsed later: clap would repeat an invalid URL, with the credentials in it.
    pub(crate) base_url: Option<String>,
    /// Read the API key from a file
    #[arg(long, value_name = "PATH", conflicts_with = "api_key_stdin")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// Read the API key from standard input
    #[arg(long)]
    pub(crate) api_key_stdin: bool,
}
