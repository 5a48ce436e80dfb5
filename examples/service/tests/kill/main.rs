//! Kills, suspends and restarts the service, and proves from the mock server's log that each run that
//! was asked for is started at most once and is never lost.

mod instance;
mod one_instance;
mod postgres;
mod two_instances;

use std::collections::BTreeMap;

use checksum_mock::{Mock, RecordedRequest};

/// How often the start of each commit's run was requested.
fn starts(mock: &Mock) -> BTreeMap<String, usize> {
    let mut starts = BTreeMap::new();
    let requests = mock.requests().into_iter();
    for request in requests.filter(|request| request.method == "POST") {
        let commit = request.body["grep"].as_str().expect("a grep").to_owned();
        *starts.entry(commit).or_default() += 1;
    }
    starts
}

/// Returns the number of the instance that sent a request.
fn sender(request: &RecordedRequest) -> &str {
    let agent = request.header("user-agent").expect("a user agent");
    agent.strip_prefix("checksum-service/").expect("a number")
}
