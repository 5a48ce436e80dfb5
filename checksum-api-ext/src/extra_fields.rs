//! JSON fields that a caller adds to a request by name.

use std::fmt;

use serde_json::{Map, Value};

/// Fields by name. `Debug` prints the names only, since a value may be secret.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct ExtraFields(pub(crate) Map<String, Value>);

impl ExtraFields {
    pub(crate) fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// Returns the fields as a JSON object, or `None` if there are none.
    pub(crate) fn non_empty(&self) -> Option<Map<String, Value>> {
        (!self.0.is_empty()).then(|| self.0.clone())
    }
}

impl fmt::Debug for ExtraFields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
