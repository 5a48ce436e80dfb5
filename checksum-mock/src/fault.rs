use std::time::Duration;

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::ROUTES;

/// Something that goes wrong, in place of the answer or on its way.
///
/// It happens to the next request; [`times`](Self::times) makes it more, [`on`](Self::on) narrows
/// it to one operation.
#[derive(Clone, Debug)]
#[must_use]
pub struct Fault {
    pub(crate) kind: FaultKind,
    operation: Option<&'static str>,
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
    /// The service acts, and answers later.
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

    /// An answer of that status, without a body until [`body`](Self::body) gives one; the service
    /// does not act on the request. A number that is no status counts as 500.
    pub fn status(status: u16) -> Self {
        Self::new(FaultKind::Answer {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        })
    }

    /// An answer of status 200 with that body in place of the real one, without a content type
    /// until [`header`](Self::header) gives one; the service does not act on the request.
    pub fn respond_with(body: impl Into<Bytes>) -> Self {
        Self::status(200).body(body)
    }

    /// The service acts on the request at once and answers after that time of the stand-in's
    /// [`Clock`](crate::Clock). A client that gives up before has started what it asked for.
    pub fn delay(by: Duration) -> Self {
        Self::new(FaultKind::Delay(by))
    }

    /// The connection is reset when the request has been read; the service does not act on it.
    ///
    /// [`Mock::router`](crate::Mock::router) has no connection: its answer breaks off at once.
    pub fn reset_before_handling() -> Self {
        Self::new(FaultKind::ResetBefore)
    }

    /// The service acts on the request, and the connection is reset before it answers.
    ///
    /// [`Mock::router`](crate::Mock::router) has no connection: its answer breaks off at once.
    pub fn reset_after_handling() -> Self {
        Self::new(FaultKind::ResetAfter)
    }

    /// The service acts on the request and announces the length of the whole answer, of which half
    /// is sent before the connection closes.
    pub fn truncated() -> Self {
        Self::new(FaultKind::Truncated)
    }

    /// The service does not act on the request, never answers, and leaves the connection open.
    pub fn hang() -> Self {
        Self::new(FaultKind::Silence)
    }

    /// A header of the answer that [`status`](Self::status) or [`answer`](Self::answer) gives; it
    /// has no bearing on other faults. One that HTTP cannot carry is left out.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let FaultKind::Answer { headers, .. } = &mut self.kind
            && let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value))
        {
            headers.append(name, value);
        }
        self
    }

    /// The body of the answer that [`status`](Self::status) gives, JSON or not; it has no bearing
    /// on other faults.
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        if let FaultKind::Answer { body, .. } = &mut self.kind {
            *body = bytes.into();
        }
        self
    }

    /// Only requests to that operation, named as in [`ROUTES`].
    ///
    /// # Panics
    ///
    /// There is no such operation: a test would otherwise wait for a fault that never happens.
    #[track_caller]
    pub fn on_operation(mut self, operation_id: &str) -> Self {
        let route = ROUTES
            .iter()
            .find(|route| route.operation_id == operation_id);
        let Some(route) = route else {
            panic!("there is no operation `{operation_id}`");
        };
        self.operation = Some(route.operation_id);
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
    let is_meant = |fault: &Fault| match fault.operation {
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
