//! `[intake]`: where agents that push their reports come in over TLS.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fault;

/// Where agents on other machines push their reports. On this machine they may use the address
/// of `[server]`, which takes them as well.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeSection {
    /// Address and port to listen on; reports and nothing else are taken there.
    #[schemars(example = &"0.0.0.0:9748")]
    pub listen: Option<String>,
    /// PEM file with the certificate of this address, and those that signed it. Read at start and
    /// again when it was changed, like the other two; a change that cannot be used changes nothing.
    #[schemars(example = &"/etc/syncwatch/intake.pem")]
    pub certificate_file: Option<PathBuf>,
    /// PEM file with the private key of the certificate.
    #[schemars(example = &"/run/credentials/syncwatch/intake.key")]
    pub private_key_file: Option<PathBuf>,
    /// PEM file with the certificates of the authority that signs those of agents. With it, an
    /// agent must show a certificate beside its token, or in place of it where
    /// `certificate_name` of its `[[tenant.agent]]` names it.
    #[schemars(example = &"/etc/syncwatch/agents-ca.pem")]
    pub client_ca_file: Option<PathBuf>,
}

/// `[intake]`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The certificate.
    pub certificate_file: PathBuf,
    /// Its key.
    pub private_key_file: PathBuf,
    /// Who signs the certificates of agents, where they must show one.
    pub client_ca_file: Option<PathBuf>,
}

impl IntakeSection {
    /// Checks the section; `None` when nothing is to be listened on.
    ///
    /// # Errors
    /// With all its mistakes.
    pub fn check(&self) -> Result<Option<Intake>, Vec<Fault>> {
        let mut faults = Vec::new();
        let Some(listen) = &self.listen else {
            if self.certificate_file.is_some() || self.private_key_file.is_some() {
                faults.push(Fault::new(
                    "listen",
                    "there is a certificate, but no address to listen on",
                    "write for example 0.0.0.0:9748",
                ));
            }
            return if faults.is_empty() {
                Ok(None)
            } else {
                Err(faults)
            };
        };
        let address = listen.parse::<SocketAddr>();
        if address.is_err() {
            faults.push(Fault::new(
                "listen",
                format!("{listen:?} is not an address with a port"),
                "write for example 0.0.0.0:9748, or [::]:9748 for all addresses",
            ));
        }
        for (path, file) in [
            ("certificate_file", &self.certificate_file),
            ("private_key_file", &self.private_key_file),
        ] {
            if file.is_none() {
                faults.push(Fault::new(
                    path,
                    "tokens must not travel readable: the address needs a certificate and its key",
                    "name the PEM file; agents on this machine can use the address of [server] instead",
                ));
            }
        }
        match (address, &self.certificate_file, &self.private_key_file) {
            (Ok(listen), Some(certificate), Some(key)) => Ok(Some(Intake {
                listen,
                certificate_file: certificate.clone(),
                private_key_file: key.clone(),
                client_ca_file: self.client_ca_file.clone(),
            })),
            _ => Err(faults),
        }
    }
}
