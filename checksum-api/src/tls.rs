//! What depends on the TLS that this crate is compiled with.

use std::error::Error as StdError;
use std::io;

use reqwest::ClientBuilder;

/// Whether there is any. (Another crate's choice for its own reqwest does not count.)
pub(crate) const IS_COMPILED: bool = cfg!(any(
    feature = "rustls",
    feature = "rustls-no-provider",
    feature = "native-tls"
));

/// What a program has to do that switched `rustls-no-provider` on.
pub(crate) const NO_PROVIDER: &str = "no TLS provider is installed: call \
    `install_default()` of a rustls `CryptoProvider` before a client is built, \
    or switch the feature `rustls` of checksum-api on, which brings one";

/// Where the certificate authorities stand that are trusted.
const AUTHORITIES: &str = if cfg!(any(target_os = "macos", target_os = "windows")) {
    "add it to the system's certificate store"
} else {
    "name a PEM file that has it in SSL_CERT_FILE"
};

/// What to do where no root certificates are found.
pub(crate) const NO_ROOTS: &str = "install the system's package of certificate authorities, \
    or name a PEM file of them in SSL_CERT_FILE";

/// Whether reqwest would panic in search of a provider.
pub(crate) fn lacks_provider() -> bool {
    #[cfg(all(
        feature = "rustls-no-provider",
        not(feature = "rustls"),
        not(feature = "native-tls")
    ))]
    return rustls::crypto::CryptoProvider::get_default().is_none();
    #[cfg(not(all(
        feature = "rustls-no-provider",
        not(feature = "rustls"),
        not(feature = "native-tls")
    )))]
    false
}

/// Servers are verified by the root certificates of the system, which are read when the client is
/// built.
pub(crate) fn with_roots(builder: ClientBuilder) -> ClientBuilder {
    #[cfg(feature = "native-tls")]
    return builder.tls_backend_native();
    #[cfg(all(
        any(feature = "rustls", feature = "rustls-no-provider"),
        not(feature = "native-tls")
    ))]
    return builder.tls_backend_rustls();
    #[cfg(not(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    )))]
    builder
}

/// No root certificate is read, and no server verified: for plain http.
pub(crate) fn without_roots(builder: ClientBuilder) -> ClientBuilder {
    let builder = with_roots(builder);
    #[cfg(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    ))]
    return builder.tls_certs_only([]);
    #[cfg(not(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    )))]
    builder
}

/// What to do about a connection that was not made because of TLS.
pub(crate) fn advice(cause: &(dyn StdError + 'static)) -> String {
    #[cfg(any(feature = "rustls", feature = "rustls-no-provider"))]
    if !matches!(
        cause.downcast_ref::<rustls::Error>(),
        Some(rustls::Error::InvalidCertificate(_)) | None
    ) {
        return "check the base URL, and that the server speaks TLS there".to_owned();
    }
    let _ = cause;
    format!("if the certificate is of a private authority, {AUTHORITIES}")
}

/// What TLS says of a connection that was not made because of it: a certificate that is not
/// accepted, a handshake that failed. A connection that broke during the handshake is none.
pub(crate) fn cause<'a>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a (dyn StdError + 'static)> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        if found.is_none() && is_tls(error) {
            found = Some(error);
        }
        next = match error.downcast_ref::<io::Error>() {
            // Such an error hides the one that it is made of from `source`.
            Some(io) => match io.get_ref() {
                Some(inner) => Some(inner),
                // The system's: the network, and not what TLS thinks of it.
                None => return None,
            },
            None => error.source(),
        };
    }
    found
}

fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    #[cfg(any(feature = "rustls", feature = "rustls-no-provider"))]
    if error.is::<rustls::Error>() {
        return true;
    }
    #[cfg(feature = "native-tls")]
    if error.is::<native_tls::Error>() {
        return true;
    }
    let _ = error;
    false
}
