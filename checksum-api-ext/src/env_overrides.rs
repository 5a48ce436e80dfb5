//! Environment variables of one run or one session.

use std::collections::BTreeMap;
use std::fmt;

use checksum_api::types;

/// Environment variables by name. `Debug` prints the names only, since values are often secret.
#[derive(Clone, Default)]
pub(crate) struct EnvOverrides(BTreeMap<String, String>);

impl EnvOverrides {
    pub(crate) fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Returns the field of a request, or `None` if there are no variables.
    pub(crate) fn body(&self) -> Option<types::EnvOverrides> {
        (!self.0.is_empty()).then(|| types::EnvOverrides(self.0.clone()))
    }
}

impl fmt::Debug for EnvOverrides {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
