use std::time::Duration;

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// Something that goes wrong, in place of the answer or on its way.
///
/// It happens to the next request, or to the next `n`; [`on`](Self::on) narrows it to an operation.
#[derive(Clone, Debug)]
#[must_use]
pub struct Fault {
    pub(crate) kind: FaultKind,
    operation: Option<String>,
    after: u32,
    times: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum FaultKind {
    /// This answer; the service does not act.
    Answer {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
    /// The answer, later.
    Delay(Duration),
    /// The connection is reset; the service does not act.
    ResetBefore,
    /// The service acts, and the connection is reset.
    ResetAfter,
    /// The service acts, and half of the answer arrives.
    Truncated,
    /// The service does not act, and the connection stays open.
    Silence,
}

impl Fault {
    fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            operation: None,
            after: 0,
            times: 1,
        }
    }

    /// An answer of that status without a body; the service does not act on the request. A number
    /// that is no status counts as 500.
    pub fn status(status: u16) -> Self {
        Self::new(FaultKind::Answer {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        })
    }

    /// An answer of status 200 with that body, as JSON or not; the service does not act.
    pub fn body(body: impl Into<Bytes>) -> Self {
        Self::status(200).with_body(body)
    }

    /// The answer, after that time of tokio's clock.
    pub fn delay(by: Duration) -> Self {
        Self::new(FaultKind::Delay(by))
    }

    /// The connection is reset before the service acts on the request.
    pub fn reset_before() -> Self {
        Self::new(FaultKind::ResetBefore)
    }

    /// The service acts on the request, and the connection is reset before it answers.
    pub fn reset_after() -> Self {
        Self::new(FaultKind::ResetAfter)
    }

    /// The service acts on the request, and the connection closes after half of the answer.
    pub fn truncated() -> Self {
        Self::new(FaultKind::Truncated)
    }

    /// The service does not act on the request, and never answers.
    pub fn never_answers() -> Self {
        Self::new(FaultKind::Silence)
    }

    /// A header of the answer that [`status`](Self::status) or [`body`](Self::body) gives. One
    /// that HTTP cannot carry is left out.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let FaultKind::Answer { headers, .. } = &mut self.kind
            && let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
        self
    }

    /// The body of the answer that [`status`](Self::status) gives.
    pub fn with_body(mut self, text: impl Into<Bytes>) -> Self {
        if let FaultKind::Answer { body, .. } = &mut self.kind {
            *body = text.into();
        }
        self
    }

    /// Only requests to the operation of that operationId.
    pub fn on(mut self, operation_id: impl Into<String>) -> Self {
        self.operation = Some(operation_id.into());
        self
    }

    /// The first `requests` that it would happen to are spared.
    pub fn after(mut self, requests: u32) -> Self {
        self.after = requests;
        self
    }

    /// It happens that many times; once without.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// It happens from now on.
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }
}

/// Takes the fault that happens to a request, if one does.
pub(crate) fn take(faults: &mut Vec<Fault>, operation_id: Option<&str>) -> Option<FaultKind> {
    let is_meant = |fault: &Fault| match &fault.operation {
        None => true,
        Some(operation) => operation_id == Some(operation),
    };
    for fault in faults
        .iter_mut()
        .filter(|fault| is_meant(fault) && fault.times > 0)
    {
        if fault.after > 0 {
            fault.after -= 1;
            continue;
        }
        if fault.times != u32::MAX {
            fault.times -= 1;
        }
        let kind = fault.kind.clone();
        faults.retain(|fault| fault.times > 0);
        return Some(kind);
    }
    None
}
