use std::fmt;

use serde_json::{Map, Value};

/// Members of a request that are the caller's own. Printed by their names alone: a value may be
/// secret, and nobody here can tell.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Members(pub(crate) Map<String, Value>);

impl Members {
    pub(crate) fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// The members, where there are any.
    pub(crate) fn some(self) -> Option<Map<String, Value>> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
