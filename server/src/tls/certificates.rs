//! Certificates of the intake: read from files, and again when those change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use webpki::EndEntityCert;

use crate::config::sections::intake::Intake;

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
    /// Certificate and key do not belong together.
    #[error("the certificate and the key cannot be used together")]
    Pair(#[from] rustls::Error),
}

/// What tells that a file was changed: when, and how long it is.
type Stamp = Option<(SystemTime, u64)>;

/// The certificates of the intake. Whoever connects gets those that stand in the files at that
/// moment, so that one that was renewed needs no restart.
#[derive(Debug)]
pub struct Certificates {
    intake: Intake,
    held: Mutex<InForce>,
}

/// What is in force, and which files were looked at last.
#[derive(Debug)]
struct InForce {
    looked_at: Vec<Stamp>,
    config: Arc<ServerConfig>,
}

impl Certificates {
    /// Reads the certificates that the intake needs.
    ///
    /// # Errors
    /// When a file cannot be read, holds something else, or certificate and key do not belong
    /// together.
    pub fn read(intake: &Intake) -> Result<Self, TlsError> {
        let looked_at = stamps(intake);
        let config = server_config(intake)?;
        Ok(Self {
            intake: intake.clone(),
            held: Mutex::new(InForce { looked_at, config }),
        })
    }

    /// Those in force now. Files are looked at each time, which costs nothing beside a handshake;
    /// changed ones that cannot be used leave the former ones in force until they change again.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let found = stamps(&self.intake);
        if held.looked_at != found {
            held.looked_at = found;
            match server_config(&self.intake) {
                Ok(config) => {
                    held.config = config;
                    tracing::info!("the certificates of the intake were read again");
                }
                Err(error) => tracing::warn!(
                    reason = crate::chain(&error),
                    "the certificates of the intake were changed and cannot be used; those before stay in force"
                ),
            }
        }
        Arc::clone(&held.config)
    }
}

fn stamps(intake: &Intake) -> Vec<Stamp> {
    let files = [&intake.certificate_file, &intake.private_key_file];
    files
        .into_iter()
        .chain(&intake.client_ca_file)
        .map(|file| {
            let found = std::fs::metadata(file).ok()?;
            Some((found.modified().ok()?, found.len()))
        })
        .collect()
}

/// DNS names in a certificate; none when it cannot be read.
pub(super) fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    match EndEntityCert::try_from(certificate) {
        Ok(certificate) => certificate.valid_dns_names().map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    }
}

fn server_config(intake: &Intake) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = certificates(&intake.certificate_file)?;
    let key = PrivateKeyDer::from_pem_file(&intake.private_key_file)
        .map_err(|error| refuse(&intake.private_key_file, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match &intake.client_ca_file {
        Some(file) => builder.with_client_cert_verifier(verifier(file, provider)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Lets in whoever shows a certificate that an authority of `file` signed and that is in force.
fn verifier(
    file: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        let added = roots.add(certificate);
        added.map_err(|error| refuse(file, error.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| refuse(file, error.to_string()))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse(file, error.to_string()))?;
    if found.is_empty() {
        return Err(refuse(file, "it holds no certificate".to_owned()));
    }
    Ok(found)
}

fn refuse(file: &Path, why: String) -> TlsError {
    TlsError::File {
        file: file.to_owned(),
        why,
    }
}
