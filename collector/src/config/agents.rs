//! The `[[tenant.agent]]` sections: agents on sync servers, and how their reports come home.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncwatch_domain::secret::Secret;
use syncwatch_domain::span::Span;
use url::Url;

use super::TenantSection;
use super::values::Problems;

/// Fewest characters of a token: 32 random bytes in hexadecimal are 64.
const SHORTEST_TOKEN: usize = 16;
/// Longest wait for a report before an agent may be called silent.
const LONGEST_SILENCE: Span = Span::minutes(7 * 24 * 60);

/// An agent on a sync server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentSection {
    /// Name of the server, as the agent reports it. A report of another server is refused.
    #[schemars(example = &"SYNC01")]
    pub host: String,
    /// Token that the agent and syncwatch share. Better kept in `token_file`.
    #[schemars(with = "Option<String>")]
    pub token: Option<Secret<String>>,
    /// File that holds the token; read at use.
    #[schemars(example = &"/run/credentials/syncwatch/agent-sync01")]
    pub token_file: Option<String>,
    /// For an agent that pushes, in place of a token: DNS name in the certificate that it shows at
    /// `[intake]`, letter for letter but for case. The authority is `client_ca_file` of `[intake]`.
    #[schemars(example = &"sync01.ad.hauser.example")]
    pub certificate_name: Option<String>,
    /// Address at which the agent is asked for reports. Left out when it pushes them to
    /// `/agent/v1/reports`. Plain `http` for loopback addresses only.
    #[schemars(example = &"https://sync01.ad.hauser.example:9749")]
    pub url: Option<String>,
    /// PEM file with the certificates that the agent's own is checked against, in place of those
    /// the machine trusts.
    pub ca_file: Option<String>,
    /// For an agent that is asked, in place of a token or beside it: PEM file with the certificate
    /// that is shown to the agent; its authority is `client_ca_file` of the agent's `[listen]`.
    /// Needs `client_private_key_file`. Both are read again when the agent cannot be reached.
    #[schemars(example = &"/etc/syncwatch/asks-agents.pem")]
    pub client_certificate_file: Option<String>,
    /// PEM file with the private key of that certificate.
    #[schemars(example = &"/run/credentials/syncwatch/asks-agents.key")]
    pub client_private_key_file: Option<String>,
    /// How often the agent is asked.
    #[schemars(with = "String")]
    pub every: Span,
    /// The agent is silent when no report came for this long; what hangs on it is blind.
    /// Source of the default: agents read once a minute; ten readings in a row are no accident.
    #[schemars(with = "String")]
    pub silent_after: Span,
}

impl Default for AgentSection {
    fn default() -> Self {
        Self {
            host: String::new(),
            token: None,
            token_file: None,
            certificate_name: None,
            url: None,
            ca_file: None,
            client_certificate_file: None,
            client_private_key_file: None,
            every: Span::secs(60),
            silent_after: Span::minutes(10),
        }
    }
}

/// Where the token of an agent is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentToken {
    /// In the config.
    Given(Secret<String>),
    /// In a file, read at use.
    File(PathBuf),
}

/// A certificate with its key, in PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientPair {
    /// The certificate, and those that signed it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// An agent section that holds together: the agent has a token, or one of the certificates.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// Name of the server.
    pub host: String,
    /// Its token.
    pub token: Option<AgentToken>,
    /// Name in the certificate that it shows when it pushes.
    pub certificate_name: Option<String>,
    /// What is shown to it when it is asked.
    pub client_pair: Option<ClientPair>,
    /// Where it is asked; `None` when it pushes.
    pub url: Option<Url>,
    /// What its certificate is checked against.
    pub ca_file: Option<PathBuf>,
    /// How often it is asked.
    pub every: Duration,
    /// Silent after this.
    pub silent_after: Duration,
}

