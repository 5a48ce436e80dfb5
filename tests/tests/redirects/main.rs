//! Redirects: which are followed, what is sent, and whether work may have started.

mod in_process;
mod over_a_socket;

use checksum_api_ext::{Checksum, Error, HealOptions, PrNumber, Started};

/// Each kind of start, with its path.
const STARTS: [(&str, &str); 3] = [
    ("run", "/public-api/v1/execution/tests"),
    ("heal", "/public-api/v1/auto-heal"),
    ("generate", "/public-api/v1/auto-generate"),
];

async fn start(checksum: &Checksum, kind: &str) -> Result<(), Error> {
    match kind {
        "run" => {
            let run = checksum.run_tests(["id".parse().expect("an id")]);
            run.start().await.map(drop)
        }
        "heal" => {
            let id = "run-id".parse().expect("an id");
            let options = HealOptions::no_pull_request();
            checksum.heal(id, options).start().await.map(drop)
        }
        _ => {
            let repository = "acme-co/webapp".parse().expect("a name");
            checksum
                .generate(repository, PrNumber::new(42).expect("a number"), "main")
                .start()
                .await
                .map(drop)
        }
    }
}

/// What is known of the work after a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Started,
    MayHaveStarted,
    NotStarted,
}

fn known(outcome: &Result<(), Error>) -> Known {
    match outcome {
        Ok(()) => Known::Started,
        Err(error) => match error.started() {
            Started::No => Known::NotStarted,
            Started::Maybe => Known::MayHaveStarted,
            Started::Yes => panic!("{error}"),
        },
    }
}
