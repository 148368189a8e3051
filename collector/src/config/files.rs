//! Looking at the files a credential names, for `check-config`: at run time they are read at use.

use std::path::Path;

use zeroize::Zeroizing;

use super::values::Problems;
use super::{AgentToken, Credential, Problem, TenantConfig};
use crate::auth::{AssertionError, Signer};

impl TenantConfig {
    /// Reads the files of the credential and of agents and reports what is wrong with them.
    #[must_use]
    pub fn check_files(&self) -> Vec<Problem> {
        let mut found = Problems::default();
        match &self.credential {
            Credential::Secret { .. } | Credential::Managed(_) => {}
            Credential::SecretFile { file, .. } => {
                read(&mut found, "client_secret_file", file);
            }
            Credential::Federated { file, .. } => {
                read(&mut found, "federated_token_file", file);
            }
            Credential::Certificate {
                certificate_file,
                private_key_file,
                ..
            } => {
                let certificate = read(&mut found, "certificate_file", certificate_file);
                let key = read(&mut found, "private_key_file", private_key_file);
                if let (Some(certificate), Some(key)) = (certificate, key)
                    && let Err(error) = Signer::new(certificate.as_bytes(), key.as_bytes())
                {
                    let path = match error {
                        AssertionError::NoCertificate => "certificate_file",
                        _ => "private_key_file",
                    };
                    found.add(
                        path,
                        error.to_string(),
                        "give the PEM certificate that is registered on the application, and its RSA key",
                    );
                }
            }
        }
        for (index, agent) in self.agents.iter().enumerate() {
            let token = match &agent.token {
                Some(AgentToken::File(file)) => Some(file),
                Some(AgentToken::Given(_)) | None => None,
            };
            let pair = agent.client_pair.as_ref();
            let named = [
                ("token_file", token),
                ("ca_file", agent.ca_file.as_ref()),
                (
                    "client_certificate_file",
                    pair.map(|pair| &pair.certificate),
                ),
                ("client_private_key_file", pair.map(|pair| &pair.key)),
            ];
            for (key, file) in named {
                if let Some(file) = file {
                    read(&mut found, &format!("agent[{index}].{key}"), file);
                }
            }
        }
        found.0
    }
}

fn read(found: &mut Problems, path: &str, file: &Path) -> Option<Zeroizing<String>> {
    match std::fs::read_to_string(file).map(Zeroizing::new) {
        Ok(text) if !text.trim().is_empty() => return Some(text),
        Ok(_) => found.add(path, format!("{} is empty", file.display()), ""),
        Err(error) => found.add(
            path,
            format!("cannot read {}: {error}", file.display()),
            "the file must exist and be readable for the account that runs the service",
        ),
    }
    None
}
