//! GitLab CI: variables for later jobs, and for the link of an environment.

use checksum_report::Report;

/// Returns the lines of a `dotenv` report. GitLab reads them without quotes and gives them to later
/// jobs, so a value that is more than a word or a URL is left out.
pub(crate) fn dotenv(report: &Report) -> String {
    let verdict = match report.is_success && report.run_error().is_none() {
        true => "pass",
        false => "fail",
    };
    let values = [
        ("JOB_NAME", report.job_name.clone()),
        ("TEST_RUN_ID", report.test_run_id.clone()),
        ("TEST_RUN_URL", report.web_url().map(String::from)),
        ("STATUS", report.state.clone()),
        ("VERDICT", Some(verdict.to_owned())),
    ];
    let is_plain = |text: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/#@".contains(c);
        (1..500).contains(&text.len()) && text.chars().all(is_plain)
    };
    let values = values.into_iter().filter_map(|(name, value)| {
        let value = value.filter(|value| is_plain(value))?;
        Some(format!("CHECKSUM_{name}={value}\n"))
    });
    values.collect()
}
