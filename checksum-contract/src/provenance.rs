use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// How well a part of the document is known: its `x-provenance`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// The service's description spells it out.
    #[default]
    Documented,
    /// The description names it and does not give its shape.
    Mentioned,
    /// The description is silent, but answers of the live service carry it.
    Observed,
}

impl Provenance {
    /// What a part of the document says of itself, if anything. An unknown word is an error.
    pub(crate) fn of(part: &Value) -> Result<Option<Self>, String> {
        match part.get("x-provenance") {
            None => Ok(None),
            Some(word) => match word.as_str() {
                Some("documented") => Ok(Some(Self::Documented)),
                Some("mentioned") => Ok(Some(Self::Mentioned)),
                Some("observed") => Ok(Some(Self::Observed)),
                _ => Err("x-provenance is documented, mentioned or observed".to_owned()),
            },
        }
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Documented => "documented",
            Self::Mentioned => "mentioned",
            Self::Observed => "observed",
        })
    }
}
