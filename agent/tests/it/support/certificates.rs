//! Certificates that exist for one test.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use syncwatch_agent::home::tls::Pair;
use tempfile::TempDir;

/// An authority, with the certificates it signed, in a folder of their own.
pub(crate) struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self {
            folder,
            issuer: Issuer::new(params, key),
        }
    }

    /// File with the authority's own certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Where the files lie.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A certificate for this machine's loopback.
    pub(crate) fn sign(&self, name: &str) -> Pair {
        self.sign_until(name, &["127.0.0.1", "localhost"], false)
    }

    /// One for these names.
    pub(crate) fn sign_for(&self, name: &str, names: &[&str]) -> Pair {
        self.sign_until(name, names, false)
    }

    /// One that has ended.
    pub(crate) fn sign_ended(&self, name: &str) -> Pair {
        self.sign_until(name, &["127.0.0.1", "localhost"], true)
    }

    fn sign_until(&self, name: &str, names: &[&str], has_ended: bool) -> Pair {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        if has_ended {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        std::fs::write(file("pem"), certificate.pem()).unwrap();
        std::fs::write(file("key"), key.serialize_pem()).unwrap();
        Pair {
            certificate: file("pem"),
            key: file("key"),
        }
    }
}
