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
    pub(crate) may_have_taken_effect: bool,
    /// The body was larger than the limit.
    pub(crate) too_large: bool,
}

tokio::task_local! {
    /// The call under way. Each has one of its own, so that the status and headers of its response
    /// are known however it ends.
    static CURRENT: Exchange;
}

/// Notes what the hooks see of the call under way. A request that is sent without `execute` has
/// nowhere to note it.
pub(crate) fn note(change: impl FnOnce(&mut Seen)) {
    let _ = CURRENT.try_with(|exchange| exchange.note(change));
}

impl Exchange {
    /// Makes this the call under way.
    pub(crate) async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), work).await
    }

    pub(crate) fn new(secrets: Redactor) -> Self {
        let exchange = Self::default();
        exchange.note(|seen| seen.secrets = secrets);
        exchange
    }

    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
    }

    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
