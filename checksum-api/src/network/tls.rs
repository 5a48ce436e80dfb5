//! The code that depends on the TLS features of this crate.

use std::error::Error as StdError;
use std::io;

use reqwest::ClientBuilder;

/// Whether this crate has a TLS feature. Another crate's choice for its own reqwest does not count.
pub(crate) const IS_COMPILED: bool = cfg!(any(
    feature = "rustls",
    feature = "rustls-no-provider",
    feature = "native-tls"
));

/// The advice if no provider is installed, for programs with `rustls-no-provider`.
pub(crate) const NO_PROVIDER: &str = "no TLS provider is installed: call \
    `install_default()` of a rustls `CryptoProvider` before a client is built, \
    or switch the feature `rustls` of checksum-api on, which brings one";

/// The advice on how to trust a private certificate authority.
const AUTHORITIES: &str = if cfg!(any(target_os = "macos", target_os = "windows")) {
    "add it to the system's certificate store"
} else {
    "name a PEM file that has it in SSL_CERT_FILE"
};

/// The advice if no root certificates are found.
pub(crate) const NO_ROOTS: &str = "install the system's package of certificate authorities, \
    or name a PEM file of them in SSL_CERT_FILE";

/// Returns whether reqwest would panic because no provider is installed.
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

/// Verifies servers by the root certificates of the system, which are read when the client is built,
/// and by those that are given as PEM.
pub(crate) fn with_roots(
    builder: ClientBuilder,
    pem: &[Vec<u8>],
) -> reqwest::Result<ClientBuilder> {
    #[cfg(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    ))]
    {
        let builder = with_backend(builder);
        return match certificates(pem)? {
            certificates if certificates.is_empty() => Ok(builder),
            certificates => Ok(builder.tls_certs_merge(certificates)),
        };
    }
    #[allow(unreachable_code, reason = "without TLS, this is all that there is")]
    {
        let _ = pem;
        Ok(builder)
    }
}

/// Configures a client for plain http, which reads no root certificates.
pub(crate) fn without_roots(builder: ClientBuilder) -> ClientBuilder {
    #[cfg(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    ))]
    return with_backend(builder).tls_certs_only([]);
    #[cfg(not(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    )))]
    builder
}

/// Fails unless each text holds certificates in PEM.
pub(crate) fn check_certificates(pem: &[Vec<u8>]) -> Result<(), String> {
    #[cfg(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    ))]
    {
        for text in pem {
            let found = reqwest::Certificate::from_pem_bundle(text);
            if found.map_err(|error| error.to_string())?.is_empty() {
                return Err("no certificate in PEM was found".to_owned());
            }
        }
        return Ok(());
    }
    #[allow(unreachable_code, reason = "without TLS, this is all that there is")]
    match pem {
        [] => Ok(()),
        _ => Err("checksum-api was compiled without TLS".to_owned()),
    }
}

#[cfg(any(
    feature = "rustls",
    feature = "rustls-no-provider",
    feature = "native-tls"
))]
fn certificates(pem: &[Vec<u8>]) -> reqwest::Result<Vec<reqwest::Certificate>> {
    let mut certificates = Vec::new();
    for text in pem {
        certificates.extend(reqwest::Certificate::from_pem_bundle(text)?);
    }
    Ok(certificates)
}

#[cfg(any(
    feature = "rustls",
    feature = "rustls-no-provider",
    feature = "native-tls"
))]
fn with_backend(builder: ClientBuilder) -> ClientBuilder {
    #[cfg(feature = "native-tls")]
    return builder.tls_backend_native();
    #[cfg(not(feature = "native-tls"))]
    builder.tls_backend_rustls()
}

/// Returns advice for a connection that failed because of TLS.
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

/// Returns the TLS error that prevented a connection: an invalid certificate, a failed handshake.
/// `None` if the connection broke during the handshake.
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
            // `source` skips the error that an `io::Error` wraps.
            Some(io) => match io.get_ref() {
                Some(inner) => Some(inner),
                // An error of the operating system: the network failed, not TLS.
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
