use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, StatusCode};

use crate::Operation;
use crate::redirect::Unfollowed;
use crate::secrets::Redactor;

/// What the hooks saw of one call. Progenitor's error forgets the status and the headers of a
/// response that it cannot decode; this does not.
#[derive(Clone, Default)]
pub(crate) struct Exchange(Arc<Mutex<Seen>>);

#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// What nothing that is told of the call may repeat.
    pub(crate) secrets: Redactor,
    pub(crate) operation: Option<&'static Operation>,
    /// The request's path, without its query.
    pub(crate) path: String,
    /// What `tracing` is told of the request.
    pub(crate) span: Option<tracing::Span>,
    /// There was nothing to send it with: TLS could not be set up.
    pub(crate) no_client: bool,
    /// The request was handed to the network.
    pub(crate) sent: bool,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    /// The redirect that was not followed.
    pub(crate) unfollowed: Option<Unfollowed>,
    /// Who responded, where the transport has followed a redirect by itself.
    pub(crate) elsewhere: Option<String>,
    /// The service may have acted on the request, whatever the response says.
    pub(crate) may_have_acted: bool,
    /// The body was larger than the limit.
    pub(crate) too_large: bool,
}

impl Exchange {
    pub(crate) fn new(secrets: Redactor) -> Self {
        let exchange = Self::default();
        exchange.note(|seen| seen.secrets = secrets);
        exchange
    }

    pub(crate) fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
    }

    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
