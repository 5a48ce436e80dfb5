//! `checksum mock`: runs the mock server.

use checksum_api_ext::BASE_URL_ENV;
use checksum_mock::{Mock, RunScript};

use crate::args;
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::json::Message;
use crate::output::stderr::eprint_line;
use crate::output::stdout::Output;

pub(super) async fn execute(
    arguments: args::Mock,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let mut builder = Mock::builder()
        .port(arguments.port)
        .default_run(RunScript::new().end_state(arguments.end_state.as_str()))
        .failing_tests(arguments.fail_test)
        .page();
    if arguments.observed {
        builder = builder.observed();
    }
    let mock = builder.start().await?;
    let url = mock.url();
    output.result(&url, &Message::Mock { url: &url });
    eprint_line(&format!(
        "mock server is ready; use it with {BASE_URL_ENV}={url} and any key, watch it on {}; stop it \
         with Ctrl-C",
        mock.page_url()
    ));
    std::future::pending().await
}
