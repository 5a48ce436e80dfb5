//! Decodes a large response that is mostly one list, such as the results of a run, while it arrives, so
//! that the memory holds neither the body nor the JSON of more than a few elements.

use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Deserializer, Value};

use super::lenient::{DecodeError, Dropped, decode, decode_value, warn_about};
use super::{Arriving, BYTE_ORDER_MARK, Decoder};
use crate::response::MAX_ERROR_BYTES;

/// A response that is mostly one list.
pub(crate) trait Listing: DeserializeOwned {
    /// The name of the list in JSON.
    const LIST: &'static str;
    type Element: DeserializeOwned + Send;

    fn elements(&mut self) -> &mut Vec<Self::Element>;
}

/// Decodes the elements of the list one by one. Bodies of up to 64 KiB are decoded as a whole.
pub(crate) struct ListDecoder<T: Listing> {
    /// Whether the body is decoded while it arrives. Otherwise it is kept.
    while_arriving: bool,
    next: Next,
    /// The end of what has arrived, if it is a part of a value.
    rest: Vec<u8>,
    /// The length of `rest` at which it is decoded again: twice the last one, not after each part.
    try_at: usize,
    /// The response without the elements.
    outline: Value,
    elements: Vec<T::Element>,
    dropped: Dropped,
    /// How many lines, and how many bytes of the last one, have been decoded.
    line: usize,
    column: usize,
    failure: Option<DecodeError>,
}

/// What comes next in the body.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Body,
    Field { is_first: bool },
    EndOfField,
    Element { is_first: bool },
    EndOfElement,
    Nothing,
}

impl<T: Listing> ListDecoder<T> {
    pub(crate) fn new(while_arriving: bool) -> Self {
        Self {
            while_arriving,
            next: Next::Body,
            rest: Vec::new(),
            try_at: 0,
            outline: Value::Object(serde_json::Map::new()),
            elements: Vec::new(),
            dropped: Dropped::new(),
            line: 0,
            column: 0,
            failure: None,
        }
    }

    /// Decodes what is complete in `input`, and returns the length of that.
    fn advance(&mut self, input: &[u8]) -> usize {
        let mut at = 0;
        let failure = self.try_advance(input, &mut at).err();
        self.pass(&input[..at]);
        self.failure = failure.map(|error| self.at_place(error));
        at
    }

    /// Counts the lines of what has been decoded.
    fn pass(&mut self, decoded: &[u8]) {
        self.column += decoded.len();
        // Minified JSON is one line.
        if decoded.contains(&b'\n') {
            for line in decoded.split(|byte| *byte == b'\n').skip(1) {
                self.line += 1;
                self.column = line.len();
            }
        }
    }

    fn try_advance(&mut self, input: &[u8], at: &mut usize) -> Result<(), DecodeError> {
        loop {
            let rest = after_blanks(&input[*at..]);
            *at = input.len() - rest.len();
            let Some(first) = rest.first() else {
                return Ok(());
            };
            let step = match (self.next, first) {
                (Next::Body, b'{') => Some((1, Next::Field { is_first: true })),
                (Next::Body, 0xef) if rest.starts_with(BYTE_ORDER_MARK) => {
                    Some((BYTE_ORDER_MARK.len(), Next::Body))
                }
                // Not an object. It is decoded as a whole when all of it has arrived.
                (Next::Body, _) => None,
                (Next::Field { .. }, b'"') => self.field(input, at)?,
                (Next::Field { is_first: true } | Next::EndOfField, b'}') => {
                    Some((1, Next::Nothing))
                }
                (Next::EndOfField, b',') => Some((1, Next::Field { is_first: false })),
                (Next::Element { is_first: true } | Next::EndOfElement, b']') => {
                    Some((1, Next::EndOfField))
                }
                (Next::Element { .. }, _) => self.element(rest)?,
                (Next::EndOfElement, b',') => Some((1, Next::Element { is_first: false })),
                (Next::Field { .. }, _) => return Err(syntax_error("key must be a string")),
                (Next::EndOfField, _) => return Err(syntax_error("expected `,` or `}`")),
                (Next::EndOfElement, _) => return Err(syntax_error("expected `,` or `]`")),
                (Next::Nothing, _) => return Err(syntax_error("trailing characters")),
            };
            let Some((length, next)) = step else {
                return Ok(());
            };
            *at += length;
            self.next = next;
        }
    }

