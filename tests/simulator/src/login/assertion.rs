//! Verifies signed client assertions the way Entra documents it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Clocks may differ by this much.
const SKEW_S: i64 = 300;

/// A certificate as registered on an application.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    /// SHA-256 of the DER, base64url without padding.
    pub(crate) thumbprint: String,
    /// PKCS#1 public key.
    key: Vec<u8>,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, String> {
        use rustls_pki_types::CertificateDer;
        use rustls_pki_types::pem::PemObject;
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| format!("certificate is not PEM: {error}"))?;
        let (_, parsed) = X509Certificate::from_der(&der)
            .map_err(|error| format!("certificate is not X.509: {error}"))?;
        Ok(Self {
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&der)),
            key: parsed.public_key().subject_public_key.data.to_vec(),
        })
    }
}

/// Why an assertion is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadAssertion {
    /// Not a JWT, wrong algorithm, unknown certificate, bad signature, wrong audience or issuer.
    NotAccepted,
    /// Outside `nbf` to `exp`.
    OutsideWindow,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    #[serde(rename = "x5t#S256")]
    thumbprint: Option<String>,
    x5t: Option<String>,
}

/// Claims of an assertion or of an external token.
#[derive(Debug, Deserialize)]
pub(crate) struct AssertionClaims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    aud: serde_json::Value,
    #[serde(default)]
    pub(crate) jti: Option<String>,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
}

impl AssertionClaims {
    pub(crate) fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            serde_json::Value::String(one) => one == audience,
            serde_json::Value::Array(list) => list.iter().any(|one| one == audience),
            _ => false,
        }
    }

    fn check_window(&self, now_s: i64) -> Result<(), BadAssertion> {
        let began = self.nbf.is_none_or(|nbf| nbf <= now_s + SKEW_S);
        if began && now_s < self.exp + SKEW_S {
            Ok(())
        } else {
            Err(BadAssertion::OutsideWindow)
        }
    }
}

/// Reads the claims without verifying anything.
pub(crate) fn peek(token: &str) -> Option<AssertionClaims> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// Verifies signature and validity window. `bound` tells whether the header must name the certificate, as client
/// assertions do and external tokens do not.
pub(crate) fn verify(
    token: &str,
    certificate: &Certificate,
    now_s: i64,
    bound: bool,
) -> Result<AssertionClaims, BadAssertion> {
    let bad = BadAssertion::NotAccepted;
    let (signed, signature) = token.rsplit_once('.').ok_or(bad)?;
    let (header, payload) = signed.split_once('.').ok_or(bad)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| bad);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| bad)?;
    if bound {
        let named = header.thumbprint.as_deref() == Some(certificate.thumbprint.as_str());
        // The old SHA-1 thumbprint goes with RS256 only.
        let legacy = header.thumbprint.is_none() && header.x5t.is_some() && header.alg == "RS256";
        if !named && !legacy {
            return Err(bad);
        }
    }
    let algorithm: &dyn VerificationAlgorithm = match header.alg.as_str() {
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(bad),
    };
    UnparsedPublicKey::new(algorithm, &certificate.key)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| bad)?;
    let claims: AssertionClaims = serde_json::from_slice(&decode(payload)?).map_err(|_| bad)?;
    claims.check_window(now_s)?;
    Ok(claims)
}
