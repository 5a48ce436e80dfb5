//! The address of a test run's page in the web app.

use checksum_api::types::TestRunId;
use url::Url;

/// Where the web app shows a test run. Not documented: known from the vendor's client.
const TEST_RUNS: &str = "https://app.checksum.ai/#/test-runs/";

/// Returns the address of the page. `None` for an id with characters that the service's ids do not
/// have, since it could lead elsewhere.
pub(super) fn web_url(id: &TestRunId) -> Option<Url> {
    let id = id.as_str();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_plain = id.bytes().all(is_plain);
    is_plain.then(|| format!("{TEST_RUNS}{id}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_id_has_a_page() {
        let url = |id: &str| web_url(&TestRunId::new(id).expect("an id")).map(String::from);
        assert_eq!(
            url("00000000-0000-4000-8000-000000000001").as_deref(),
            Some("https://app.checksum.ai/#/test-runs/00000000-0000-4000-8000-000000000001")
        );
        for id in ["a/b", "a?b", "a#b", "a b", "a%2e", "é", "a\"><b", "a)"] {
            if TestRunId::new(id).is_ok() {
                assert_eq!(url(id), None, "{id}");
            }
        }
    }
}
