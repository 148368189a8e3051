//! What alerts are about.

use serde::{Deserialize, Serialize};

use crate::lane::LaneKey;
use crate::source::{Poll, SourceKey};

/// What an alert is about. `path` is unique within the tenant and stable over restarts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// Name of the tenant in the config.
    pub tenant: String,
    /// Key below the tenant, e.g. `lane/cloud/objects/ad.example` or `job/<id>`.
    pub path: String,
    /// The same for people, e.g. `Cloud Sync password hashes of ad.example`.
    pub title: String,
}

impl Subject {
    /// A lane.
    #[must_use]
    pub fn lane(key: &LaneKey) -> Self {
        let engine = match key.engine {
            crate::lane::Engine::Connect => "Connect Sync",
            crate::lane::Engine::Cloud => "Cloud Sync",
        };
        let kind = match key.kind {
            crate::lane::LaneKind::Objects => "objects",
            crate::lane::LaneKind::PasswordHash => "password hashes",
        };
        Self {
            tenant: key.tenant.clone(),
            path: format!("lane/{}/{}/{}", key.engine, key.kind, key.partition),
            title: format!("{engine} {kind} of {}", key.partition),
        }
    }

    /// A Cloud Sync job.
    #[must_use]
    pub fn job(tenant: &str, job_id: &str, template: &str, domain: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            path: format!("job/{job_id}"),
            title: format!("Cloud Sync job {template} of {domain}"),
        }
    }

    /// A single source.
    #[must_use]
    pub fn source(key: &SourceKey) -> Self {
        let (path, title) = match key.poll {
            Poll::AgentReports => (
                format!("agent/{}", key.instance),
                format!("Agent on {}", key.instance),
            ),
            Poll::AgentSection => section(&key.instance),
            _ => graph_source(key),
        };
        Self {
            tenant: key.tenant.clone(),
            path,
            title,
        }
    }

    /// All sections of an agent that cannot be read at a time.
    #[must_use]
    pub fn sections(tenant: &str, host: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            path: format!("agent/{host}/sections"),
            title: format!("Sections of {host}"),
        }
    }

    /// A sync server.
    #[must_use]
    pub fn server(tenant: &str, host: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            path: format!("server/{host}"),
            title: format!("Sync server {host}"),
        }
    }

    /// A part of a sync server, such as `connector` and its name.
    #[must_use]
    pub fn part_of_server(tenant: &str, host: &str, part: (&str, &str), title: String) -> Self {
        Self {
            tenant: tenant.to_owned(),
            path: format!("server/{host}/{}/{}", part.0, part.1),
            title,
        }
    }

    /// Everything of a tenant that Microsoft Graph tells.
    #[must_use]
    pub fn graph(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            path: "graph".to_owned(),
            title: "Microsoft Graph".to_owned(),
        }
    }
}

fn graph_source(key: &SourceKey) -> (String, String) {
    let instance = if key.instance.is_empty() {
        String::new()
    } else {
        format!(" {}", key.instance)
    };
    (
        format!("source/{}/{}", key.poll, key.instance),
        format!(
            "Microsoft Graph {}{instance}",
            key.poll.as_str().replace('_', " ")
        ),
    )
}

fn section(instance: &str) -> (String, String) {
    let (host, section) = instance.split_once('/').unwrap_or((instance, ""));
    (
        format!("agent/{host}/{section}"),
        format!("Section {} of {host}", section.replace('_', " ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_and_their_sections_are_not_microsoft_graph() {
        let of = |poll, instance: &str| {
            let subject = Subject::source(&SourceKey {
                tenant: "hauser".into(),
                poll,
                instance: instance.into(),
            });
            (subject.path, subject.title)
        };
        assert_eq!(
            of(Poll::AgentReports, "SYNC01"),
            ("agent/SYNC01".into(), "Agent on SYNC01".into())
        );
        assert_eq!(
            of(Poll::AgentSection, "SYNC01/password_sync"),
            (
                "agent/SYNC01/password_sync".into(),
                "Section password sync of SYNC01".into()
            )
        );
        assert_eq!(
            of(Poll::Jobs, "3f1d0a52"),
            (
                "source/jobs/3f1d0a52".into(),
                "Microsoft Graph jobs 3f1d0a52".into()
            )
        );
    }
}
