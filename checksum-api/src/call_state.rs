//! What is known of one call while it runs, for its error. It is kept if the call is cut short by a
//! timeout.

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
    /// Values of this request to redact from errors, beside the API key.
    pub(crate) secrets: Redactor,
    /// The response: its body is empty until it is complete.
    pub(crate) response: Option<RawResponse>,
    /// The redirect that was not followed.
    pub(crate) unfollowed: Option<Unfollowed>,
    /// Who responded, if the transport has followed a redirect by itself.
    pub(crate) elsewhere: Option<String>,
    /// The service may have acted on the request, whatever the response says.
    pub(crate) may_have_taken_effect: bool,
}