impl TenantSection {
    pub(super) fn checked_agents(&self, found: &mut Problems) -> Vec<AgentConfig> {
        let mut agents = Vec::with_capacity(self.agent.len());
        for (index, section) in self.agent.iter().enumerate() {
            let at = |key: &str| format!("agent[{index}].{key}");
            let host = section.host.trim();
            if host.is_empty() || host.len() > 255 || host.contains(['/', ' ']) {
                found.add(
                    &at("host"),
                    format!("{host:?} is not the name of a server"),
                    "write the computer name of the server, such as \"SYNC01\"",
                );
            } else if self.agent[..index]
                .iter()
                .any(|other| other.host.trim().eq_ignore_ascii_case(host))
            {
                found.add(
                    &at("host"),
                    format!("{host} has an agent already"),
                    "every server has one agent",
                );
            }
            found.within(
                &at("every"),
                &section.every,
                (Span::secs(1), Span::minutes(24 * 60)),
            );
            found.within(
                &at("silent_after"),
                &section.silent_after,
                (Span::secs(1), LONGEST_SILENCE),
            );
            let certificate_name = section.checked_name(&at("certificate_name"), found);
            let client_pair = section.checked_pair(&at, found);
            let token = section.checked_token(&at("token_file"), found);
            agents.push(AgentConfig {
                host: host.to_owned(),
                token,
                certificate_name,
                client_pair,
                url: section.checked_url(&at("url"), found),
                ca_file: section.ca_file.as_ref().map(PathBuf::from),
                every: section.every.0,
                silent_after: section.silent_after.0,
            });
        }
        agents
    }
}

impl AgentSection {
    fn checked_url(&self, path: &str, found: &mut Problems) -> Option<Url> {
        let url = found.address(path, self.url.as_deref()?)?;
        if url.path() != "/" {
            found.add(
                path,
                format!("{url} holds more than the address of the agent"),
                "write only the scheme, the host and the port",
            );
        }
        Some(url)
    }

    /// The name that stands in place of a token.
    fn checked_name(&self, path: &str, found: &mut Problems) -> Option<String> {
        let name = self.certificate_name.as_ref()?.trim();
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || name.len() > 253 || !name.chars().all(letter) {
            found.add(
                path,
                format!("{name:?} is not the DNS name of one server"),
                "write the name as it stands in the certificate, such as \"sync01.ad.hauser.example\"; no wildcards",
            );
        }
        if self.url.is_some() {
            found.add(
                path,
                "an agent that is asked shows the certificate of its address",
                "remove certificate_name; to do without a token give client_certificate_file",
            );
        }
        Some(name.to_owned())
    }

    /// What is shown to an agent that is asked.
    fn checked_pair(
        &self,
        at: &impl Fn(&str) -> String,
        found: &mut Problems,
    ) -> Option<ClientPair> {
        let keys = ("client_certificate_file", "client_private_key_file");
        let files = (&self.client_certificate_file, &self.client_private_key_file);
        let pair = match files {
            (None, None) => return None,
            (Some(certificate), Some(key)) => Some(ClientPair {
                certificate: PathBuf::from(certificate),
                key: PathBuf::from(key),
            }),
            (Some(_), None) => {
                let mend = "a certificate and its key come together";
                found.add(&at(keys.1), "the certificate has no key", mend);
                None
            }
            (None, Some(_)) => {
                let mend = "a certificate and its key come together";
                found.add(&at(keys.0), "the key has no certificate", mend);
                None
            }
        };
        if self.url.is_none() {
            found.add(
                &at(keys.0),
                "it is shown to agents that are asked; this one pushes",
                "give url, or certificate_name in its place",
            );
        }
        pair
    }

    /// Whether a certificate stands in place of the token.
    const fn has_certificate(&self) -> bool {
        self.certificate_name.is_some()
            || self.client_certificate_file.is_some()
            || self.client_private_key_file.is_some()
    }

    fn checked_token(&self, path: &str, found: &mut Problems) -> Option<AgentToken> {
        const MEND: &str = "give exactly one: token_file, or token";
        match (&self.token, &self.token_file) {
            (Some(_), _) | (_, Some(_)) if self.certificate_name.is_some() => {
                found.add(
                    path,
                    "the agent has a token and a certificate in place of it",
                    "give exactly one: token_file, token, or certificate_name",
                );
                None
            }
            (None, Some(file)) => Some(AgentToken::File(PathBuf::from(file))),
            (Some(token), None) if token.expose().trim().len() >= SHORTEST_TOKEN => {
                Some(AgentToken::Given(token.clone()))
            }
            (Some(_), None) => {
                found.add(
                    path,
                    format!("the token has fewer than {SHORTEST_TOKEN} characters"),
                    "make one with `openssl rand -hex 32`",
                );
                None
            }
            (Some(_), Some(_)) => {
                found.add(path, "the agent has two tokens", MEND);
                None
            }
            (None, None) if self.has_certificate() => None,
            (None, None) => {
                found.add(path, "the agent has no token", MEND);
                None
            }
        }
    }
}
