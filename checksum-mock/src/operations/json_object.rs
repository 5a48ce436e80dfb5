//! The fields of a JSON body, or of an object in it, with the types that the API's description
//! gives them. A field that is null has the wrong type, because no field of a request is nullable.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value};

use super::response::Rejection;

#[derive(Clone, Debug, Default)]
pub(crate) struct JsonObject {
    fields: Map<String, Value>,
    /// The path of the object, with a dot at its end, for messages.
    prefix: String,
}

impl JsonObject {
    /// Parses a body. An absent body has no fields.
    pub(crate) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Rejection> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let content_type = headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|text| text.split(';').next());
        if !media_type.is_some_and(|text| text.trim().eq_ignore_ascii_case("application/json")) {
            let message = "the body must be sent as application/json";
            return Err(Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self {
                fields,
                prefix: String::new(),
            }),
            Ok(_) => Err(Rejection::invalid_field("body", "must be an object")),
            Err(error) => {
                let message = format!("the body is not JSON: {error}");
                Err(Rejection::new(StatusCode::BAD_REQUEST, message))
            }
        }
    }

    /// Returns a field that must be there, read by another method.
    pub(crate) fn required<'a, T>(
        &'a self,
        name: &str,
        read: impl FnOnce(&'a Self, &str) -> Result<Option<T>, Rejection>,
    ) -> Result<T, Rejection> {
        read(self, name)?.ok_or_else(|| self.invalid(name, "is required"))
    }

    fn field<'a, T>(
        &'a self,
        name: &str,
        message: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Rejection> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(value) => match read(value) {
                None => Err(self.invalid(name, message)),
                read => Ok(read),
            },
        }
    }

    pub(crate) fn invalid(&self, name: &str, message: &str) -> Rejection {
        Rejection::invalid_field(&format!("{}{name}", self.prefix), message)
    }

    /// Returns a string, which may be empty.
    pub(crate) fn string(&self, name: &str) -> Result<Option<&str>, Rejection> {
        self.field(name, "must be a string", Value::as_str)
    }

    pub(crate) fn non_empty_string(&self, name: &str) -> Result<Option<&str>, Rejection> {
        self.field(name, "must be a string that is not empty", |value| {
            value.as_str().filter(|text| !text.is_empty())
        })
    }

    pub(crate) fn identifier(&self, name: &str) -> Result<Option<&str>, Rejection> {
        let message = "must be a string other than ``, `.` and `..`, without backslashes and \
            control characters";
        self.field(name, message, identifier)
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Rejection> {
        self.field(name, "must be true or false", Value::as_bool)
    }

    pub(crate) fn pr_number(&self, name: &str) -> Result<Option<u64>, Rejection> {
        let read = |value: &Value| value.as_u64().filter(|number| *number > 0);
        self.field(name, "must be an integer of 1 or more", read)
    }

    pub(crate) fn integer_in(
        &self,
        name: &str,
        limits: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Rejection> {
        let (start, end) = (limits.start(), limits.end());
        let message = format!("must be an integer from {start} to {end}");
        let read = |value: &Value| value.as_u64().filter(|number| limits.contains(number));
        self.field(name, &message, read)
    }

    /// Returns a number of seconds, which may have a fraction.
    pub(crate) fn seconds(&self, name: &str) -> Result<Option<Duration>, Rejection> {
        self.field(name, "must be a number of seconds of 0 or more", |value| {
            Duration::try_from_secs_f64(value.as_f64()?).ok()
        })
    }

    /// Returns a number from 0 to 1.
    pub(crate) fn share(&self, name: &str) -> Result<Option<f64>, Rejection> {
        let read = |value: &Value| value.as_f64().filter(|share| (0.0..=1.0).contains(share));
        self.field(name, "must be a number from 0 to 1", read)
    }

    /// Returns an object with any fields.
    pub(crate) fn any_object(&self, name: &str) -> Result<Option<Value>, Rejection> {
        let read = |value: &Value| value.is_object().then(|| value.clone());
        self.field(name, "must be an object", read)
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, Rejection> {
        let fields = self.field(name, "must be an object", Value::as_object)?;
        Ok(fields.map(|fields| Self {
            fields: fields.clone(),
            prefix: format!("{}{name}.", self.prefix),
        }))
    }

    /// Returns the fields of an object whose every field is a string.
    pub(crate) fn string_fields(&self, name: &str) -> Result<Vec<(String, String)>, Rejection> {
        let object = self.object(name)?.unwrap_or_default();
        let mut strings = Vec::new();
        for field in object.fields.keys() {
            let value = object.string(field)?.unwrap_or_default();
            strings.push((field.clone(), value.to_owned()));
        }
        Ok(strings)
    }

    /// Rejects any other field than these.
    pub(crate) fn check_names(&self, known: &[&str]) -> Result<(), Rejection> {
        match self.fields.keys().find(|name| !known.contains(&&***name)) {
            None => Ok(()),
            Some(name) => Err(self.invalid(name, &format!("is not one of {}", known.join(", ")))),
        }
    }

    /// Returns a list of identifiers, which may be empty.
    pub(crate) fn identifiers(&self, name: &str) -> Result<Option<Vec<&str>>, Rejection> {
        self.field(name, "must be a list of ids", |value| {
            value.as_array()?.iter().map(identifier).collect()
        })
    }

    /// Returns a list of at most `max` strings.
    pub(crate) fn strings(&self, name: &str, max: usize) -> Result<Option<Vec<&str>>, Rejection> {
        let message = format!("must be a list of at most {max} strings");
        self.field(name, &message, |value| {
            let list = value.as_array().filter(|list| list.len() <= max)?;
            list.iter().map(Value::as_str).collect()
        })
    }

    /// Checks the options of healing, which stand in the body or in an `autoHeal` block. Returns
    /// the repository in which pull requests are opened, if they are.
    pub(crate) fn healing(&self) -> Result<Option<String>, Rejection> {
        let opens = self.boolean("autoCreatePR")?.unwrap_or(true);
        let number = self.pr_number("prNumber")?;
        self.string("branch")?;
        self.object("metadata")?;
        let repository = self.identifier("repoName")?;
        if repository.is_none() && (opens || number.is_some()) {
            let message = "is required when autoCreatePR is true or prNumber is given";
            return Err(self.invalid("repoName", message));
        }
        Ok(repository.filter(|_| opens).map(str::to_owned))
    }
}

/// Returns a string that fits the pattern that the document gives for identifiers.
fn identifier(value: &Value) -> Option<&str> {
    let is_valid = |text: &str| {
        !matches!(text, "" | "." | "..") && !text.contains(|c: char| c == '\\' || c.is_control())
    };
    value.as_str().filter(|text| is_valid(text))
}
