//! The `[[tenant]]` sections of the config file: as written, and checked.
//!
//! [`TenantSection`] is what the file holds; [`TenantSection::check`] turns it into a
//! [`TenantConfig`] or reports every problem at once, not only the first.

mod agents;
mod check;
mod check_credential;
mod cloud;
mod credential;
mod files;
mod polls;
#[cfg(test)]
mod tests;
pub(crate) mod values;

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncwatch_domain::secret::Secret;
use syncwatch_domain::source::Poll;
use syncwatch_domain::span::Span;
use url::Url;

pub use agents::{AgentConfig, AgentSection, AgentToken, ClientPair};
pub use check::{Checked, check_all};
pub use cloud::Cloud;
pub use credential::{Credential, IdentityKind, ManagedIdentity};
pub use polls::{PollSection, PollSettings, PollsSection, default_schedule};

/// One thing that is wrong with a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: the key, counted from the section, e.g. `polls.jobs.schedule`.
    pub path: String,
    /// What is wrong.
    pub sentence: String,
    /// How to mend it.
    pub hint: Option<String>,
}

/// A Microsoft Entra tenant that is watched.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TenantSection {
    /// Short name of the tenant: used in metrics, alerts and on pages. Letters, digits, `-`, `_` and `.`.
    #[schemars(example = &"hauser")]
    pub name: String,
    /// Directory (tenant) id, or a verified domain name of the tenant.
    #[schemars(example = &"4d2f9a36-1c58-4e07-8b63-d94a5e7c1b20")]
    pub id: String,
    /// Cloud the tenant lives in (Microsoft Graph reference: national cloud deployments).
    pub cloud: Cloud,
    /// Application (client) id of the app registration. Left out with a managed identity.
    #[schemars(example = &"8e61b7d4-93a0-4f5c-b2c8-07f1a6d3e594")]
    pub client_id: Option<String>,
    /// Client secret: its value, not its id. Better kept in `client_secret_file`.
    #[schemars(with = "Option<String>")]
    pub client_secret: Option<Secret<String>>,
    /// File that holds the client secret; read each time a token is requested.
    #[schemars(example = &"/run/credentials/syncwatch/client-secret")]
    pub client_secret_file: Option<String>,
    /// PEM file with the certificate that is registered on the application. Needs `private_key_file`.
    pub certificate_file: Option<String>,
    /// PEM file with the RSA private key of the certificate (PKCS#8 or PKCS#1, not encrypted).
    pub private_key_file: Option<String>,
    /// Use the managed identity of the machine instead of a credential of an application.
    pub managed_identity: Option<ManagedIdentitySection>,
    /// File with a token of another identity provider (workload identity federation); read each time.
    pub federated_token_file: Option<String>,
    /// Address of Microsoft Graph in place of the cloud's own. Plain `http` for loopback addresses only.
    pub graph_url: Option<String>,
    /// Address of the login service in place of the cloud's own. China has two documented ones:
    /// `https://login.chinacloudapi.cn`, which is used by default, and `https://login.partner.microsoftonline.cn`.
    pub login_url: Option<String>,
    /// Object ids of service principals of Cloud Sync configurations, beside the ones that are found.
    pub service_principals: Vec<String>,
    /// When each poll runs.
    pub polls: PollsSection,
    /// Rows asked for per page of the provisioning logs, 1 to 1000. When the service refuses the
    /// size, 500 and 100 are tried.
    pub provisioning_page_size: u32,
    /// How far back the logs are read again, because rows appear late. Every read goes back 15
    /// minutes, one in 15 minutes goes back this far (Microsoft Entra reference: log latency of up to 2 hours).
    #[schemars(with = "String")]
    pub log_overlap: Span,
    /// How far back the logs are read the very first time, at most `30d`.
    #[schemars(with = "String")]
    pub log_first_read: Span,
    /// Missed windows that only the logs can prove are entered this long after an outage, when late
    /// rows have arrived (settling delay for logs).
    #[schemars(with = "String")]
    pub log_settle: Span,
    /// Requests to the reporting service per 10 seconds. The service allows 5 for one application
    /// and tenant (Microsoft Graph reference: service-specific throttling limits).
    pub log_requests: u32,
    /// Longest time one request may take, `1s` to `55s`.
    #[schemars(with = "String")]
    pub request_timeout: Span,
    /// What is done with the tenant-wide sync time stamps, which either engine moves.
    pub connect_lanes: ConnectLanes,
    /// Further actors in directory audits that are Connect Sync: user principal name prefixes,
    /// application names or object ids of service principals.
    pub connect_actors: Vec<String>,
    /// Further actors in directory audits that are Cloud Sync.
    pub cloud_actors: Vec<String>,
    /// Agents on the sync servers of the tenant.
    pub agent: Vec<AgentSection>,
}

