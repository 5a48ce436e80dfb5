//! The faults of the matrix, and what a client may make of each.

use std::ops::RangeInclusive;

use checksum_api::ErrorKind::{
    self, ConnectionLost, InvalidJson, Redirect, Server, Timeout, TooLarge, UnexpectedBody,
};
use checksum_mock::Fault;

/// The most bytes of a response that the clients of the matrix accept.
pub(crate) const MAX_BYTES: usize = 1 << 20;

pub(crate) struct Case {
    pub(crate) name: String,
    /// The name of its row in the table.
    pub(crate) group: String,
    /// Makes the fault from the response that an operation has without it.
    pub(crate) make: Box<dyn Fn(&str) -> Fault>,
    pub(crate) expected: Expected,
}

/// What the raw client may return. Everything else follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The kinds of errors; none, if the call succeeds.
    pub(crate) kinds: Vec<ErrorKind>,
    /// Whether the call may succeed although there are kinds.
    pub(crate) may_succeed: bool,
    pub(crate) status: Option<u16>,
    /// The seconds that the error keeps; `None` if there are none to keep.
    pub(crate) retry_after: Option<RangeInclusive<u64>>,
    /// The requests of one attempt by GET, which follows redirects.
    pub(crate) hops: u64,
}

impl Expected {
    pub(crate) fn success() -> Self {
        Self::failure(&[], None)
    }

    pub(crate) fn failure(kinds: &[ErrorKind], status: impl Into<Option<u16>>) -> Self {
        Self {
            kinds: kinds.to_vec(),
            may_succeed: false,
            status: status.into(),
            retry_after: None,
            hops: 1,
        }
    }

    fn or_success(mut self) -> Self {
        self.may_succeed = true;
        self
    }
}

fn case(name: &str, expected: Expected, make: impl Fn(&str) -> Fault + 'static) -> Case {
    Case {
        name: name.to_owned(),
        group: name.to_owned(),
        make: Box::new(make),
        expected,
    }
}

fn kind_of(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::Rejected,
        _ => Server,
    }
}

