//! Client assertions: a JWT signed with the application's certificate (Microsoft identity
//! platform reference: certificate credentials).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use syncwatch_domain::time::Timestamp;
use thiserror::Error;
use zeroize::Zeroizing;

/// The assertion is backdated by this, so that a clock slightly ahead does no harm.
const BACKDATED_SECS: i64 = 60;
/// And ends this long after now; 5 to 10 minutes are recommended.
const VALID_SECS: i64 = 540;

/// A certificate or key that cannot sign.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum AssertionError {
    #[error("the certificate file holds no PEM certificate")]
    NoCertificate,
    #[error("the private key file holds no unencrypted PEM private key")]
    NoKey,
    #[error("the private key is not RSA, and the login service takes no other for assertions")]
    NotRsa,
    #[error("the private key was refused ({0}); RSA keys of 2048 to 4096 bits work")]
    KeyRefused(String),
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    #[error("the signature could not be made")]
    Signing,
}

/// A certificate with its key, ready to sign.
pub(crate) struct Signer {
    key: RsaKeyPair,
    thumbprint: String,
}

impl Signer {
    /// Reads a PEM certificate (the first one of a chain) and its PKCS#8 or PKCS#1 key.
    pub(crate) fn new(certificate_pem: &[u8], key_pem: &[u8]) -> Result<Self, AssertionError> {
        let certificate = CertificateDer::from_pem_slice(certificate_pem)
            .map_err(|_| AssertionError::NoCertificate)?;
        let key =
            match PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| AssertionError::NoKey)? {
                PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
                PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
                _ => return Err(AssertionError::NotRsa),
            }
            .map_err(|error| match error.to_string().as_str() {
                "WrongAlgorithm" => AssertionError::NotRsa,
                why => AssertionError::KeyRefused(why.to_owned()),
            })?;
        let public = key.public().as_ref();
        if !certificate.windows(public.len()).any(|part| part == public) {
            return Err(AssertionError::Mismatch);
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, &certificate);
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(digest),
        })
    }

    /// Signs an assertion for `audience`, the exact address of the token endpoint.
    pub(crate) fn sign(
        &self,
        client_id: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Zeroizing<String>, AssertionError> {
        let seconds = now.as_millis().div_euclid(1000);
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": uuid::Uuid::new_v4(),
            "nbf": seconds - BACKDATED_SECS,
            "iat": seconds - BACKDATED_SECS,
            "exp": seconds + VALID_SECS,
        });
        let mut jwt = URL_SAFE_NO_PAD.encode(header.to_string());
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut jwt);
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                jwt.as_bytes(),
                &mut signature,
            )
            .map_err(|_| AssertionError::Signing)?;
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        Ok(Zeroizing::new(jwt))
    }
}

#[cfg(test)]
#[path = "assertion_tests.rs"]
mod tests;