impl Default for TenantSection {
    fn default() -> Self {
        Self {
            name: String::new(),
            id: String::new(),
            cloud: Cloud::default(),
            client_id: None,
            client_secret: None,
            client_secret_file: None,
            certificate_file: None,
            private_key_file: None,
            managed_identity: None,
            federated_token_file: None,
            graph_url: None,
            login_url: None,
            service_principals: Vec::new(),
            polls: PollsSection::default(),
            provisioning_page_size: 1000,
            log_overlap: Span::minutes(120),
            log_first_read: Span::minutes(24 * 60),
            log_settle: Span::minutes(30),
            log_requests: 4,
            request_timeout: Span::secs(30),
            connect_lanes: ConnectLanes::default(),
            connect_actors: Vec::new(),
            cloud_actors: Vec::new(),
            agent: Vec::new(),
        }
    }
}

/// The managed identity of the machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ManagedIdentitySection {
    /// Where the identity comes from.
    pub kind: IdentityKind,
    /// Client id of a user-assigned identity; without it the system-assigned one is used.
    pub client_id: Option<String>,
    /// Address of the identity endpoint in place of the machine's own. Plain `http` for loopback addresses only.
    pub endpoint: Option<String>,
}

/// What is done with the tenant-wide time stamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectLanes {
    /// They judge Connect Sync while no Cloud Sync job of the kind is active.
    #[default]
    UnlessMasked,
    /// They make no lanes.
    Off,
}

/// A tenant section that holds together.
#[derive(Clone, Debug)]
pub struct TenantConfig {
    /// Short name.
    pub name: String,
    /// Directory id or verified domain.
    pub id: String,
    /// Cloud.
    pub cloud: Cloud,
    /// How the service proves who it is.
    pub credential: Credential,
    /// Address of Microsoft Graph.
    pub graph_url: Url,
    /// Address of the login service.
    pub login_url: Url,
    /// Further service principals of Cloud Sync.
    pub service_principals: Vec<String>,
    /// Settings of every poll.
    pub polls: BTreeMap<Poll, PollSettings>,
    /// Rows per page of the provisioning logs.
    pub provisioning_page_size: u32,
    /// How far back logs are read again.
    pub log_overlap: Duration,
    /// How far back logs are read the first time.
    pub log_first_read: Duration,
    /// How long after an outage its logs are final.
    pub log_settle: Duration,
    /// Requests to the reporting service per 10 seconds.
    pub log_requests: u32,
    /// Longest time of one request.
    pub request_timeout: Duration,
    /// Use of the tenant-wide time stamps.
    pub connect_lanes: ConnectLanes,
    /// Further Connect Sync actors.
    pub connect_actors: Vec<String>,
    /// Further Cloud Sync actors.
    pub cloud_actors: Vec<String>,
    /// Agents on its sync servers.
    pub agents: Vec<AgentConfig>,
}

impl TenantConfig {
    /// The settings of a poll.
    #[must_use]
    pub fn poll(&self, poll: Poll) -> PollSettings {
        self.polls
            .get(&poll)
            .cloned()
            .unwrap_or_else(|| PollSettings::documented(poll))
    }

    /// The client id, where the credential has one.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.credential.client_id()
    }

    /// The scope of a token: the cloud's own Graph, also when `graph_url` names a proxy.
    #[must_use]
    pub fn scope(&self) -> String {
        format!("{}/.default", self.cloud.graph_url())
    }
}
