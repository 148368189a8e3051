//! Who exists in a story: tenants with their applications, configurations, servers, agents and objects.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::sync_server::{Happening, SyncServer, Trouble};
use crate::times::Span;

/// One tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Short name used in steps.
    pub name: String,
    /// Directory id (GUID).
    pub id: String,
    /// Name of the company.
    pub display_name: String,
    /// First label of the initial domain: `<prefix>.onmicrosoft.com`.
    pub prefix: String,
    /// Verified custom domains; the first one is the default.
    pub domains: Vec<String>,
    /// Never synchronised: every on-premises value is null.
    #[serde(default)]
    pub cloud_only: bool,
    /// The login host of another cloud is asked: AADSTS900382.
    #[serde(default)]
    pub other_cloud: bool,
    /// Applications that can sign in.
    #[serde(rename = "client")]
    pub clients: Vec<Client>,
    /// Cloud Sync configurations.
    #[serde(default, rename = "configuration")]
    pub configurations: Vec<Configuration>,
    /// Other applications with synchronization jobs: noise.
    #[serde(default, rename = "foreign_app")]
    pub foreign_apps: Vec<ForeignApp>,
    /// Connect Sync, if it writes to this tenant.
    #[serde(default)]
    pub connect: Option<Connect>,
    /// Cloud Sync agents.
    #[serde(default, rename = "agent")]
    pub agents: Vec<Agent>,
    /// Servers with Connect Sync that agents stand on. Graph knows nothing of them: who plays the
    /// story starts an agent on each.
    #[serde(default, rename = "sync_server")]
    pub sync_servers: Vec<SyncServerPart>,
    /// Users and groups.
    #[serde(default)]
    pub directory: Directory,
    /// A mountain of provisioning rows that exist from the beginning.
    #[serde(default)]
    pub bulk: Option<BulkRows>,
}

/// An application that can sign in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Application (client) id.
    pub id: String,
    /// Client secret.
    #[serde(default)]
    pub secret: Option<String>,
    /// End of the secret, relative to the beginning of the story; none means a year.
    #[serde(default)]
    pub secret_ends: Option<Span>,
    /// Certificate, PEM.
    #[serde(default)]
    pub certificate_pem: Option<String>,
    /// Certificate file, relative to the story file.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// End of the certificate as registered, relative to the beginning of the story; none means a year.
    #[serde(default)]
    pub certificate_ends: Option<Span>,
    /// External tokens that are accepted as assertion.
    #[serde(default, rename = "federated")]
    pub federated: Vec<Federated>,
    /// Application permissions.
    pub roles: Vec<String>,
    /// The application is disabled: AADSTS7000112.
    #[serde(default)]
    pub disabled: bool,
    /// The identity is also handed out by IMDS and App Service.
    #[serde(default)]
    pub managed_identity: bool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// A federated credential: either a fixed token, or an issuer with its public key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Federated {
    /// Exactly this token is accepted.
    Fixed {
        /// The token.
        token: String,
    },
    /// Tokens of this issuer are verified.
    Issuer {
        /// `iss`.
        issuer: String,
        /// `sub`.
        subject: String,
        /// Certificate of the issuer, PEM (RSA).
        certificate_pem: String,
    },
}

/// A Cloud Sync configuration: one service principal with its jobs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// AD domain.
    pub domain: String,
    /// NetBIOS name; none means the first label in capitals.
    #[serde(default)]
    pub netbios: Option<String>,
    /// Which of the two shapes of a service principal.
    #[serde(default)]
    pub shape: Shape,
    /// Object id of the service principal; none means derived from the seed.
    #[serde(default)]
    pub service_principal_id: Option<String>,
    /// Containers in scope; empty means everything.
    #[serde(default)]
    pub containers: Vec<String>,
    /// Groups in scope.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The jobs.
    #[serde(rename = "job")]
    pub jobs: Vec<Job>,
}

/// The two shapes of a Cloud Sync service principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `applicationTemplateId` is the template, `appId` is random.
    #[default]
    Template,
    /// `appId` is the template, `applicationTemplateId` is null.
    Legacy,
}

