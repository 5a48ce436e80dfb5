//! The state of one call, for the error that it may end with. It survives a timeout of the call.

use crate::network::redirect::Unfollowed;
use crate::operation::Operation;
use crate::redaction::Redactor;
use crate::response::RawResponse;

#[derive(Default)]
pub(crate) struct CallState {
    /// `None` for the download of a file.
    pub(crate) operation: Option<&'static Operation>,
    /// The request's path, without its query.
    pub(crate) path: String,
    /// Values of this request to redact from errors, in addition to the API key.
    pub(crate) secrets: Redactor,
    /// The response. Its body is empty until all of it has arrived.
    pub(crate) response: Option<RawResponse>,
    /// The redirect that was not followed.
    pub(crate) unfollowed: Option<Unfollowed>,
    /// The URL that responded, if the transport followed a redirect by itself.
    pub(crate) elsewhere: Option<String>,
    /// Whether the service may have acted on the request, whatever the response says.
    pub(crate) may_have_taken_effect: bool,
}
