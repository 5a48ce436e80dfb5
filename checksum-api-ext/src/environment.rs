use std::collections::BTreeMap;
use std::fmt;

use checksum_api::types::EnvOverrides;

/// Environment variables of one run or session. Printed by their names alone: the values may be
/// secret.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    pub(crate) fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// As requests carry them; nothing where there are none.
    pub(crate) fn body(self) -> Option<EnvOverrides> {
        (!self.0.is_empty()).then_some(EnvOverrides(self.0))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
