//! TLS: invalid certificates, and machines without certificate authorities.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::invocation::{Invocation, checksum, start_mock};

/// The error for a server that does not speak TLS.
const NO_TLS: &str = "corrupt message";

/// A certificate authority and its certificate file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("ca.pem"), issuer.pem()).expect("written");
        Self { issuer, directory }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Starts a server with a certificate of this authority for that name.
    pub(crate) fn serves(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Server {
        let mut params = CertificateParams::new([name.to_owned()]).expect("parameters");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Server::start(certificate.der().clone(), &key)
    }
}

/// An https server whose every response is a project.
pub(crate) struct Server {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start(certificate: CertificateDer<'static>, key: &KeyPair) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("protocols")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate");
        let config = Arc::new(config);
        Self::accepting(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            // The client closes the connection if it rejects the certificate.
            let _ = respond(StreamOwned::new(connection, stream));
        })
    }

    /// Starts a server that does not speak TLS.
    fn plain() -> Self {
        Self::accepting(|mut stream| {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        })
    }

    fn accepting(handle: impl Fn(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                handle(stream);
            }
        });
        Self { port, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads the head of a request and responds.
fn respond(mut stream: impl Read + Write) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let body = r#"{"id": "a", "name": "My Project"}"#;
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    stream.flush()
}

fn trusting(base_url: &str, arguments: &str, authorities: &Path) -> Invocation {
    let file = authorities.to_str().expect("UTF-8");
    checksum(base_url, arguments).env("SSL_CERT_FILE", file)
}

#[test]
fn a_trusted_private_authority_is_accepted() {
    let authority = Authority::new("trusted");
    let server = authority.serves("localhost", |_| {});
    let url = format!("https://localhost:{}", server.port);
    trusting(&url, "me", &authority.file()).end().exits(0);
}

#[test]
fn an_invalid_certificate_is_one_attempt_and_one_line() {
    let authority = Authority::new("trusted");
    let of_another = Authority::new("another").serves("localhost", |_| {});
    let self_signed = {
        let params = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Server::start(certificate.der().clone(), &key)
    };
    let expired = authority.serves("localhost", |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    let early = authority.serves("localhost", |params| {
        params.not_before = date_time_ymd(2999, 1, 1);
        params.not_after = date_time_ymd(3000, 1, 1);
    });
    let other_name = authority.serves("elsewhere.invalid", |_| {});
    for (server, cause) in [
        (of_another, "UnknownIssuer"),
        (self_signed, "invalid peer certificate"),
        (expired, "expired"),
        (early, "not valid yet"),
        (other_name, "not valid for name \"localhost\""),
        (Server::plain(), NO_TLS),
    ] {
        let url = format!("https://localhost:{}", server.port);
        for (number, arguments) in ["me", "run suite", "status job", "wait job"]
            .iter()
            .enumerate()
        {
            let ended = trusting(&url, arguments, &authority.file()).end().exits(5);
            assert_eq!(server.connections(), number + 1, "{cause}: {ended:?}");
            let lines = ended
                .stderr
                .lines()
                .filter(|line| !line.contains("`checksum wait"));
            assert_eq!(lines.count(), 1, "{cause}: {ended:?}");
            let advice = match cause {
                NO_TLS => "that the server speaks TLS there",
                _ => "if the certificate is of a private authority, name a PEM file",
            };
            for text in [cause, &url, advice] {
                ended.stderr_has(text);
            }
            for text in ["may have started", "retrying"] {
                ended.stderr_lacks(text);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_certificate_authorities_only_https_fails() {
    let mock = start_mock().await;
    let slim = |base_url: &str, arguments: &str| {
        checksum(base_url, arguments)
            .env("SSL_CERT_FILE", "/nonexistent/file")
            .env("SSL_CERT_DIR", "/nonexistent")
            .end()
    };
    for (url, arguments) in [
        ("https://localhost:1", "demo"),
        ("https://localhost:1", "run suite --dry-run"),
        (&*mock.url(), "me"),
        (&*mock.url(), "run suite --poll-interval 0s"),
    ] {
        slim(url, arguments).exits(0);
    }
    for arguments in ["me", "run suite"] {
        let ended = slim("https://localhost:1", arguments).exits(5);
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        for text in [
            "cannot set up TLS for https://localhost:1",
            "No CA certificates were loaded from the system",
            "SSL_CERT_FILE",
        ] {
            ended.stderr_has(text);
        }
        ended.stderr_lacks("may have started");
    }
}
