use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::redaction::{TEXT, redact};
use crate::{Document, Drift, DriftKind, Operation, compare};

const FORMAT: &str = "checksum-contract-recording";
const VERSION: u64 = 1;

/// Media types that are recorded by name; any other is `other`.
const MEDIA_TYPES: [&str; 7] = [
    "application/json",
    "application/octet-stream",
    "application/problem+json",
    "application/xml",
    "text/html",
    "text/plain",
    "text/xml",
];

/// Answers of the service without what is private in them, to be compared again later.
///
/// # What it holds
///
/// For each answer the operation's id, the status, the media type and, of a success in JSON, the
/// shape of the body:
///
/// - names of members that the document has, and of others where they look like names; other names,
///   and all names in free-form objects, are `(key 1)`, `(key 2)`, …;
/// - texts are `"string"`, empty ones stay empty; integers are 0, negative ones -1, other numbers
///   0.5; booleans are false; null is null;
/// - values of open enumerations stay where the document lists them or where they look like a word,
///   others are `"(not shown)"`;
/// - of lists, and of members without a name, three elements of distinct shapes, and those beyond
///   that deviate from the document in yet another way, 32 altogether.
///
/// No key, header, id, URL, title or error text is in it.
///
/// # As a file
///
/// JSON: `{"format": "checksum-contract-recording", "version": 1, "exchanges": […]}`, each exchange
/// `{"operation": …, "status": …, "contentType": …, "body": …}` with a body of `{"json": …}`,
/// `"not-json"` or `"withheld"`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    exchanges: Vec<Exchange>,
}

/// One answer in a [`Recording`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Exchange {
    /// The operationId.
    pub operation: String,
    /// The HTTP status.
    pub status: u16,
    /// The media type, without parameters; `other` for one that is out of the ordinary.
    #[serde(default)]
    pub content_type: Option<String>,
    /// What is kept of the body.
    pub body: Body,
}

/// What is kept of a body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Body {
    /// The shape of a success's JSON.
    Json(Value),
    /// A success that was not JSON.
    NotJson,
    /// The body of an answer that is no success: error texts are not kept.
    Withheld,
}

/// Why a file is no recording that this version can compare.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// It could not be read.
    #[error("cannot read the recording: {0}")]
    Unreadable(#[from] io::Error),
    /// It is not JSON, or not in the recording's form.
    #[error("this is no recording: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is JSON of another kind.
    #[error("this is no recording: its format is not `{FORMAT}`")]
    OtherFormat,
    /// It was written by a version of this crate that writes another form.
    #[error("the recording is of version {found}, and this program reads version {VERSION}")]
    OtherVersion {
        /// The version that it names; 0 where it names none.
        found: u64,
    },
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: String,
    version: u64,
    exchanges: Vec<Exchange>,
}

impl Exchange {
    /// What is kept of an answer. `body` is `None` where it was not JSON.
    pub fn new(
        document: &Document,
        operation: &Operation,
        status: u16,
        content_type: Option<&str>,
        body: Option<&Value>,
    ) -> Self {
        Self {
            operation: operation.id().to_owned(),
            status,
            content_type: content_type.map(media_type),
            body: match body {
                _ if !is_success(status) => Body::Withheld,
                None => Body::NotJson,
                Some(body) => Body::Json(redact(document, operation, body)),
            },
        }
    }
}

impl Recording {
    /// Adds an answer.
    pub fn push(&mut self, exchange: Exchange) {
        self.exchanges.push(exchange);
    }

    /// The answers, in the order in which they came.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// Writes it, with a line for each member.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn save(&self, mut writer: impl io::Write) -> io::Result<()> {
        let written = Written {
            format: FORMAT.to_owned(),
            version: VERSION,
            exchanges: self.exchanges.clone(),
        };
        serde_json::to_writer_pretty(&mut writer, &written)?;
        writeln!(writer)?;
        writer.flush()
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// It cannot be read, is no recording, or is one of a version that this crate does not know.
    pub fn load(mut reader: impl io::Read) -> Result<Self, RecordingError> {
        let mut text = String::new();
        reader.read_to_string(&mut text)?;
        let value: Value = serde_json::from_str(&text)?;
        if value["format"] != FORMAT {
            return Err(RecordingError::OtherFormat);
        }
        match value["version"].as_u64() {
            Some(VERSION) => {}
            found => {
                let found = found.unwrap_or_default();
                return Err(RecordingError::OtherVersion { found });
            }
        }
        let written: Written = serde_json::from_value(value)?;
        Ok(Self {
            exchanges: written.exchanges,
        })
    }

    /// Compares the recorded answers with a document, as [`compare`] does with whole ones. Counts
    /// are those of the recording, which keeps a few elements of each list.
    pub fn replay(&self, document: &Document) -> Vec<Drift> {
        let exchanges = self.exchanges.iter();
        exchanges
            .flat_map(|exchange| exchange.replay(document))
            .collect()
    }
}

impl Exchange {
    fn replay(&self, document: &Document) -> Vec<Drift> {
        let Some(operation) = document.operation(&self.operation) else {
            return vec![Drift::unknown_operation(&self.operation)];
        };
        match &self.body {
            _ if !is_success(self.status) => Vec::new(),
            Body::Withheld => Vec::new(),
            Body::NotJson => vec![Drift::not_json(operation)],
            Body::Json(body) => {
                let mut drifts = compare(document, operation, body);
                // Where the document has got an enumeration since, the value was not kept.
                drifts.retain(|drift| match &drift.kind {
                    DriftKind::NewValue { value } => value.as_deref() != Some(TEXT),
                    _ => true,
                });
                drifts
            }
        }
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// A media type by name: a header may hold anything.
fn media_type(header: &str) -> String {
    let essence = header.split(';').next().unwrap_or_default().trim();
    let known = MEDIA_TYPES
        .iter()
        .find(|known| known.eq_ignore_ascii_case(essence));
    known.map_or("other", |known| known).to_owned()
}
