//! The API key that requests are sent with at the moment, shared by all clones of a client.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::error::Error as StdError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::Mutex;

use super::api_key::ApiKey;
use super::api_key_provider::ApiKeyProvider;
use crate::redaction::Redactor;

/// How many of the latest keys are redacted. A response to an earlier request may repeat an old
/// key.
const MAX_REDACTED_KEYS: usize = 8;

pub(crate) struct CurrentKey {
    provider: Arc<dyn ApiKeyProvider>,
    fixed: Option<ApiKey>,
    /// The key that the provider returned last, and the number of that call. The lock is held while
    /// the provider is called.
    current: Mutex<Option<(ApiKey, u64)>>,
    /// The number of calls of the provider.
    calls: AtomicU64,
    used: RwLock<UsedKeys>,
}

/// The keys that requests were sent with, the latest last.
#[derive(Default)]
struct UsedKeys {
    keys: VecDeque<ApiKey>,
    redactor: Redactor,
}

impl UsedKeys {
    fn add(&mut self, key: &ApiKey) {
        self.keys.retain(|used| !used.is(key));
        self.keys.push_back(key.clone());
        if self.keys.len() > MAX_REDACTED_KEYS {
            self.keys.pop_front();
        }
        self.redactor = Redactor::new();
        self.keys
            .iter()
            .for_each(|key| key.add_to(&mut self.redactor));
    }
}

impl CurrentKey {
    pub(crate) fn new(provider: Arc<dyn ApiKeyProvider>) -> Self {
        let fixed = provider.fixed();
        let mut used = UsedKeys::default();
        if let Some(key) = &fixed {
            used.add(key);
        }
        Self {
            provider,
            fixed,
            current: Mutex::default(),
            calls: AtomicU64::new(0),
            used: RwLock::new(used),
        }
    }

    /// Returns the key if it never changes.
    pub(crate) fn fixed(&self) -> Option<&ApiKey> {
        self.fixed.as_ref()
    }

    /// Returns the key to send. With `rejected`, the provider is called again, unless it has
    /// already returned another key or was called for another request in the meantime.
    pub(crate) async fn get(
        &self,
        rejected: Option<&ApiKey>,
    ) -> Result<ApiKey, Box<dyn StdError + Send + Sync>> {
        if let Some(key) = &self.fixed {
            return Ok(key.clone());
        }
        let earlier_calls = self.calls.load(Ordering::SeqCst);
        let mut current = self.current.lock().await;
        if let Some((key, call)) = &*current
            && (*call > earlier_calls || !rejected.is_some_and(|rejected| rejected.is(key)))
        {
            return Ok(key.clone());
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let key = self.provider.api_key().await?;
        if !current
            .as_ref()
            .is_some_and(|(current, _)| current.is(&key))
        {
            let mut used = self.used.write().unwrap_or_else(PoisonError::into_inner);
            used.add(&key);
        }
        *current = Some((key.clone(), call));
        Ok(key)
    }

    /// Returns a redactor of the keys.
    pub(crate) fn redactor(&self) -> Redactor {
        self.used().redactor.clone()
    }

    /// Returns `text` with each key replaced by `***`.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.used().redactor.redact(text)
    }

    fn used(&self) -> RwLockReadGuard<'_, UsedKeys> {
        self.used.read().unwrap_or_else(PoisonError::into_inner)
    }
}
