use checksum_api_ext::PollPolicy;

use crate::arguments::Report;
use crate::credentials;
use crate::display::Display;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::message::Message;
use crate::output::Output;

pub(super) async fn execute(
    arguments: Report,
    quiet: bool,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let checksum = credentials::client(&arguments.connection, PollPolicy::default())?;
    let report = checksum.test_run(arguments.test_run).report().await?;
    let url = report.url();
    let saved = match &arguments.download {
        None => None,
        Some(path) => {
            let display = Display::new(quiet, output.is_human());
            let download = report.download(path).on_progress(display.transfer());
            Some(download.await?)
        }
    };
    let text = match &saved {
        None => url.to_string(),
        Some(file) => format!("{} ({} bytes)", file.path.display(), file.bytes),
    };
    let message = Message::Report {
        report: &report,
        saved: saved.as_ref(),
    };
    output.result(&text, &message);
    if arguments.open {
        webbrowser::open(url.as_str()).map_err(Failure::Browser)?;
    }
    Ok(ExitCode::Pass)
}
