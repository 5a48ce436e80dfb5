//! Bugs that are planted around the client: the checker must find each of them.

use std::time::Duration;

use checksum_api_ext::TransportError;
use http::Method;
use http::header::RETRY_AFTER;
use reqwest::{Request, Response};

use crate::network::Network;
use crate::schedule::Limits;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    // Of the transport.
    StartsAgainAfter502,
    StartsAgainAfterATimeout,
    StartsAgainAfterARedirect,
    StartsAgainAfterAReset,
    /// A lost connection counts as none, so that the client itself starts again.
    ClaimsThatNothingWasSent,
    IgnoresRetryAfter,
    PollsAnotherRun,
    TurnsAFailureIntoAPass,
    PollsOnAfterTheEnd,
    SendsReadsTwice,
    // Of the settings.
    GivesUpAtTheThirdFailure,
    NeverGivesUp,
    IgnoresTheDeadline,
    IgnoresTheGrace,
    IgnoresTheBudget,
    // Of the caller.
    StoresNoIntent,
    StartsAgainAfterACrash,
    ForgetsTheHandle,
    SaysThatNothingStarted,
}

use Bug::*;

impl Bug {
    /// Each bug, and a part of what the checker says of it.
    pub(crate) const ALL: [(Self, &str); 19] = [
        (StartsAgainAfter502, "started again"),
        (StartsAgainAfterATimeout, "the service got 2 starts"),
        (StartsAgainAfterARedirect, "started again"),
        (StartsAgainAfterAReset, "the service got 2 starts"),
        (ClaimsThatNothingWasSent, "the service got 2 starts"),
        (IgnoresRetryAfter, "before Retry-After"),
        (PollsAnotherRun, "has no cause"),
        (TurnsAFailureIntoAPass, "Outcome(\"passed\")"),
        (PollsOnAfterTheEnd, "after the answer"),
        (SendsReadsTwice, "and again at"),
        (GivesUpAtTheThirdFailure, "Failed(PollingFailed)"),
        (NeverGivesUp, "after the error timeout"),
        (IgnoresTheDeadline, "after the deadline"),
        (IgnoresTheGrace, "Failed(NotFound)"),
        (IgnoresTheBudget, "polls in a second"),
        (StoresNoIntent, "without an intent"),
        (StartsAgainAfterACrash, "started again"),
        (ForgetsTheHandle, "MayHaveStarted"),
        (SaysThatNothingStarted, "NotStarted at"),
    ];

    /// Returns what the client keeps to in place of what it was told.
    pub(crate) fn change(self, mut limits: Limits) -> Limits {
        match self {
            GivesUpAtTheThirdFailure => limits.error_timeout = Duration::ZERO,
            NeverGivesUp => limits.error_timeout = Duration::MAX,
            IgnoresTheDeadline => limits.deadline = None,
            IgnoresTheGrace => limits.grace = Duration::ZERO,
            IgnoresTheBudget => limits.polls_per_second = 1_000,
            _ => {}
        }
        limits
    }
}

/// Sends a request as a transport that has this bug.
pub(crate) async fn send(
    network: Network,
    mut request: Request,
    bug: Option<Bug>,
) -> Result<Response, TransportError> {
    let is_start = request.method() == Method::POST;
    let again = request.try_clone().expect("a body in memory");
    if bug == Some(PollsAnotherRun) {
        let path = request
            .url()
            .path()
            .replace("job-name-12346", "job-name-12345");
        request.url_mut().set_path(&path);
    }
    if is_start && bug == Some(StartsAgainAfterATimeout) {
        let sending = tokio::time::timeout(Duration::from_secs(3), network.send(request));
        return match sending.await {
            Ok(result) => result,
            Err(_) => network.send(again).await,
        };
    }
    let mut result = network.send(request).await;
    let is_repeated = match (bug, &result) {
        (Some(StartsAgainAfter502), Ok(response)) => is_start && response.status() == 502,
        (Some(StartsAgainAfterARedirect), Ok(response)) => {
            is_start && response.status().is_redirection()
        }
        (Some(StartsAgainAfterAReset), Err(error)) => is_start && error.may_have_been_sent(),
        (Some(SendsReadsTwice), Ok(_)) => !is_start,
        _ => false,
    };
    if is_repeated {
        return network.send(again).await;
    }
    match (bug, &mut result) {
        (Some(IgnoresRetryAfter), Ok(response)) => {
            response.headers_mut().remove(RETRY_AFTER);
        }
        (Some(ClaimsThatNothingWasSent), Err(_)) => {
            return result.map_err(TransportError::not_sent);
        }
        (Some(TurnsAFailureIntoAPass), Ok(response)) if response.status().is_success() => {
            let response = http::Response::new(reqwest::Body::default());
            let whole = std::mem::replace(&mut result, Ok(response.into()))?;
            let text = whole.text().await?.replace("\"failed\"", "\"passed\"");
            return Ok(http::Response::new(text).into());
        }
        (Some(PollsOnAfterTheEnd), Ok(_)) if !is_start => {
            tokio::task::spawn_local(async move {
                tokio::time::sleep(Duration::from_secs(5)).await;
                let _ = network.send(again).await;
            });
        }
        _ => {}
    }
    result
}