    /// Decodes the field at `at`, or the beginning of the list.
    fn field(
        &mut self,
        input: &[u8],
        at: &mut usize,
    ) -> Result<Option<(usize, Next)>, DecodeError> {
        let field = &input[*at..];
        let Some((name, length)) = value::<String>(field)? else {
            return Ok(None);
        };
        let after_name = after_blanks(&field[length..]);
        let Some((colon, rest)) = after_name.split_first() else {
            return Ok(None);
        };
        let after_colon = after_blanks(rest);
        let length = field.len() - after_colon.len();
        if *colon != b':' {
            *at += field.len() - after_name.len();
            return Err(syntax_error("expected `:`"));
        }
        if name == T::LIST && after_colon.starts_with(b"[") {
            // The last one counts, if there are several and each can be decoded.
            self.elements.clear();
            self.outline[name] = Value::Array(Vec::new());
            return Ok(Some((length + 1, Next::Element { is_first: true })));
        }
        let found = value(after_colon).inspect_err(|_| *at += length)?;
        Ok(found.map(|(value, of_value)| {
            self.outline[name] = value;
            (length + of_value, Next::EndOfField)
        }))
    }

    fn element(&mut self, input: &[u8]) -> Result<Option<(usize, Next)>, DecodeError> {
        let decoded = match value(input) {
            Ok(decoded) => decoded,
            Err(_) => self.lenient_element(input)?,
        };
        let Some((element, length)) = decoded else {
            return Ok(None);
        };
        if self.elements.len() == self.elements.capacity() {
            // Doubling could leave half of the memory unused.
            self.elements.reserve_exact(self.elements.len() / 2 + 64);
        }
        self.elements.push(element);
        Ok(Some((length, Next::EndOfElement)))
    }

    fn lenient_element(
        &mut self,
        input: &[u8],
    ) -> Result<Option<(T::Element, usize)>, DecodeError> {
        let Some((json, length)) = value(input)? else {
            return Ok(None);
        };
        match decode_value(&json, &mut self.dropped) {
            Ok(element) => Ok(Some((element, length))),
            Err(error) => Err(error.within(format!("{}[{}]", T::LIST, self.elements.len()))),
        }
    }

    /// Returns a syntax error with its place in the whole body.
    fn at_place(&self, error: DecodeError) -> DecodeError {
        let DecodeError::InvalidJson(error) = error else {
            return error;
        };
        let (line, column) = match error.line() {
            0 => (self.line + 1, self.column + 1),
            1 => (self.line + 1, self.column + error.column()),
            line => (self.line + line, error.column()),
        };
        let text = error.to_string();
        let (text, _) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
        syntax_error(format!("{text} at line {line} column {column}"))
    }
}

fn after_blanks(input: &[u8]) -> &[u8] {
    let blanks = input.iter().take_while(|byte| b" \n\t\r".contains(byte));
    &input[blanks.count()..]
}

impl<T: Listing> Arriving for ListDecoder<T> {
    fn feed(&mut self, part: &[u8]) {
        if self.failure.is_some() {
            return;
        }
        if self.rest.is_empty() {
            let decoded = self.advance(part);
            self.rest.extend_from_slice(&part[decoded..]);
        } else {
            self.rest.extend_from_slice(part);
            if self.rest.len() < self.try_at {
                return;
            }
            let mut rest = std::mem::take(&mut self.rest);
            let decoded = self.advance(&rest);
            rest.drain(..decoded);
            self.rest = rest;
        }
        self.try_at = 2 * self.rest.len();
    }
}

impl<T: Listing> Decoder<T> for ListDecoder<T> {
    fn arriving(&mut self) -> Option<&mut dyn Arriving> {
        self.while_arriving.then_some(self as _)
    }

    fn finish(mut self, body: &[u8]) -> Result<T, DecodeError> {
        if self.next == Next::Body && self.rest.is_empty() {
            if body.len() <= MAX_ERROR_BYTES {
                return decode(body);
            }
            self.feed(body);
        }
        self.try_at = 0;
        self.feed(&[]);
        let rest = std::mem::take(&mut self.rest);
        match (self.failure.take(), self.next) {
            (Some(failure), _) => return Err(failure),
            (None, Next::Nothing) => {}
            (None, Next::Body) => return decode(&rest).map_err(|error| self.at_place(error)),
            (None, _) => {
                self.pass(&rest);
                let error = "EOF while parsing a value at line 1 column 0";
                return Err(self.at_place(syntax_error(error)));
            }
        }
        let mut decoded: T = decode_value(&self.outline, &mut self.dropped)?;
        self.elements.shrink_to_fit();
        *decoded.elements() = self.elements;
        warn_about(self.dropped);
        Ok(decoded)
    }
}

/// Decodes the value at the beginning of `input`, and returns it with its length; `None` if it is not
/// complete.
fn value<V: DeserializeOwned>(input: &[u8]) -> serde_json::Result<Option<(V, usize)>> {
    let mut values = Deserializer::from_slice(input).into_iter();
    match values.next() {
        None => Ok(None),
        Some(Err(error)) if error.is_eof() => Ok(None),
        Some(Err(error)) => Err(error),
        Some(Ok(value)) => {
            let length = values.byte_offset();
            // A number may go on.
            Ok((length < input.len()).then_some((value, length)))
        }
    }
}

