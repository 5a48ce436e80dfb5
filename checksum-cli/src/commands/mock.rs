use checksum_api_ext::BASE_URL_ENV;
use checksum_mock::{Mock, RunScript};

use crate::arguments;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::Message;
use crate::output::{Output, tell};

pub(super) async fn execute(
    arguments: arguments::Mock,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let mut builder = Mock::builder()
        .port(arguments.port)
        .default_run(RunScript::new().end_state(arguments.end))
        .failing_tests(arguments.failing);
    if arguments.observed {
        builder = builder.observed();
    }
    let mock = builder.start().await?;
    let url = mock.url();
    output.result(&url, &Message::Mock { url: &url });
    tell(&format!(
        "serving; use it with {BASE_URL_ENV}={url} and any key; Ctrl-C ends it"
    ));
    // It serves until a signal ends the command.
    std::future::pending().await
}
