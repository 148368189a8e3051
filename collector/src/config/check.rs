//! From a section as written to one that holds together.

use std::path::PathBuf;

use syncwatch_domain::source::Poll;
use syncwatch_domain::span::Span;

use super::values::{Problems, is_domain, is_guid};
use super::{
    Credential, ManagedIdentity, ManagedIdentitySection, PollSettings, Problem, TenantConfig,
    TenantSection, default_schedule,
};

/// All sections checked together.
#[derive(Debug, Default)]
pub struct Checked {
    /// The sections without a problem.
    pub tenants: Vec<TenantConfig>,
    /// Problems, each with the number of its section, from 0.
    pub problems: Vec<(usize, Problem)>,
}

/// Checks every section, and that no two have the same name.
#[must_use]
pub fn check_all(sections: &[TenantSection]) -> Checked {
    let mut checked = Checked::default();
    for (index, section) in sections.iter().enumerate() {
        if let Some(first) = sections[..index]
            .iter()
            .position(|other| other.name == section.name)
        {
            checked.problems.push((
                index,
                Problem {
                    path: "name".to_owned(),
                    sentence: format!(
                        "{:?} is already the name of tenant number {}",
                        section.name,
                        first + 1
                    ),
                    hint: Some("every tenant needs a name of its own".to_owned()),
                },
            ));
        }
        match section.check() {
            Ok(tenant) => checked.tenants.push(tenant),
            Err(problems) => checked
                .problems
                .extend(problems.into_iter().map(|problem| (index, problem))),
        }
    }
    checked
}

impl TenantSection {
    /// Checks the section.
    ///
    /// # Errors
    /// Every problem there is, not only the first.
    pub fn check(&self) -> Result<TenantConfig, Vec<Problem>> {
        let mut found = Problems::default();
        self.check_names(&mut found);
        self.check_bounds(&mut found);
        let credential = self.checked_credential(&mut found);
        let cloud = self.cloud;
        let graph_url = found.address(
            "graph_url",
            self.graph_url.as_deref().unwrap_or(cloud.graph_url()),
        );
        let login_url = found.address(
            "login_url",
            self.login_url.as_deref().unwrap_or(cloud.login_urls()[0]),
        );
        match (credential, graph_url, login_url) {
            (Some(credential), Some(graph_url), Some(login_url)) if found.0.is_empty() => {
                Ok(TenantConfig {
                    name: self.name.clone(),
                    id: self.id.trim().to_owned(),
                    cloud,
                    credential,
                    graph_url,
                    login_url,
                    service_principals: self
                        .service_principals
                        .iter()
                        .map(|id| id.to_ascii_lowercase())
                        .collect(),
                    polls: Poll::ALL
                        .iter()
                        .map(|poll| (*poll, self.settings(*poll)))
                        .collect(),
                    provisioning_page_size: self.provisioning_page_size,
                    log_overlap: self.log_overlap.0,
                    log_first_read: self.log_first_read.0,
                    log_settle: self.log_settle.0,
                    log_requests: self.log_requests,
                    request_timeout: self.request_timeout.0,
                    connect_lanes: self.connect_lanes,
                    connect_actors: self.connect_actors.clone(),
                    cloud_actors: self.cloud_actors.clone(),
                })
            }
            _ => Err(found.0),
        }
    }

    fn settings(&self, poll: Poll) -> PollSettings {
        let section = self.polls.of(poll);
        PollSettings {
            schedule: section
                .schedule
                .clone()
                .unwrap_or_else(|| default_schedule(poll)),
            enabled: section.enabled,
        }
    }

    fn check_bounds(&self, found: &mut Problems) {
        const MONTH: Span = Span::minutes(30 * 24 * 60);
        const NONE: Span = Span::secs(0);
        found.within("log_overlap", &self.log_overlap, (NONE, MONTH));
        found.within("log_first_read", &self.log_first_read, (NONE, MONTH));
        found.within(
            "log_settle",
            &self.log_settle,
            (NONE, Span::minutes(24 * 60)),
        );
        found.within(
            "request_timeout",
            &self.request_timeout,
            (Span::secs(1), Span::secs(55)),
        );
        found.within(
            "provisioning_page_size",
            &self.provisioning_page_size,
            (1, 1000),
        );
        found.within("log_requests", &self.log_requests, (1, 100_000));
    }

    fn check_names(&self, found: &mut Problems) {
        let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if self.name.is_empty() {
            found.add(
                "name",
                "the tenant has no name",
                "choose a short one, such as \"hauser\"",
            );
        } else if self.name.len() > 64 || !self.name.bytes().all(letters) {
            found.add(
                "name",
                format!("{:?} is not a short name", self.name),
                "use up to 64 letters, digits, '-', '_' and '.'",
            );
        }
        let id = self.id.trim();
        let refused = ["common", "organizations", "consumers"];
        if id.is_empty() || refused.contains(&id) || !(is_guid(id) || is_domain(id)) {
            found.add(
                "id",
                format!("{id:?} is neither a directory id nor a verified domain name"),
                "copy the directory (tenant) id from the overview page of Microsoft Entra ID",
            );
        }
        for (index, principal) in self.service_principals.iter().enumerate() {
            if !is_guid(principal) {
                found.add(
                    &format!("service_principals[{index}]"),
                    format!("{principal:?} is not the object id of a service principal"),
                    "use the object id of the enterprise application, a GUID",
                );
            }
        }
        for (key, actors) in [
            ("connect_actors", &self.connect_actors),
            ("cloud_actors", &self.cloud_actors),
        ] {
            for (index, actor) in actors.iter().enumerate() {
                if actor.trim().len() < 3 {
                    found.add(
                        &format!("{key}[{index}]"),
                        format!("{actor:?} is too short to name an actor"),
                        "write the start of a user principal name, an application name or an object id",
                    );
                }
            }
        }
    }

    fn checked_credential(&self, found: &mut Problems) -> Option<Credential> {
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