/// Error responses: each status code with each body, and with each form of `Retry-After`.
pub(crate) fn errors() -> Vec<Case> {
    let large = bytes::Bytes::from(vec![b'x'; 10 << 20]);
    let bodies = [
        ("empty", bytes::Bytes::new()),
        ("JSON", r#"{"message":"it failed"}"#.into()),
        ("HTML", "<html><h1>It failed</h1></html>".into()),
        ("10 MB", large),
    ];
    let headers = [
        ("2", Some(2..=2)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", Some(0..=0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(1 << 32..=1 << 40)),
        ("31536000", Some(31_536_000..=31_536_000)),
        ("soon", None),
        ("-1", None),
    ];
    let mut cases = Vec::new();
    for status in [
        400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 501, 502, 503, 504,
    ] {
        let expected = Expected::failure(&[kind_of(status)], status);
        for (kind, body) in bodies.clone() {
            let name = format!("{status}, {kind} body");
            let make = move |_: &str| Fault::status(status).body(body.clone());
            let case = case(&name, expected.clone(), make);
            let group = status.to_string();
            cases.push(Case { group, ..case });
        }
        for (value, retry_after) in headers.clone() {
            let name = format!("{status}, `Retry-After: {value}`");
            let mut expected = expected.clone();
            expected.retry_after = retry_after;
            let make = move |_: &str| Fault::status(status).header("retry-after", value);
            let is_long = expected
                .retry_after
                .as_ref()
                .is_some_and(|it| *it.start() > 60);
            let group = match is_long {
                true => format!("{status}, `Retry-After` of a year or more"),
                false => status.to_string(),
            };
            let case = case(&name, expected, make);
            cases.push(Case { group, ..case });
        }
    }
    cases
}

/// Redirects, of which only those to the origin of the mock server may be followed.
pub(crate) fn redirects() -> Vec<Case> {
    let mut cases = Vec::new();
    for status in [301, 302, 303, 307, 308] {
        for (to, location, hops) in [
            ("to itself, in a loop", "", 6),
            ("to a further path, in a loop", "?again", 6),
            ("to another origin", "https://elsewhere.invalid/", 1),
            ("without an address", "http://[", 1),
        ] {
            let mut expected = Expected::failure(&[Redirect], status);
            expected.hops = hops;
            let name = format!("{status} {to}");
            let make = move |_: &str| Fault::status(status).header("location", location);
            cases.push(case(&name, expected, make));
        }
    }
    cases
}

/// Successes whose bodies are not what they should be.
pub(crate) fn bodies() -> Vec<Case> {
    let text = |text: &'static str| move |_: &str| Fault::respond_with(text);
    let invalid = || Expected::failure(&[InvalidJson], 200);
    let shape = || Expected::failure(&[UnexpectedBody], 200).or_success();
    let either = || Expected::failure(&[UnexpectedBody, InvalidJson], 200).or_success();
    let with_field = |field: Vec<u8>| {
        move |body: &str| {
            let rest = body.strip_prefix('{').expect("an object");
            Fault::respond_with([b"{", &*field, b",", rest.as_bytes()].concat())
        }
    };
    let nested = format!("\"x\":{}{}", "[".repeat(100_000), "]".repeat(100_000));
    vec![
        case("an empty body", invalid(), text("")),
        case("a page of HTML", invalid(), text("<html>Sign in</html>")),
        case("JSON that is cut", invalid(), |body| {
            Fault::respond_with(body[..body.len() / 2].to_owned())
        }),
        case("204", Expected::failure(&[InvalidJson], 204), |_| {
            Fault::status(204)
        }),
        case("null", shape(), text("null")),
        case("a number", shape(), text("7")),
        case("an empty list", shape(), text("[]")),
        case("an empty object", shape(), text("{}")),
        case("lists nested 100,000 deep", invalid(), move |_| {
            Fault::respond_with(vec![b'['; 100_000])
        }),
        case("a field nested deep", either(), with_field(nested.into())),
        case("each field twice", Expected::success(), |body| {
            let inner = &body[1..body.len() - 1];
            Fault::respond_with(format!("{{{inner},{inner}}}"))
        }),
        case(
            "a field of invalid UTF-8",
            either(),
            with_field(b"\"x\":\"\xff\"".to_vec()),
        ),
        case(
            "an integer of 30 digits",
            Expected::success(),
            with_field(b"\"x\":123456789012345678901234567890".to_vec()),
        ),
        case(
            "a number beyond any float",
            either(),
            with_field(b"\"x\":1e999".to_vec()),
        ),
        case("a byte order mark", Expected::success(), |body| {
            Fault::respond_with(format!("\u{feff}{body}"))
        }),
        case("gzip that nobody accepts", Expected::success(), |body| {
            Fault::respond_with(body.to_owned()).gzip()
        }),
        case(
            "gzip that is not",
            Expected::failure(&[ConnectionLost], 200),
            |body| Fault::respond_with(body.to_owned()).header("content-encoding", "gzip"),
        ),
        case(
            "a gzip bomb",
            Expected::failure(&[TooLarge], 200),
            move |_| Fault::respond_with(vec![b' '; 2 * MAX_BYTES]).gzip(),
        ),
        case(
            "a body that is too large",
            Expected::failure(&[TooLarge], 200),
            move |_| Fault::respond_with(vec![b' '; 2 * MAX_BYTES]),
        ),
    ]
}

/// Responses that are late, never come, or are lost, in process.
pub(crate) fn timing() -> Vec<Case> {
    let second = std::time::Duration::from_secs(1);
    let lost = |status| Expected::failure(&[ConnectionLost], status);
    vec![
        case("late by 20 s", Expected::success(), move |_| {
            Fault::delay(20 * second)
        }),
        case(
            "late by an hour",
            Expected::failure(&[Timeout], None),
            move |_| Fault::delay(3600 * second),
        ),
        case(
            "a body of one byte in 10 s",
            Expected::failure(&[Timeout], 200),
            move |_| Fault::slow_body(10 * second),
        ),
        case(
            "no response",
            Expected::failure(&[Timeout], None),
            move |_| Fault::hang(),
        ),
        case("a body that is cut", lost(200), |_| Fault::truncated()),
    ]
}

/// Returns a fault of raw bytes: a head, and the real body after it.
fn raw(head: &'static str) -> impl Fn(&str) -> Fault {
    move |body| {
        let length = body.len();
        let head = head.replace("LENGTH", &length.to_string());
        let head = head.replace("HEXADECIMAL", &format!("{length:x}"));
        Fault::raw(format!("{}\r\n\r\n{body}", head.replace('|', "\r\n")))
    }
}

/// Faults of the connection, which need a socket.
pub(crate) fn wire() -> Vec<Case> {
    let lost = |status: Option<u16>| Expected::failure(&[ConnectionLost], status);
    let ok = Expected::success;
    vec![
        case("reset after the head of the request", lost(None), |_| {
            Fault::reset_before_reading()
        }),
        case("reset before the effect", lost(None), |_| {
            Fault::reset_before_handling()
        }),
        case("reset after the effect", lost(None), |_| {
            Fault::reset_after_handling()
        }),
        case("reset in the body", lost(Some(200)), |_| {
            Fault::reset_in_body()
        }),
        case("a body cut at byte 0", lost(Some(200)), |_| {
            Fault::truncated().at_byte(0)
        }),
        case("a body cut at byte 9", lost(Some(200)), |_| {
            Fault::truncated().at_byte(9)
        }),
        case("no byte at all", lost(None), |_| Fault::raw("")),
        case(
            "no HTTP",
            lost(None),
            raw("220 mail.example.com ESMTP|LENGTH"),
        ),
        case("a head that is cut", lost(None), |_| {
            Fault::raw("HTTP/1.1 200 OK\r\ncontent-le")
        }),
        case(
            "a `Content-Length` too large",
            lost(Some(200)),
            raw("HTTP/1.1 200 OK|content-length: 1LENGTH"),
        ),
        case(
            "a `Content-Length` too small",
            Expected::failure(&[InvalidJson], 200),
            raw("HTTP/1.1 200 OK|connection: close|content-length: 5"),
        ),
        case(
            "two lengths",
            lost(None),
            raw("HTTP/1.1 200 OK|content-length: 5|content-length: LENGTH"),
        ),
        case("no length", ok(), raw("HTTP/1.0 200 OK|connection: close")),
        case(
            "an invalid chunk",
            lost(Some(200)),
            raw("HTTP/1.1 200 OK|transfer-encoding: chunked||zz|LENGTH"),
        ),
        case("chunks without an end", lost(Some(200)), |body| {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            Fault::raw(format!("{head}{:x}\r\n{body}\r\n", body.len()))
        }),
        case(
            "100 and 103 before the response",
            ok(),
            raw(
                "HTTP/1.1 100 Continue||HTTP/1.1 103 Early Hints|link: <a>||HTTP/1.1 200 OK\
                 |connection: close|content-length: LENGTH",
            ),
        ),
        case("100 and nothing else", lost(None), |_| {
            Fault::raw("HTTP/1.1 100 Continue\r\n\r\n")
        }),
        case(
            "101 that nobody requested",
            Expected::failure(&[ConnectionLost], 101),
            raw("HTTP/1.1 101 Switching Protocols|upgrade: x|connection: upgrade"),
        ),
        case("a head of 1 MB", lost(None), |_| {
            let long = "x".repeat(1 << 20);
            Fault::raw(format!("HTTP/1.1 200 OK\r\nx: {long}\r\n\r\n"))
        }),
    ]
}

/// No request arrives, so that none is counted.
pub(crate) fn refused() -> Case {
    let mut expected = Expected::failure(&[ErrorKind::Connect], None);
    expected.hops = 0;
    case("connections are refused", expected, |_| Fault::hang())
}
