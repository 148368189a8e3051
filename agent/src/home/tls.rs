//! TLS on both ways home: certificates from files, trust from a file or the machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::BuilderVerifierExt as _;
use thiserror::Error;

use super::fresh::Fresh;

/// Why no TLS can be spoken.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file is no good.
    #[error("cannot use {}: {why}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// Certificate and key do not belong together, or the machine's trust cannot be used.
    #[error("the certificates cannot be used")]
    Rustls(#[from] rustls::Error),
    /// The authority of clients.
    #[error("cannot check certificates of clients")]
    Clients(#[from] rustls::server::VerifierBuilderError),
}

/// A certificate with its key, in PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, and those that signed it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Pair {
    const fn files(&self) -> [&PathBuf; 2] {
        [&self.certificate, &self.key]
    }

    fn load(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key);
        let key = key.map_err(|error| refuse(&self.key, error))?;
        Ok((chain, key))
    }
}

/// What a client trusts, and how it shows who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFiles {
    /// Authorities in place of the machine's own.
    pub authorities: Option<PathBuf>,
    /// Its certificate.
    pub pair: Option<Pair>,
}

/// A client's side that is made anew when a file was changed.
#[derive(Debug)]
pub(super) struct Client {
    files: ClientFiles,
    fresh: Fresh<ClientConfig>,
}

impl Client {
    pub(super) fn new(files: ClientFiles) -> Self {
        let named = files.authorities.iter();
        let named = named.chain(files.pair.iter().flat_map(Pair::files));
        Self {
            fresh: Fresh::new(named.cloned().collect()),
            files,
        }
    }

    pub(super) fn config(&mut self) -> Result<Arc<ClientConfig>, TlsError> {
        self.fresh.current(|| client(&self.files))
    }
}

/// A server's side that is made anew when a file was changed.
#[derive(Debug)]
pub(super) struct Server {
    pair: Pair,
    clients: Option<PathBuf>,
    needs_one: bool,
    fresh: Fresh<ServerConfig>,
}

impl Server {
    /// See [`server`].
    pub(super) fn new(pair: &Pair, clients: Option<&Path>, needs_one: bool) -> Self {
        let named = pair.files().map(Clone::clone).into_iter();
        Self {
            fresh: Fresh::new(named.chain(clients.map(Path::to_owned)).collect()),
            pair: pair.clone(),
            clients: clients.map(Path::to_owned),
            needs_one,
        }
    }

    pub(super) fn config(&mut self) -> Result<Arc<ServerConfig>, TlsError> {
        let make = || server(&self.pair, self.clients.as_deref(), self.needs_one);
        self.fresh.current(make)
    }
}

/// A client's side as it is now.
///
/// # Errors
/// When a file is no good, or the machine's trust cannot be used.
pub fn client(files: &ClientFiles) -> Result<ClientConfig, TlsError> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match &files.authorities {
        Some(file) => builder.with_root_certificates(roots(file)?),
        None => builder.with_platform_verifier()?,
    };
    Ok(match &files.pair {
        Some(pair) => {
            let (chain, key) = pair.load()?;
            builder.with_client_auth_cert(chain, key)?
        }
        None => builder.with_no_client_auth(),
    })
}

/// A server's side. With `clients` a certificate of that authority is asked for; `needs_one` says
/// whether a client without is turned away at once.
///
/// # Errors
/// When a file is no good.
pub fn server(
    pair: &Pair,
    clients: Option<&Path>,
    needs_one: bool,
) -> Result<ServerConfig, TlsError> {
    let (chain, key) = pair.load()?;
    let builder =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match clients {
        Some(file) => {
            let roots = Arc::new(roots(file)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let verifier = if needs_one {
                verifier
            } else {
                verifier.allow_unauthenticated()
            };
            builder.with_client_cert_verifier(verifier.build()?)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Whether a certificate has a DNS name, letter for letter but for case: a wildcard is nobody's
/// name.
pub(super) fn is_named(certificate: &CertificateDer<'_>, name: &str) -> bool {
    webpki::EndEntityCert::try_from(certificate).is_ok_and(|certificate| {
        let mut names = certificate.valid_dns_names();
        names.any(|found| found.eq_ignore_ascii_case(name))
    })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots
            .add(certificate)
            .map_err(|error| refuse(file, error))?;
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse(file, error))?;
    if found.is_empty() {
        return Err(refuse(file, "it holds no certificate"));
    }
    Ok(found)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "errors of several types, each at its end"
)]
fn refuse(file: &Path, why: impl ToString) -> TlsError {
    TlsError::File {
        file: file.to_owned(),
        why: why.to_string(),
    }
}
