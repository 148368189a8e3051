//! A certificate authority that exists for one test.

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// An authority of its own; nothing on the machine trusts it unless it is handed [`Authority::ca_pem`].
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    ca_pem: String,
}

/// A certificate with its private key.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate.
    pub cert_pem: String,
    /// Its private key, PKCS #8.
    pub key_pem: String,
}

impl Authority {
    /// Makes a new authority.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new() -> anyhow::Result<Self> {
        let key = KeyPair::generate().context("make the authority's key")?;
        let mut params = CertificateParams::new(Vec::new()).context("describe the authority")?;
        params
            .distinguished_name
            .push(DnType::CommonName, "syncwatch test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_pem = params
            .self_signed(&key)
            .context("sign the authority")?
            .pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            ca_pem,
        })
    }

    /// The authority's own certificate: what a client has to trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Issues a certificate for these names and IP addresses, fit for either side.
    ///
    /// # Errors
    /// When a name is neither a host name nor an address.
    pub fn issue(&self, names: &[&str]) -> anyhow::Result<Issued> {
        self.sign(names, false)
    }

    /// Issues one that has ended.
    ///
    /// # Errors
    /// When a name is neither a host name nor an address.
    pub fn issue_ended(&self, names: &[&str]) -> anyhow::Result<Issued> {
        self.sign(names, true)
    }

    fn sign(&self, names: &[&str], has_ended: bool) -> anyhow::Result<Issued> {
        let key = KeyPair::generate().context("make the server's key")?;
        let names = names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut params = CertificateParams::new(names).context("describe the server")?;
        if has_ended {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let cert = params
            .signed_by(&key, &self.issuer)
            .context("sign the server's certificate")?;
        Ok(Issued {
            cert_pem: cert.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}
