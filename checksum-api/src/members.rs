use std::sync::Arc;

use serde_json::{Map, Value};

use crate::Client;

impl Client {
    /// A client whose requests carry these members as well, where they have a JSON body.
    ///
    /// The API has members that its description leaves out, and gets new ones. Objects are merged:
    /// `{"autoHeal": {"metadata": {…}}}` adds to the `autoHeal` that the request has.
    ///
    /// ```
    /// # async fn example(client: checksum_api::Client) -> Result<(), checksum_api::Error> {
    /// let members = serde_json::json!({ "shardCount": 8 });
    /// let sharding = client.with_extra_fields(members.as_object().cloned().unwrap_or_default());
    /// let run = sharding.run_suite().execute().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_extra_fields(&self, members: Map<String, Value>) -> Self {
        let mut client = self.clone();
        client.inner.members = Arc::new(members);
        client
    }
}

/// Adds members to an object, and to the objects within it.
pub(crate) fn merge(into: &mut Map<String, Value>, members: &Map<String, Value>) {
    for (name, value) in members {
        match (into.get_mut(name), value) {
            (Some(Value::Object(inner)), Value::Object(members)) => merge(inner, members),
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}
