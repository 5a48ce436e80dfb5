//! Parsers of single values.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::time::Duration;

use checksum_api_ext::{PrNumber, RepoName};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};

/// What precedes a value that the document does not list.
const OTHER: &str = "other:";

/// A parser of a value that the document lists, in any case, or of `other:VALUE`.
#[derive(Clone)]
pub(super) struct Known<T> {
    names: Vec<&'static str>,
    value: PhantomData<T>,
}

/// Returns a parser of these values, and of any other after `other:`.
pub(super) fn known<T: 'static>(
    values: impl IntoIterator<Item = &'static T>,
    name: fn(&'static T) -> &'static str,
) -> Known<T> {
    Known {
        names: values.into_iter().map(name).collect(),
        value: PhantomData,
    }
}

impl<T> TypedValueParser for Known<T>
where
    T: for<'a> From<&'a str> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let other = value.to_str().and_then(|text| text.strip_prefix(OTHER));
        if let Some(other) = other.filter(|other| !other.trim().is_empty()) {
            return Ok(other.into());
        }
        let names = self.names.iter();
        let mut named = names.filter(|name| value.eq_ignore_ascii_case(name));
        let value = named.next().map_or(value, OsStr::new);
        let known = PossibleValuesParser::new(&self.names);
        match known.parse_ref(command, argument, value) {
            Ok(name) => Ok(name.as_str().into()),
            Err(mut error) => {
                let tip = "write `other:VALUE` for a value that is not listed";
                let tips = vec![tip.into()];
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
                Err(error)
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().map(PossibleValue::new)))
    }
}

/// Parses `OWNER/REPO`, which generation requires.
pub(super) fn with_owner(text: &str) -> Result<RepoName, String> {
    let repo = text
        .parse::<RepoName>()
        .map_err(|error| error.to_string())?;
    if repo.has_owner() {
        Ok(repo)
    } else {
        Err("generation needs the repository as OWNER/REPO".to_owned())
    }
}

/// Parses the number of a pull request.
pub(super) fn pr_number(text: &str) -> Result<PrNumber, &'static str> {
    let number = text.parse().ok().map(PrNumber::new);
    number
        .and_then(Result::ok)
        .ok_or("a pull request's number is 1 or more")
}

/// Returns a parser of a whole number in a range.
pub(super) fn number<N: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<N, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number
            .and_then(|number| number.try_into().ok())
            .ok_or_else(|| match *range.end() {
                u64::MAX => format!("give a whole number of {} or more", range.start()),
                end => format!("give a whole number from {} to {end}", range.start()),
            })
    }
}

/// Parses a duration.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "give a number and a unit, such as 30m or 90s")
}

/// Parses the name of a branch. It is empty if a script's variable is not set.
pub(super) fn branch(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("the branch is empty; leave the option out, or name one");
    }
    Ok(text.to_owned())
}

/// Parses the path of a file. It is empty if a script's variable is not set.
pub(super) fn path(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("the path is empty");
    }
    Ok(text.to_owned())
}
