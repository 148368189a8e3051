//! TLS on both ways home: certificates from files, trust from a file or the machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::BuilderVerifierExt as _;
use thiserror::Error;

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
#[derive(Debug, Default)]
pub(super) struct Client {
    files: ClientFiles,
    made: Option<(Vec<Option<SystemTime>>, Arc<ClientConfig>)>,
}

impl Client {
    pub(super) const fn new(files: ClientFiles) -> Self {
        Self { files, made: None }
    }

    pub(super) fn config(&mut self) -> Result<Arc<ClientConfig>, TlsError> {
        let changed = self.files.changed_at();
        if let Some((at, config)) = &self.made
            && *at == changed
        {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(client(&self.files)?);
        self.made = Some((changed, Arc::clone(&config)));
        Ok(config)
    }
}

impl ClientFiles {
    fn changed_at(&self) -> Vec<Option<SystemTime>> {
        let pair = self
            .pair
            .iter()
            .flat_map(|pair| [&pair.certificate, &pair.key]);
        let files = self.authorities.iter().chain(pair);
        files
            .map(|file| {
                std::fs::metadata(file)
                    .and_then(|data| data.modified())
                    .ok()
            })
            .collect()
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
