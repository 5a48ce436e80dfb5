//! The faults that a test can inject.

use std::io::Write;
use std::time::Duration;

use axum::body::Bytes;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::routes::Route;

/// A failure that the mock server injects: another response than the real one, or a delay or loss
/// of the connection.
///
/// It applies to the next request. [`times`](Self::times) repeats it,
/// [`on_operation`](Self::on_operation) limits it to one operation, and
/// [`probability`](Self::probability) leaves it to chance.
///
/// A constructor that "handles the request" lets it take effect: the mock server does what was
/// requested. [`and_handle`](Self::and_handle) adds that to the others.
#[derive(Clone, Debug)]
#[must_use]
pub struct Fault {
    pub(crate) kind: FaultKind,
    is_handled: bool,
    operation_id: Option<&'static str>,
    after: u32,
    times: u32,
    probability: f64,
    random: Rng,
}

/// A fault as it applies to one request.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) kind: FaultKind,
    /// Whether the request is handled although its response is not sent.
    pub(crate) is_handled: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum FaultKind {
    Respond {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
    Raw {
        bytes: Bytes,
        pause: Duration,
    },
    Fields(Map<String, Value>),
    Delay(Duration),
    SlowBody(Duration),
    ResetBeforeReading,
    Reset,
    /// Sends so many bytes of the body, by default half of them.
    Cut {
        at: Option<usize>,
        is_reset: bool,
    },
    Hang,
}

impl FaultKind {
    /// Returns whether the request's own response is sent, in some form.
    pub(crate) fn sends_the_response(&self) -> bool {
        matches!(
            self,
            Self::Fields(_) | Self::Delay(_) | Self::SlowBody(_) | Self::Cut { .. }
        )
    }
}

impl Fault {
    fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            is_handled: false,
            operation_id: None,
            after: 0,
            times: 1,
            probability: 1.0,
            random: Rng::with_seed(0),
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

    /// Handles the request, and sends the response's body byte by byte, with this pause before each,
    /// of the mock server's [`Clock`](crate::Clock): a client that only limits the time between two
    /// reads does not notice.
    pub fn slow_body(pause: Duration) -> Self {
        Self::new(FaultKind::SlowBody(pause))
    }

    /// Handles the request, and changes its response: each of these fields replaces that of the
    /// body, `null` removes one, and objects are merged (JSON Merge Patch, RFC 7396). For a status
    /// that is stale, goes backwards, or names another test run.
    ///
    /// # Panics
    ///
    /// Panics if `fields` is not an object. A response that is not an object is sent unchanged.
    #[track_caller]
    pub fn fields(fields: Value) -> Self {
        match fields {
            Value::Object(fields) => Self::new(FaultKind::Fields(fields)),
            other => panic!("not an object: {other}"),
        }
    }

    /// Writes these bytes to the connection, and closes it: for what an HTTP library does not
    /// send, such as a wrong `Content-Length`, invalid chunks, or an informational response. The
    /// request is not handled.
    ///
    /// [`Mock::router`](crate::Mock::router) has no connection: the response's body fails at once.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::slow_raw(bytes, Duration::ZERO)
    }

    /// Writes these bytes as [`raw`](Self::raw) does, with this pause of the mock server's
    /// [`Clock`](crate::Clock) before each byte, for a slow head.
    pub fn slow_raw(bytes: impl Into<Bytes>, pause: Duration) -> Self {
        let bytes = bytes.into();
        Self::new(FaultKind::Raw { bytes, pause })
    }

    /// Resets the connection after the head of the request, without reading its body. The request
    /// is not handled.
    ///
    /// [`Mock::router`](crate::Mock::router) has no connection: the response's body fails at once.
    pub fn reset_before_reading() -> Self {
        Self::new(FaultKind::ResetBeforeReading)
    }

    /// Resets the connection after reading the request, which is not handled.
    ///
    /// [`Mock::router`](crate::Mock::router) has no connection: the response's body fails at once.
    pub fn reset_before_handling() -> Self {
        Self::new(FaultKind::Reset)
    }

    /// Handles the request, and resets the connection in place of a response.
    ///
    /// [`Mock::router`](crate::Mock::router) has no connection: the response's body fails at once.
    pub fn reset_after_handling() -> Self {
        Self::reset_before_handling().and_handle()
    }

    /// Handles the request, sends half of the response's body, and resets the connection.
    pub fn reset_in_body() -> Self {
        Self::new(FaultKind::Cut {
            at: None,
            is_reset: true,
        })
    }

    /// Handles the request, sends half of the response's body, and closes the connection. The
    /// `content-length` is that of the whole body.
    pub fn truncated() -> Self {
        Self::new(FaultKind::Cut {
            at: None,
            is_reset: false,
        })
    }

    /// Sends this number of bytes of the body in place of half of them. A body that is not longer
    /// arrives as a whole. Has an effect on [`truncated`](Self::truncated) and
    /// [`reset_in_body`](Self::reset_in_body) only.
    pub fn at_byte(mut self, bytes: usize) -> Self {
        if let FaultKind::Cut { at, .. } = &mut self.kind {
            *at = Some(bytes);
        }
        self
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

    /// Compresses the body that was set with gzip, and says so in a header, whatever the request
    /// accepts. `Fault::respond_with(vec![0; 1 << 30]).gzip()` is a gzip bomb.
    pub fn gzip(mut self) -> Self {
        if let FaultKind::Respond { headers, body, .. } = &mut self.kind {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            // Writing to memory does not fail.
            let written = encoder.write_all(body).and_then(|()| encoder.finish());
            *body = written.unwrap_or_default().into();
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        self
    }

    /// Handles the request as well, so that it takes effect although its response is lost: the work
    /// was started, and the client gets 502.
    pub fn and_handle(mut self) -> Self {
        self.is_handled = true;
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

    /// Applies it to each request with this probability, from 0 to 1. Default: 1. The same seed
    /// makes the same choices. A request that it spares does not count for [`times`](Self::times).
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.probability = probability;
        self.random = Rng::with_seed(seed);
        self
    }
}

/// Returns a description for people of each fault that still applies to requests.
pub(crate) fn describe(faults: &[Fault]) -> Vec<String> {
    let active = faults.iter().filter(|fault| fault.times > 0);
    let described = active.map(|fault| {
        let kind = match &fault.kind {
            FaultKind::Respond { status, .. } => format!("status {}", status.as_u16()),
            FaultKind::Raw { bytes, .. } => format!("{} raw bytes", bytes.len()),
            FaultKind::Fields(fields) => format!("fields {}", Value::from(fields.clone())),
            FaultKind::Delay(by) => format!("delay of {by:?}"),
            FaultKind::SlowBody(pause) => format!("slow body, {pause:?} before each byte"),
            FaultKind::ResetBeforeReading => "reset before reading".to_owned(),
            FaultKind::Reset if fault.is_handled => "reset after handling".to_owned(),
            FaultKind::Reset => "reset before handling".to_owned(),
            FaultKind::Cut { at, is_reset } => {
                let end = if *is_reset {
                    "reset in the body"
                } else {
                    "truncated"
                };
                at.map_or(end.to_owned(), |at| format!("{end} at byte {at}"))
            }
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
        let chance = match fault.probability {
            1.0.. => String::new(),
            probability => format!(", with probability {probability}"),
        };
        format!("{kind}, {operation}, {times}{after}{chance}")
    });
    described.collect()
}

/// Returns the fault that applies to a request, and counts the request.
pub(crate) fn take(faults: &mut Vec<Fault>, operation_id: Option<&str>) -> Option<Applied> {
    faults.retain(|fault| fault.times > 0);
    for fault in faults {
        if fault.operation_id.is_some() && fault.operation_id != operation_id {
            continue;
        }
        if fault.after > 0 {
            fault.after -= 1;
            continue;
        }
        if fault.random.f64() >= fault.probability {
            continue;
        }
        if fault.times != u32::MAX {
            fault.times -= 1;
        }
        return Some(Applied {
            kind: fault.kind.clone(),
            is_handled: fault.is_handled,
        });
    }
    None
}
