use std::fmt;

use super::{operations, order, provenance, schemas};
use crate::document::Document;

/// One thing that the document has to keep, beyond what well-kept linters look for.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// What goes wrong without it.
    pub(crate) reason: &'static str,
    pub(super) check: fn(&Document, &mut Findings<'_>),
}

/// A place where the document breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: &'static str,
    /// A JSON pointer.
    pub(crate) place: String,
    pub(crate) message: String,
}

/// The findings of one rule.
pub(super) struct Findings<'a> {
    rule: &'static str,
    list: &'a mut Vec<Finding>,
}

impl Findings<'_> {
    pub(super) fn add(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.list.push(Finding {
            rule: self.rule,
            place: place.into(),
            message: message.into(),
        });
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {} ({})",
            self.place, self.message, self.rule
        )
    }
}

/// Every rule, on one document.
pub(crate) fn findings(document: &Document) -> Vec<Finding> {
    let mut list = Vec::new();
    for rule in RULES {
        let mut findings = Findings {
            rule: rule.name,
            list: &mut list,
        };
        (rule.check)(document, &mut findings);
    }
    list
}

/// The rules. Redocly's, in `openapi/redocly.yaml`, come on top.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "operation-id-in-snake-case",
        reason: "an operationId is the name of a Rust method",
        check: operations::ids,
    },
    Rule {
        name: "one-range-for-each-outcome",
        reason: "progenitor takes one success, counts `default` as one, and generates an arm that \
                 is never reached for a code beside its range (traps 1 and 2XX)",
        check: operations::outcomes,
    },
    Rule {
        name: "errors-are-bytes",
        reason: "an error that declares JSON loses its status and headers when a proxy answers \
                 with HTML (trap 3)",
        check: operations::errors,
    },
    Rule {
        name: "examples-for-requests-and-answers",
        reason: "examples are what the tests decode, the stand-in answers and people read first",
        check: operations::examples,
    },
    Rule {
        name: "path-parameters-are-identifiers",
        reason: "an id of `..` or none sends the request to another operation (trap 7)",
        check: operations::path_parameters,
    },
    Rule {
        name: "query-parameters-are-plain",
        reason: "a query value that is no plain string, number or list of them loses its name \
                 (trap 8)",
        check: operations::query_parameters,
    },
    Rule {
        name: "optional-bodies-can-be-empty",
        reason: "an optional body is sent as `{}` where the caller gives none (trap 12)",
        check: operations::optional_bodies,
    },
    Rule {
        name: "order",
        reason: "one place for each thing: the sections, and the operations by tag",
        check: order::check,
    },
    Rule {
        name: "provenance",
        reason: "readers and checks have to tell what is documented from what is a guess",
        check: provenance::check,
    },
    Rule {
        name: "no-inline-schema",
        reason: "an object or enumeration without a name gets one from progenitor, and a copy of \
                 a component goes its own way",
        check: schemas::inline,
    },
    Rule {
        name: "descriptions-of-members",
        reason: "they are the documentation of the generated fields",
        check: schemas::descriptions,
    },
    Rule {
        name: "no-closed-enum",
        reason: "one value that is not listed makes a whole answer undecodable (trap 4)",
        check: schemas::closed_enums,
    },
    Rule {
        name: "unknown-members",
        reason: "`additionalProperties: {}` keeps the unknown members of an answer, `true` drops \
                 them (trap 5); in a request the builder would ask for them",
        check: schemas::unknown_members,
    },
    Rule {
        name: "unsigned-counts",
        reason: "`int64` with a minimum of 0 is still a signed number in Rust (trap 6)",
        check: schemas::unsigned,
    },
    Rule {
        name: "no-uuid",
        reason: "ids look like UUIDs in some places and like `run-id` in others (trap 13)",
        check: schemas::uuids,
    },
];
