//! Who may report: the agents of the config, each known by its token or by the name in its
//! certificate.

use std::path::PathBuf;
use std::sync::Arc;

use ring::hmac;
use syncwatch_domain::secret::Secret;

use super::Enrolled;
use crate::config::AgentToken;

/// An agent that may report.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Who {
    /// Its tenant.
    pub tenant: String,
    /// Name of its server.
    pub host: String,
}

/// Why nobody is let in.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The token belongs to nobody.
    #[error(
        "the token is not one of an agent of this configuration: compare token_file on the server and in [[tenant.agent]]"
    )]
    Unknown,
    /// The certificate belongs to nobody.
    #[error(
        "the certificate has no name that an agent of this configuration has as certificate_name in [[tenant.agent]]"
    )]
    UnknownCertificate,
    /// A token cannot be read here.
    #[error("cannot read the token of the agent on {host} from {}", file.display())]
    File {
        /// Name of its server.
        host: String,
        /// Where it should be.
        file: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// The agents of the config with their tokens.
pub(super) struct Access {
    agents: Arc<[Enrolled]>,
    /// Made anew with every start. Comparing what it makes of two tokens tells nothing of either,
    /// however long it takes.
    key: hmac::Key,
}

impl Access {
    pub(super) fn new(agents: Arc<[Enrolled]>) -> Result<Self, ring::error::Unspecified> {
        Ok(Self {
            agents,
            key: hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())?,
        })
    }

    /// Whose token it is. An agent whose token cannot be read keeps no other one out.
    pub(super) fn who(&self, token: &str) -> Result<Who, AccessError> {
        let shown = hmac::sign(&self.key, token.trim().as_bytes());
        let mut unreadable = None;
        for Enrolled { who, config } in self.agents.iter() {
            let Some(token) = &config.token else {
                continue;
            };
            match read(who, token) {
                Ok(expected) => {
                    let expected = hmac::sign(&self.key, expected.expose().trim().as_bytes());
                    if shown.as_ref() == expected.as_ref() {
                        return Ok(who.clone());
                    }
                }
                Err(error) => unreadable = Some(error),
            }
        }
        Err(unreadable.unwrap_or(AccessError::Unknown))
    }

    /// Whose certificate it is, by the DNS names in it: the authority was checked with the
    /// handshake. A wildcard is the name of nobody.
    pub(super) fn named(&self, names: &[String]) -> Result<Who, AccessError> {
        let is_shown =
            |expected: &String| names.iter().any(|name| name.eq_ignore_ascii_case(expected));
        let mut agents = self.agents.iter();
        agents
            .find(|agent| agent.config.certificate_name.as_ref().is_some_and(is_shown))
            .map(|agent| agent.who.clone())
            .ok_or(AccessError::UnknownCertificate)
    }
}

/// The token of an agent.
pub(super) fn read(who: &Who, token: &AgentToken) -> Result<Secret<String>, AccessError> {
    match token {
        AgentToken::Given(token) => Ok(token.clone()),
        AgentToken::File(file) => match std::fs::read_to_string(file) {
            // An empty file must not let in whoever sends nothing.
            Ok(text) if text.trim().is_empty() => Err(AccessError::File {
                host: who.host.clone(),
                file: file.clone(),
                source: std::io::Error::other("it is empty"),
            }),
            Ok(text) => Ok(Secret::new(text)),
            Err(source) => Err(AccessError::File {
                host: who.host.clone(),
                file: file.clone(),
                source,
            }),
        },
    }
}
