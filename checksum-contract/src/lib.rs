//! Compares real answers of the Checksum API with its OpenAPI document.
//!
//! The document is written by hand from a loose description of a service that changes without
//! notice. This crate tells where an answer is not as the document says, so that the document can
//! follow: unknown members, missing ones, other types, new values of open enumerations.
//!
//! ```
//! use checksum_contract::{Document, compare};
//! use serde_json::json;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let yaml = r##"
//! # paths:
//! #   /v1/me:
//! #     get:
//! #       operationId: get_project
//! #       responses:
//! #         '2XX':
//! #           content:
//! #             application/json:
//! #               schema:
//! #                 type: object
//! #                 required: [id, name]
//! #                 properties:
//! #                   id: { type: string }
//! #                   name: { type: string }
//! # "##;
//! let document = Document::parse(yaml)?;
//! let operation = document.operation("get_project").ok_or("no such operation")?;
//!
//! let drifts = compare(&document, operation, &json!({ "id": 1, "name": "x", "plan": "free" }));
//! let lines: Vec<String> = drifts.iter().map(ToString::to_string).collect();
//! assert_eq!(lines, [
//!     "$.id: integer where the document has string (documented)",
//!     "$.plan: a member that the document does not have (documented)",
//! ]);
//! # Ok(())
//! # }
//! ```
//!
//! # How strict it is
//!
//! `x-provenance` of the document says how well each part is known. A deviation from a part that is
//! [`Documented`](Provenance::Documented) is a drift ([`Drift::is_failure`]); from any other part it
//! is a note. A part without a word of its own has that of what encloses it. Where the document has
//! no shape at all and an example, answers are compared with the example's shape, which can give
//! notes only.
//!
//! # What it shows
//!
//! Answers hold what belongs to a customer: titles, addresses, error texts, ids. A [`Drift`] and a
//! [`Recording`] never hold a value of an answer, but for the values of open enumerations, and these
//! only where they look like a word of an enumeration: at most 32 of `a`–`z`, `0`–`9`, `_` and `-`,
//! letters first, digits at the ends of parts alone. Names of members that the document does not
//! have are held to a like rule, and are not shown at all inside of free-form objects. What no rule
//! can tell is a private word that looks like a public one.
//!
//! # Why no JSON Schema validator
//!
//! Validators answer whether a value is valid. By the document nearly everything is: objects and
//! enumerations are open. They know no provenance, and their messages repeat the value.

#![forbid(unsafe_code)]

mod document;
mod drift;
mod provenance;
mod recording;
mod redaction;
mod schema;
mod word;

pub use document::{Document, DocumentError, Operation};
pub use drift::{Drift, DriftKind, compare};
pub use provenance::Provenance;
pub use recording::{Body, Exchange, Recording, RecordingError};
