//! Exactly one way to sign in, with all it needs.

use std::path::PathBuf;

use super::values::{Problems, is_guid};
use super::{Credential, ManagedIdentity, ManagedIdentitySection, TenantSection};

impl TenantSection {
    pub(super) fn checked_credential(&self, found: &mut Problems) -> Option<Credential> {
        let given = self.credentials_given();
        match given.as_slice() {
            [] => {
                found.add(
                    "client_secret_file",
                    "the tenant has no credential",
                    "give exactly one: client_secret_file, client_secret, certificate_file with private_key_file, managed_identity or federated_token_file",
                );
                return None;
            }
            [_] => {}
            several => {
                found.add(
                    several[1],
                    format!(
                        "the tenant has {} credentials: {}",
                        several.len(),
                        several.join(", ")
                    ),
                    "keep exactly one",
                );
                return None;
            }
        }
        if let Some(identity) = &self.managed_identity {
            if self.client_id.is_some() {
                found.add(
                    "client_id",
                    "a managed identity takes no client id here",
                    "name a user-assigned identity in managed_identity.client_id",
                );
            }
            return checked_identity(identity, found).map(Credential::Managed);
        }
        let client_id = self.checked_client_id(found)?;
        self.credential_of(client_id, found)
    }

    /// The keys that each give a credential.
    fn credentials_given(&self) -> Vec<&'static str> {
        [
            ("client_secret", self.client_secret.is_some()),
            ("client_secret_file", self.client_secret_file.is_some()),
            (
                "certificate_file",
                self.certificate_file.is_some() || self.private_key_file.is_some(),
            ),
            ("managed_identity", self.managed_identity.is_some()),
            ("federated_token_file", self.federated_token_file.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, given)| given.then_some(key))
        .collect()
    }

    fn checked_client_id(&self, found: &mut Problems) -> Option<String> {
        let id = self.client_id.as_deref().unwrap_or_default().trim();
        if is_guid(id) {
            return Some(id.to_ascii_lowercase());
        }
        found.add(
            "client_id",
            format!("{id:?} is not the id of an application"),
            "copy the application (client) id of the app registration, a GUID",
        );
        None
    }

    fn credential_of(&self, client_id: String, found: &mut Problems) -> Option<Credential> {
        if let Some(secret) = &self.client_secret {
            if secret.expose().trim().is_empty() {
                found.add(
                    "client_secret",
                    "the client secret is empty",
                    "use client_secret_file",
                );
                return None;
            }
            let secret = secret.clone();
            return Some(Credential::Secret { client_id, secret });
        }
        if let Some(file) = &self.client_secret_file {
            let file = PathBuf::from(file);
            return Some(Credential::SecretFile { client_id, file });
        }
        if let Some(file) = &self.federated_token_file {
            let file = PathBuf::from(file);
            return Some(Credential::Federated { client_id, file });
        }
        match (&self.certificate_file, &self.private_key_file) {
            (Some(certificate), Some(key)) => Some(Credential::Certificate {
                client_id,
                certificate_file: PathBuf::from(certificate),
                private_key_file: PathBuf::from(key),
            }),
            (Some(_), None) => {
                found.add(
                    "private_key_file",
                    "the certificate has no private key",
                    "name the PEM file of its RSA key",
                );
                None
            }
            _ => {
                found.add(
                    "certificate_file",
                    "the private key has no certificate",
                    "name the PEM file of its certificate",
                );
                None
            }
        }
    }
}

fn checked_identity(
    section: &ManagedIdentitySection,
    found: &mut Problems,
) -> Option<ManagedIdentity> {
    let before = found.0.len();
    if let Some(id) = section.client_id.as_deref().filter(|id| !is_guid(id)) {
        found.add(
            "managed_identity.client_id",
            format!("{id:?} is not the client id of a user-assigned identity"),
            "a GUID; leave it out for the system-assigned identity",
        );
    }
    let endpoint = section
        .endpoint
        .as_deref()
        .and_then(|endpoint| found.address("managed_identity.endpoint", endpoint));
    (found.0.len() == before).then(|| ManagedIdentity {
        kind: section.kind,
        client_id: section.client_id.clone(),
        endpoint,
    })
}