/// A synchronization job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// `AD2AADProvisioning`, `AD2AADPasswordHash`, ...
    pub template: String,
    /// Promised interval (`schedule.interval`).
    pub interval: Span,
    /// Real time from start to start.
    pub cadence: Span,
    /// Share by which the real cadence wanders.
    #[serde(default = "tenth")]
    pub jitter: f64,
    /// How long a cycle takes.
    #[serde(default = "short")]
    pub takes: Span,
    /// Objects written per cycle.
    #[serde(default)]
    pub objects: u32,
    /// Rows in the provisioning log per cycle.
    #[serde(default)]
    pub rows: u32,
    /// State at the beginning.
    #[serde(default)]
    pub state: JobStart,
}

/// State of a job at the beginning of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStart {
    /// In steady state for months.
    #[default]
    Active,
    /// Started, but no cycle yet.
    NotRun,
    /// Paused by an administrator.
    Paused,
    /// Never enabled.
    Disabled,
}

/// Another application with a synchronization job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignApp {
    /// Display name.
    pub name: String,
    /// Its job.
    pub job: Job,
}

/// Connect Sync as seen from the tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Server name.
    pub server: String,
    /// Which kind of account writes.
    #[serde(default)]
    pub account: ConnectAccount,
    /// Interval of object cycles.
    pub interval: Span,
    /// Interval of password hash cycles.
    pub password_interval: Span,
    /// Audit rows per object cycle; 0 means it writes nothing that can be audited.
    #[serde(default)]
    pub audits: u32,
    /// End of the certificate of its application, relative to the beginning of the story.
    #[serde(default)]
    pub certificate_ends: Option<Span>,
    /// Version it reports.
    #[serde(default = "connect_version")]
    pub version: String,
}

/// Who writes for Connect Sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectAccount {
    /// `Sync_<SERVER>_<hash>@<tenant>.onmicrosoft.com`.
    #[default]
    Legacy,
    /// `ConnectSyncProvisioning_<SERVER>_<hash>`, appId null in audits.
    Application,
}

/// A Cloud Sync agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Fully qualified machine name.
    pub machine: String,
    /// AD domain it serves.
    pub domain: String,
}

/// Users and groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Directory {
    /// Number of users.
    pub users: u32,
    /// Number of groups.
    pub groups: u32,
    /// Share of users that were synchronised once and are not any more.
    pub former_share: f64,
    /// Share of users that live in the cloud only.
    pub cloud_share: f64,
    /// Share of users with a provisioning error.
    pub error_share: f64,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            users: 200,
            groups: 20,
            former_share: 0.02,
            cloud_share: 0.05,
            error_share: 0.01,
        }
    }
}

/// A mountain of provisioning rows in the past.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkRows {
    /// AD domain whose object job wrote them.
    pub domain: String,
    /// How many.
    pub rows: u32,
    /// Time they are spread over, ending at the beginning of the story.
    pub over: Span,
}

const fn tenth() -> f64 {
    0.1
}

const fn short() -> Span {
    Span::secs(2)
}

fn connect_version() -> String {
    "2.5.190.0".to_owned()
}

/// A server with Connect Sync.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncServerPart {
    /// Name of the host.
    pub host: String,
    /// AD domains, each a forest of its own.
    pub domains: Vec<String>,
    /// It begins in staging mode.
    #[serde(default)]
    pub staging: bool,
    /// Interval of its scheduler.
    pub interval: Span,
    /// Interval of its password hash sync.
    pub password_interval: Span,
    /// How long it has been running.
    pub history: Span,
    /// What befalls it.
    #[serde(default, rename = "trouble")]
    pub troubles: Vec<Happening<Trouble>>,
}

impl SyncServerPart {
    /// The server, in a story that begins at this instant.
    #[must_use]
    pub fn server(&self, tenant: &str, begin_ms: i64) -> SyncServer {
        let domains: Vec<&str> = self.domains.iter().map(String::as_str).collect();
        let mut server = SyncServer::connect(&self.host, begin_ms, tenant, &domains);
        server.history = self.history;
        server.troubles.clone_from(&self.troubles);
        if let Some(connect) = &mut server.connect {
            connect.staging = self.staging;
            connect.interval = self.interval;
            connect.password_interval = self.password_interval;
            connect.ping_interval = self.password_interval;
        }
        server
    }
}
