//! The faults that a test can inject.

use std::time::Duration;

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::routes::Route;

/// A failure that the mock server injects: another response than the real one, or a delay or loss
/// of the connection.
///
/// It applies to the next request. [`times`](Self::times) repeats it, and
/// [`on_operation`](Self::on_operation) limits it to one operation.
#[derive(Clone, Debug)]
#[must_use]
pub struct Fault {
    pub(crate) kind: FaultKind,
    operation_id: Option<&'static str>,
    after: u32,
    times: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum FaultKind {
    Respond {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
    Delay(Duration),
    ResetBefore,
    ResetAfter,
    Truncate,
    Hang,
}

impl Fault {
    fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            operation_id: None,
            after: 0,
            times: 1,
        }
    }

    /// Responds with this status code and, unless [`body`](Self::body) sets one, without a body.
    /// The request is not handled. A number that is not a status code counts as 500.
    pub fn status(status: u16) -> Self {
        Self::new(FaultKind::Respond {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        })
    }

    /// Responds with status 200 and this body and, unless [`header`](Self::header) sets one,
    /// without a content type. The request is not handled.
    pub fn respond_with(body: impl Into<Bytes>) -> Self {
        Self::status(200).body(body)
    }

    /// Handles the request at once, and responds after this time of the mock server's
    /// [`Clock`](crate::Clock): a client that times out has started the work nevertheless.
    pub fn delay(by: Duration) -> Self {
        Self::new(FaultKind::Delay(by))
    }

    /// Resets the connection after reading the request, which is not handled.
    ///
    /// [`Mock::router`](crate::Mock::router) has no connection: the response's body fails at once.
    pub fn reset_before_handling() -> Self {
        Self::new(FaultKind::ResetBefore)
    }

    /// Handles the request, and resets the connection in place of a response.
    ///
    /// [`Mock::router`](crate::Mock::router) has no connection: the response's body fails at once.
    pub fn reset_after_handling() -> Self {
        Self::new(FaultKind::ResetAfter)
    }

    /// Handles the request, sends half of the response's body, and closes the connection. The
    /// `content-length` is that of the whole body.
    pub fn truncated() -> Self {
        Self::new(FaultKind::Truncate)
    }

    /// Never responds, and leaves the connection open. The request is not handled.
    pub fn hang() -> Self {
        Self::new(FaultKind::Hang)
    }

    /// Adds a header to the response of [`status`](Self::status) or
    /// [`respond_with`](Self::respond_with). Has no effect on other faults. Ignores a header that
    /// HTTP does not allow.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let FaultKind::Respond { headers, .. } = &mut self.kind
            && let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value))
        {
            headers.append(name, value);
        }
        self
    }

    /// Sets the body of the response of [`status`](Self::status). Has no effect on faults that do
    /// not respond.
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        if let FaultKind::Respond { body, .. } = &mut self.kind {
            *body = bytes.into();
        }
        self
    }

    /// Limits it to requests to one operation, named by its operationId, such as
    /// `get_run_status`.
    ///
    /// # Panics
    ///
    /// Panics if there is no such operation, because the fault would never apply.
    #[track_caller]
    pub fn on_operation(mut self, operation_id: &str) -> Self {
        let Some(route) = Route::by_operation(operation_id) else {
            panic!("there is no operation `{operation_id}`");
        };
        self.operation_id = Some(route.operation_id);
        self
    }

    /// Skips the first `requests` that it would apply to. Default: 0.
    pub fn after(mut self, requests: u32) -> Self {
        self.after = requests;
        self
    }

    /// Applies it to `times` requests. Default: 1.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Applies it to every request from now on.
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }
}

/// Returns a description for people of each fault that still applies to requests.
pub(crate) fn describe(faults: &[Fault]) -> Vec<String> {
    let active = faults.iter().filter(|fault| fault.times > 0);
    let described = active.map(|fault| {
        let kind = match &fault.kind {
            FaultKind::Respond { status, .. } => format!("status {}", status.as_u16()),
            FaultKind::Delay(by) => format!("delay of {by:?}"),
            FaultKind::ResetBefore => "reset before handling".to_owned(),
            FaultKind::ResetAfter => "reset after handling".to_owned(),
            FaultKind::Truncate => "truncated".to_owned(),
            FaultKind::Hang => "hang".to_owned(),
        };
        let operation = fault.operation_id.unwrap_or("any operation");
        let times = match fault.times {
            u32::MAX => "always".to_owned(),
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        let after = match fault.after {
            0 => String::new(),
            after => format!(", after {after} more requests"),
        };
        format!("{kind}, {operation}, {times}{after}")
    });
    described.collect()
}

/// Returns the fault that applies to a request, and counts the request.
pub(crate) fn take(faults: &mut Vec<Fault>, operation_id: Option<&str>) -> Option<FaultKind> {
    faults.retain(|fault| fault.times > 0);
    for fault in faults {
        if fault.operation_id.is_some() && fault.operation_id != operation_id {
            continue;
        }
        if fault.after > 0 {
            fault.after -= 1;
            continue;
        }
        if fault.times != u32::MAX {
            fault.times -= 1;
        }
        return Some(fault.kind.clone());
    }
    None
}
