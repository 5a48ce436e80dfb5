use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value};

use crate::answer::Refusal;

/// One request to an operation, as its handler sees it.
pub(crate) struct Call {
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Members,
    /// Where this server is, for the addresses in answers.
    pub(crate) origin: String,
    pub(crate) now: Duration,
}

impl Call {
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// The value of a query parameter that may be given once. An empty one filters nothing.
    pub(crate) fn query(&self, name: &str) -> Result<Option<&str>, Refusal> {
        Ok(self.query_once(name)?.filter(|value| !value.is_empty()))
    }

    /// A query parameter that is a whole number of 64 bits.
    pub(crate) fn query_number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let Some(text) = self.query_once(name)? else {
            return Ok(None);
        };
        // A sign is no digit, and Rust's parser takes one.
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::member(name, "must be an integer of 0 or more"));
        }
        let number: u64 = text
            .parse()
            .map_err(|_| Refusal::member(name, "must be an integer of 64 bits"))?;
        Ok(Some(usize::try_from(number).unwrap_or(usize::MAX)))
    }

    fn query_once(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.query.iter().filter(|(key, _)| key == name);
        let value = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Refusal::member(name, "must be given no more than once")),
        }
    }

    /// The values of a query parameter that may be repeated, but for empty ones.
    pub(crate) fn query_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

/// The members of a JSON body, or of an object within it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    members: Map<String, Value>,
    /// What stands before a member's name in messages.
    prefix: String,
}

impl Members {
    /// Reads a body. One that is absent has no members.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let media_type = content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/json") {
            let message = "the body must be sent as application/json";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self {
                members,
                prefix: String::new(),
            }),
            Ok(_) => Err(Refusal::member("body", "must be an object")),
            Err(error) => {
                let message = format!("the body is not JSON: {error}");
                Err(Refusal::new(StatusCode::BAD_REQUEST, message))
            }
        }
    }

    /// A member that is there. One that is null is there too, and of a wrong type: no member of a
    /// request is nullable in the document.
    fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn wrong(&self, name: &str, message: &str) -> Refusal {
        Refusal::member(&self.path(name), message)
    }

    /// A string, which may be empty.
    pub(crate) fn string(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "must be a string")),
        }
    }

    pub(crate) fn needed_string(&self, name: &str) -> Result<&str, Refusal> {
        self.string(name)?
            .ok_or_else(|| self.wrong(name, "is required"))
    }

    /// A string that can name something.
    pub(crate) fn identifier(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.string(name)? {
            Some(text) if !is_identifier(text) => Err(self.wrong(name, NO_IDENTIFIER)),
            text => Ok(text),
        }
    }

    pub(crate) fn needed_identifier(&self, name: &str) -> Result<&str, Refusal> {
        self.identifier(name)?
            .ok_or_else(|| self.wrong(name, "is required"))
    }

    /// What selects tests by their names.
    pub(crate) fn needed_pattern(&self, name: &str) -> Result<&str, Refusal> {
        match self.needed_string(name)? {
            "" => Err(self.wrong(name, "must not be empty")),
            pattern => Ok(pattern),
        }
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.wrong(name, "must be true or false")),
        }
    }

    /// A pull request's number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) if number > 0 => Ok(Some(number)),
                _ => Err(self.wrong(name, "must be an integer of 1 or more")),
            },
        }
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self {
                members: members.clone(),
                prefix: format!("{}.", self.path(name)),
            })),
            Some(_) => Err(self.wrong(name, "must be an object")),
        }
    }

    /// An object whose every member is a string.
    pub(crate) fn strings_by_name(&self, name: &str) -> Result<(), Refusal> {
        let Some(object) = self.object(name)? else {
            return Ok(());
        };
        match object.members.iter().find(|(_, value)| !value.is_string()) {
            None => Ok(()),
            Some((inner, _)) => Err(object.wrong(inner, "must be a string")),
        }
    }

    /// An integer within limits.
    pub(crate) fn number_within(
        &self,
        name: &str,
        limits: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value.as_u64().filter(|number| limits.contains(number));
        let message = || {
            format!(
                "must be an integer from {} to {}",
                limits.start(),
                limits.end()
            )
        };
        number.map(Some).ok_or_else(|| self.wrong(name, &message()))
    }

    /// A list of identifiers, which may be empty.
    pub(crate) fn identifiers(&self, name: &str) -> Result<Option<Vec<&str>>, Refusal> {
        let texts = self.texts(name, "must be a list of ids")?;
        match texts
            .as_deref()
            .unwrap_or_default()
            .iter()
            .find(|text| !is_identifier(text))
        {
            Some(_) => Err(self.wrong(name, "must be a list of ids")),
            None => Ok(texts),
        }
    }

    /// A list of at least one identifier.
    pub(crate) fn needed_identifiers(&self, name: &str) -> Result<Vec<&str>, Refusal> {
        let list = self
            .identifiers(name)?
            .ok_or_else(|| self.wrong(name, "is required"))?;
        match list.is_empty() {
            true => Err(self.wrong(name, "must not be empty")),
            false => Ok(list),
        }
    }

    /// A list of strings of any kind, no more of them than `max`.
    pub(crate) fn needed_strings(&self, name: &str, max: usize) -> Result<Vec<&str>, Refusal> {
        let list = self
            .texts(name, "must be a list of strings")?
            .ok_or_else(|| self.wrong(name, "is required"))?;
        if list.len() > max {
            return Err(self.wrong(name, &format!("must have no more than {max} items")));
        }
        Ok(list)
    }

    fn texts(&self, name: &str, message: &str) -> Result<Option<Vec<&str>>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let texts = value
            .as_array()
            .and_then(|list| list.iter().map(Value::as_str).collect());
        texts.map(Some).ok_or_else(|| self.wrong(name, message))
    }

    /// The members that healing is asked for with, alone or in an `autoHeal` block. Gives the
    /// repository that pull requests are opened in, where they are.
    pub(crate) fn healing(&self) -> Result<Option<String>, Refusal> {
        let creates = self.boolean("autoCreatePR")?.unwrap_or(true);
        let number = self.number("prNumber")?;
        self.string("branch")?;
        self.object("metadata")?;
        let repository = self.identifier("repoName")?;
        if repository.is_none() && (creates || number.is_some()) {
            let message = "is required when autoCreatePR is true or prNumber is given";
            return Err(self.wrong("repoName", message));
        }
        Ok(repository.filter(|_| creates).map(str::to_owned))
    }
}

const NO_IDENTIFIER: &str =
    "must not be empty, `.` or `..`, and have neither backslashes nor control characters";

/// Whether the text fits the pattern that the document gives for identifiers.
fn is_identifier(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(|c: char| c == '\\' || c.is_control())
}
