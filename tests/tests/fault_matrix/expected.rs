//! The rules: what follows from a fault for an operation, a client and a wait.

use std::time::Duration;

use checksum_api::{ErrorKind as RawKind, OperationId};
use checksum_api_ext::{Error, ErrorKind, Started};

use crate::cases::Expected;

/// Returns a text unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)*) => {
        if !$condition {
            return Err(format!($($text)*));
        }
    };
}
pub(crate) use ensure;

/// The attempts of the default retry policy.
const ATTEMPTS: u64 = 4;

/// The longest sum of the delays of the default retry policy.
const MAX_DELAY: u64 = 60;

pub(crate) fn is_transient(kind: RawKind, status: Option<u16>) -> bool {
    match kind {
        RawKind::Connect | RawKind::Timeout | RawKind::ConnectionLost => true,
        RawKind::RateLimited | RawKind::Server | RawKind::InvalidJson => true,
        _ => matches!(status, Some(408 | 425)),
    }
}

/// Returns whether the service may have acted on a request that failed so.
pub(crate) fn may_have_acted(kind: RawKind, status: Option<u16>) -> bool {
    match status {
        Some(307 | 308) => false,
        Some(408 | 200..=399 | 500..) => true,
        Some(400..=499) => false,
        _ => kind != RawKind::Connect,
    }
}

fn is_start(operation: OperationId) -> bool {
    !operation.operation().is_read()
}

impl Expected {
    /// Returns what is expected of one operation.
    pub(crate) fn of(&self, operation: OperationId) -> Self {
        let mut expected = self.clone();
        if operation.operation().method != "GET" && !matches!(self.status, Some(307 | 308)) {
            expected.hops = expected.hops.min(1);
        }
        // The response of this one may be a redirect to the report.
        if operation == OperationId::GetTestRunReport
            && matches!(self.status, Some(302 | 303 | 307))
        {
            expected.may_succeed = true;
            expected.hops = 1;
        }
        expected
    }

    /// Checks what the raw client returned.
    pub(crate) fn check_raw(
        &self,
        result: &Result<(), checksum_api::Error>,
        requests: u64,
    ) -> Result<(), String> {
        ensure!(requests == self.hops, "{requests} requests");
        let Err(error) = result else {
            ensure!(self.kinds.is_empty() || self.may_succeed, "success");
            return Ok(());
        };
        let (kind, status) = (error.kind(), error.status().map(|status| status.as_u16()));
        ensure!(self.kinds.contains(&kind), "the kind");
        self.check_response(status, error.retry_after())?;
        ensure!(
            error.is_transient() == is_transient(kind, status),
            "is_transient"
        );
        let may_have_acted = may_have_acted(kind, status);
        ensure!(
            error.may_have_taken_effect() == may_have_acted,
            "the effect"
        );
        Ok(())
    }

    /// Checks what the extension crate returned.
    pub(crate) fn check_ext(
        &self,
        operation: OperationId,
        result: &Result<(), Error>,
        requests: u64,
    ) -> Result<(), String> {
        let Err(error) = result else {
            ensure!(self.kinds.is_empty() || self.may_succeed, "success");
            ensure!(requests == self.hops, "{requests} requests");
            return Ok(());
        };
        let status = error.status_code();
        self.check_response(status, error.retry_after())?;
        // A response of free form is decoded by the extension crate.
        let raw = error
            .raw()
            .map_or(RawKind::UnexpectedBody, checksum_api::Error::kind);
        ensure!(self.kinds.contains(&raw), "the kind");
        let maybe = may_have_acted(raw, status) && is_start(operation);
        let kind = if maybe {
            ErrorKind::MayHaveStarted
        } else {
            public_kind(raw, status)
        };
        ensure!(error.kind() == kind, "the kind is not {kind:?}");
        let is_maybe = error.started() == Started::Maybe;
        ensure!(
            !is_start(operation) || is_maybe == maybe,
            "whether it started"
        );
        let is_repeated = match is_start(operation) {
            true => matches!(raw, RawKind::Connect | RawKind::RateLimited),
            false => is_transient(raw, status),
        };
        let attempts = match &self.retry_after {
            _ if !is_repeated => 1,
            Some(after) if *after.start() > MAX_DELAY => 1,
            _ => ATTEMPTS,
        };
        ensure!(requests == self.hops * attempts, "{requests} requests");
        Ok(())
    }

    fn check_response(
        &self,
        status: Option<u16>,
        retry_after: Option<Duration>,
    ) -> Result<(), String> {
        // The normal status code of one operation is 202.
        let is_accepted = self.status == Some(200) && status == Some(202);
        ensure!(
            is_accepted || status == self.status,
            "the status code is {status:?}"
        );
        let seconds = retry_after.map(|after| after.as_secs());
        let is_kept = match (&self.retry_after, seconds) {
            (None, None) => true,
            (Some(range), Some(seconds)) => range.contains(&seconds),
            _ => false,
        };
        ensure!(is_kept, "Retry-After is {seconds:?}");
        Ok(())
    }

    /// Returns whether a poll with such a result ends a wait.
    pub(crate) fn must_end_a_wait(&self) -> bool {
        let ends = |kind: &RawKind| !is_transient(*kind, self.status);
        // The other route of the status may know the run, and a redirect may lead to it.
        let may_go_on = self.status == Some(404) || self.hops > 1 || self.may_succeed;
        !may_go_on && !self.kinds.is_empty() && self.kinds.iter().all(ends)
    }

    /// Checks how a wait ended in which one request had the fault. A wait without it has `usual`
    /// requests.
    pub(crate) fn check_wait(
        &self,
        result: Result<(), &Error>,
        requests: u64,
        usual: u64,
    ) -> Result<(), String> {
        let most = usual + self.hops;
        ensure!(requests <= most, "{requests} requests, usually {usual}");
        if let Err(error) = result {
            self.check_response(error.status_code(), error.retry_after())?;
            let ends = |kind: &RawKind| !is_transient(*kind, self.status);
            ensure!(self.kinds.iter().any(ends), "it should go on");
            let raw = error.raw().map(checksum_api::Error::kind);
            ensure!(
                raw.is_some_and(|kind| self.kinds.contains(&kind)),
                "the kind"
            );
            ensure!(error.started() != Started::No, "it has started");
            ensure!(error.handle_key().is_some(), "no handle");
        }
        Ok(())
    }
}

fn public_kind(kind: RawKind, status: Option<u16>) -> ErrorKind {
    match kind {
        RawKind::Unauthorized => ErrorKind::Unauthorized,
        RawKind::Forbidden => ErrorKind::Forbidden,
        RawKind::NotFound => ErrorKind::NotFound,
        RawKind::Rejected if !is_transient(kind, status) => ErrorKind::Rejected,
        RawKind::TooLarge | RawKind::Redirect => ErrorKind::UnexpectedResponse,
        RawKind::InvalidJson | RawKind::UnexpectedBody => ErrorKind::UnexpectedResponse,
        _ => ErrorKind::Unavailable,
    }
}