fn syntax_error(text: impl std::fmt::Display) -> DecodeError {
    DecodeError::InvalidJson(serde_json::Error::custom(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::TestRunResults;

    /// Decodes a body that arrives in parts of this many bytes.
    fn in_parts(body: &[u8], length: usize) -> Result<TestRunResults, String> {
        let mut decoder = ListDecoder::<TestRunResults>::new(true);
        body.chunks(length).for_each(|part| decoder.feed(part));
        decoder.finish(&[]).map_err(text)
    }

    fn text(error: DecodeError) -> String {
        match error {
            DecodeError::Shape { path, reason } => format!("{path}: {reason}"),
            DecodeError::InvalidJson(error) => error.to_string(),
        }
    }

    fn tests() -> Value {
        json!([
            { "checksumTestId": "a", "status": "passed", "tags": ["smoke", "\u{1f9ea}\"]}"] },
            { "checksumTestId": "b", "status": "new", "tags": [1, 2, "x"], "more": [{ "a": 1.5 }] },
            { "checksumTestId": "c", "status": "failed", "errorMessage": "\n", "testTitle": 7 },
        ])
    }

    fn results() -> Value {
        json!({ "id": "run", "status": "failed", "tests": tests(), "passed": "3", "x": { "tests": [1] } })
    }

    #[test]
    fn a_body_in_any_parts_decodes_as_a_whole_one() {
        let pretty = serde_json::to_string_pretty(&results()).expect("JSON");
        let minified = results().to_string();
        for body in [
            format!("\u{feff}{pretty}\r\n"),
            minified.replace(':', " :\t"),
            minified.replacen(
                "\"x\":{",
                &format!("\"tests\":[{}],\"x\":{{", tests()[0]),
                1,
            ),
            minified,
            json!({ "id": "run", "status": "passed", "tests": [] }).to_string(),
        ] {
            let plain = body.trim_start_matches('\u{feff}');
            let whole = decode::<TestRunResults>(plain.as_bytes()).map_err(text);
            assert!(whole.is_ok(), "{body}: {whole:?}");
            for length in 1..=body.len() {
                let parts = in_parts(body.as_bytes(), length);
                assert_eq!(parts, whole, "{length}: {body}");
            }
        }
    }

    #[test]
    fn an_error_has_the_place_that_it_has_in_a_whole_body() {
        let pretty = serde_json::to_string_pretty(&results()).expect("JSON");
        let wrong = |from: &str, to: &str| {
            assert!(pretty.contains(from), "{from}");
            pretty.replacen(from, to, 1)
        };
        let mut bodies = vec![
            wrong("\"new\"", "7"),
            wrong("\"checksumTestId\": \"c\",", ""),
            wrong("\"id\": \"run\"", "\"id\": \"..\""),
            wrong("\"tests\": [\n", "\"tests\": [ 7,\n"),
            wrong("\"tests\"", "\"others\""),
            wrong("\"smoke\"", "\"\u{1}\""),
            wrong("\"smoke\"", "smoke"),
            wrong("\"new\",", "\"new\";"),
            wrong("1.5", "1e999"),
            wrong("\"3\"", "3x"),
            wrong("\"passed\": \"3\"", "\"passed\"; \"3\""),
            wrong("\"3\",", "\"3\";"),
            wrong("\"3\",", "\"3\",}"),
            format!("{pretty}]"),
            "[1, 2]".to_owned(),
            "<html>".to_owned(),
            "7".to_owned(),
            String::new(),
            json!({ "id": "a", "status": "b", "tests": null }).to_string(),
            json!({ "id": "a", "status": "b", "tests": { "a": [] } }).to_string(),
        ];
        bodies.extend((1..pretty.len()).map(|end| {
            let end = (end..).find(|end| pretty.is_char_boundary(*end));
            pretty[..end.expect("the end")].to_owned()
        }));
        for body in bodies {
            let whole = decode::<TestRunResults>(body.as_bytes()).map_err(text);
            let whole = whole.expect_err(&body);
            for length in [1, 7, body.len().max(1)] {
                let parts = in_parts(body.as_bytes(), length).expect_err(&body);
                assert_eq!(place(&parts), place(&whole), "{length}: {body}");
            }
        }
    }

    /// Returns the place of a syntax error: what was expected there may be said in another way.
    fn place(error: &str) -> &str {
        error
            .split_once(" at line ")
            .map_or(error, |(_, place)| place)
    }

    /// A decoder that begins again after each part would take hours.
    #[test]
    fn an_element_in_many_parts_is_decoded_a_few_times() {
        let title = "x".repeat(4_000_000);
        let test = json!({ "checksumTestId": "a", "status": "passed", "testTitle": title });
        let body = json!({ "id": "run", "status": "passed", "tests": [test] }).to_string();
        let results = in_parts(body.as_bytes(), 16).expect("results");
        assert_eq!(results.tests[0].test_title.as_deref(), Some(&*title));
    }
}
