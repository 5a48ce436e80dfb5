//! The settings of a client: the API key and the base URL.

pub(crate) mod api_key;
pub(crate) mod api_key_provider;
pub(crate) mod base_url;
pub(crate) mod current_key;
