//! Points in time as handles and intents store them: RFC 3339, in UTC, to the millisecond.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Returns the current time, rounded down to what is stored.
pub(crate) fn now() -> SystemTime {
    rounded(SystemTime::now())
}

/// Rounds down to the millisecond, so that a handle of another program, whose time may be more exact,
/// stays equal when it is stored.
fn rounded(time: SystemTime) -> SystemTime {
    let since_epoch = time.duration_since(UNIX_EPOCH);
    let milliseconds = since_epoch.unwrap_or_default().as_millis();
    UNIX_EPOCH + Duration::from_millis(milliseconds.try_into().unwrap_or(0))
}

pub(crate) fn text(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

pub(crate) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    text(*time).serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(from)?;
    let time = humantime::parse_rfc3339(&text);
    time.map(rounded).map_err(serde::de::Error::custom)
}

/// The same for a time that may be absent. One that cannot be read counts as absent, because the
/// rest of the handle is still useful.
pub(crate) mod option {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<SystemTime>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(text).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<SystemTime>, D::Error> {
        let value = Option::<serde_json::Value>::deserialize(from)?;
        let text = value.as_ref().and_then(serde_json::Value::as_str);
        let time = text.and_then(|text| humantime::parse_rfc3339_weak(text).ok());
        Ok(time.map(rounded))
    }
}
