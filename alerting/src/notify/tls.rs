//! Whom to trust: the machine's authorities, or those of a file.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use rustls_platform_verifier::BuilderVerifierExt;

use super::NotifierError;
use crate::config::ReceiverConfig;

/// TLS as a client of `receiver`, without ALPN.
pub(super) fn client_config(receiver: &ReceiverConfig) -> Result<ClientConfig, NotifierError> {
    let failed = |source| NotifierError::Tls {
        receiver: receiver.name.clone(),
        source,
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let builder: ConfigBuilder<ClientConfig, WantsClientCert> = match &receiver.ca_file {
        None => builder.with_platform_verifier().map_err(failed)?,
        Some(path) => builder.with_root_certificates(authorities(receiver, path)?),
    };
    Ok(builder.with_no_client_auth())
}

fn authorities(receiver: &ReceiverConfig, path: &Path) -> Result<RootCertStore, NotifierError> {
    let unreadable = |source| NotifierError::CaFile {
        receiver: receiver.name.clone(),
        path: path.to_owned(),
        source,
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        let certificate = certificate.map_err(unreadable)?;
        store
            .add(certificate)
            .map_err(|source| NotifierError::Tls {
                receiver: receiver.name.clone(),
                source,
            })?;
    }
    if store.is_empty() {
        return Err(NotifierError::CaEmpty {
            receiver: receiver.name.clone(),
            path: path.to_owned(),
        });
    }
    Ok(store)
}
