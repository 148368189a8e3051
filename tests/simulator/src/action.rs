//! What can happen to the simulated world, from a story file or from Rust.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::times::Span;

/// Names one job: `TENANT/DOMAIN/TEMPLATE`, where the template may be written `objects` or `password_hash`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRef {
    /// Name of the tenant in the story.
    pub tenant: String,
    /// AD domain of the configuration, or name of the foreign app.
    pub app: String,
    /// Template of the job, for example `AD2AADProvisioning`.
    pub template: String,
}

impl JobRef {
    /// The object job of a domain.
    #[must_use]
    pub fn objects(tenant: &str, domain: &str) -> Self {
        Self::new(tenant, domain, "AD2AADProvisioning")
    }

    /// The password hash job of a domain.
    #[must_use]
    pub fn password_hash(tenant: &str, domain: &str) -> Self {
        Self::new(tenant, domain, "AD2AADPasswordHash")
    }

    /// Any job by its template.
    #[must_use]
    pub fn new(tenant: &str, app: &str, template: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            app: app.to_owned(),
            template: template.to_owned(),
        }
    }
}

impl Display for JobRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tenant, self.app, self.template)
    }
}

/// A job reference that does not have three parts.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} does not name a job; write TENANT/DOMAIN/objects or TENANT/DOMAIN/password_hash")]
pub struct BadJobRef(String);

impl FromStr for JobRef {
    type Err = BadJobRef;

    fn from_str(text: &str) -> Result<Self, BadJobRef> {
        let mut parts = text.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(tenant), Some(app), Some(template), None) => Ok(match template {
                "objects" => Self::objects(tenant, app),
                "password_hash" => Self::password_hash(tenant, app),
                other => Self::new(tenant, app, other),
            }),
            _ => Err(BadJobRef(text.to_owned())),
        }
    }
}

impl<'de> Deserialize<'de> for JobRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for JobRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a server misbehaves when it is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DownMode {
    /// Connections are reset before a byte is read.
    Refuse,
    /// 503 with the JSON body of Graph, sometimes with Retry-After.
    #[serde(rename = "503")]
    Unavailable,
    /// 504 with the empty message of an overloaded log query.
    #[serde(rename = "504")]
    GatewayTimeout,
    /// 502 with a page of HTML from a gateway.
    Html,
    /// 200 with a page of HTML, as a captive portal or proxy gives it.
    Portal,
    /// The request is read and never answered.
    Hang,
    /// The right answer, cut in the middle.
    Cut,
    /// 200 with bytes that are no JSON.
    Garbage,
    /// JSON of the right shape with numbers and flags as text and lists as objects.
    WrongTypes,
    /// JSON with numbers and years no type can hold.
    HugeNumbers,
    /// JSON in bytes that are not UTF-8.
    WrongEncoding,
}

/// A receiver of notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receiver {
    /// The mail server.
    Smtp,
    /// The Teams Workflows endpoint.
    Teams,
    /// The generic webhook.
    Webhook,
}

/// One thing that happens to the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Action {
    /// Cycles stop happening; the status of the job stays as it is, as if nothing were wrong.
    JobStop {
        /// Which job.
        job: JobRef,
    },
    /// The job runs again with its next cycle now; ends every other state of the job too.
    JobResume {
        /// Which job.
        job: JobRef,
    },
    /// Cycles run and fail as a whole with an error code.
    JobFail {
        /// Which job.
        job: JobRef,
        /// For example `HybridIdentityServiceNoActiveAgents`.
        code: String,
    },
    /// The job goes into quarantine now and retries on the documented back-off.
    JobQuarantine {
        /// Which job.
        job: JobRef,
        /// `EncounteredQuarantineException`, `TooManyDeletes`, ...
        #[serde(default = "quarantine_exception")]
        reason: String,
        /// Error code inside the quarantine; without it the reason is used.
        code: Option<String>,
    },
    /// An administrator pauses the job.
    JobPause {
        /// Which job.
        job: JobRef,
    },
    /// The job is disabled, as after 28 days in quarantine.
    JobDisable {
        /// Which job.
        job: JobRef,
    },
    /// The promised interval changes; the real cadence does not.
    JobSchedule {
        /// Which job.
        job: JobRef,
        /// The new promise.
        interval: Span,
    },
    /// The real cadence changes; the promised interval does not.
    JobCadence {
        /// Which job.
        job: JobRef,
        /// Time from start to start.
        cadence: Span,
    },
    /// A full cycle from the beginning: progress is filled, steady state times are zero dates until it ends.
    JobInitial {
        /// Which job.
        job: JobRef,
        /// How long it takes.
        takes: Span,
    },
    /// Failed rows appear in the provisioning log of a job, all at once.
    ObjectErrors {
        /// Which job.
        job: JobRef,
        /// For example `AttributeValueMustBeUnique`.
        code: String,
        /// How many objects.
        count: u32,
    },
    /// The containers in scope of a configuration change, and with them the schema version.
    ScopeChange {
        /// Which job.
        job: JobRef,
        /// Distinguished names; empty means everything.
        containers: Vec<String>,
    },
    /// Connect Sync stops writing.
    ConnectStop {
        /// Tenant name.
        tenant: String,
    },
    /// Connect Sync writes again, now.
    ConnectResume {
        /// Tenant name.
        tenant: String,
    },
    /// A Cloud Sync agent shows as inactive.
    AgentDown {
        /// Tenant name.
        tenant: String,
        /// Machine name.
        machine: String,
    },
    /// A Cloud Sync agent shows as active again.
    AgentUp {
        /// Tenant name.
        tenant: String,
        /// Machine name.
        machine: String,
    },
    /// Graph is down for one tenant.
    GraphDown {
        /// Tenant name.
        tenant: String,
        /// How.
        mode: DownMode,
    },
    /// Graph is back.
    GraphUp {
        /// Tenant name.
        tenant: String,
    },
    /// The next calls of an endpoint are throttled.
    Throttle {
        /// Tenant name.
        tenant: String,
        /// A part of the path, for example `auditLogs` or `synchronization/jobs`; empty means every path.
        #[serde(default)]
        endpoint: String,
        /// Seconds; none means no Retry-After header.
        retry_after: Option<u64>,
        /// How many calls.
        count: u32,
    },
    /// Every Graph answer of a tenant is held back.
    Slow {
        /// Tenant name.
        tenant: String,
        /// Milliseconds of real time; 0 ends it.
        ms: u64,
    },
    /// The token endpoint is down for everyone.
    LoginDown {
        /// How.
        mode: DownMode,
    },
    /// The token endpoint is back.
    LoginUp,
    /// The next token requests of a tenant fail with an AADSTS code.
    LoginError {
        /// Tenant name.
        tenant: String,
        /// For example 53003.
        code: u32,
        /// How many requests.
        count: u32,
    },
    /// Takes a permission from every client of a tenant; tokens already issued keep it.
    RevokeRole {
        /// Tenant name.
        tenant: String,
        /// For example `AuditLog.Read.All`.
        role: String,
    },
    /// Gives a permission to every client of a tenant; tokens already issued lack it.
    GrantRole {
        /// Tenant name.
        tenant: String,
        /// For example `AuditLog.Read.All`.
        role: String,
    },
    /// Every access token issued so far counts as expired.
    ExpireTokens {
        /// Tenant name.
        tenant: String,
    },
    /// Every page token handed out so far is gone.
    ExpirePageTokens {
        /// Tenant name.
        tenant: String,
    },
    /// Every delta token handed out so far needs a resync (410), or is unknown (404).
    ExpireDeltaTokens {
        /// Tenant name.
        tenant: String,
        /// 404 `syncStateNotFound` instead of 410.
        #[serde(default)]
        unknown: bool,
    },
    /// The clock of the service is off; all its stamps from now on carry the error.
    ClockSkew {
        /// Tenant name.
        tenant: String,
        /// How far, forward or (negative) back.
        by: Span,
    },
    /// Log rows written from now on appear this much later.
    LogDelay {
        /// Tenant name.
        tenant: String,
        /// Added to nothing: replaces the delay of the story.
        by: Span,
    },
    /// The licence check of the logs fails.
    PremiumOff {
        /// Tenant name.
        tenant: String,
    },
    /// The licence check of the logs passes.
    PremiumOn {
        /// Tenant name.
        tenant: String,
    },
    /// The next reads of job status may come from a replica that is behind: status goes backwards.
    StaleReplica {
        /// Tenant name.
        tenant: String,
        /// How many reads; every second of them is stale.
        reads: u32,
        /// How many cycles behind.
        #[serde(default = "three")]
        cycles: u32,
    },
    /// Enumerations carry members nobody has seen, until switched off.
    UnknownEnumMembers {
        /// Tenant name.
        tenant: String,
        /// On or off.
        #[serde(default = "yes")]
        on: bool,
    },
    /// Everything that may be null is null, until switched off.
    NullFields {
        /// Tenant name.
        tenant: String,
        /// On or off.
        #[serde(default = "yes")]
        on: bool,
    },
    /// Users are deleted from the directory (restorable first, then for good).
    DeleteUsers {
        /// Tenant name.
        tenant: String,
        /// How many.
        count: u32,
        /// Gone for good at once.
        #[serde(default)]
        hard: bool,
    },
    /// Deleted users are restored.
    RestoreUsers {
        /// Tenant name.
        tenant: String,
        /// How many, at most.
        count: u32,
    },
    /// Users are moved to another container of their domain.
    MoveUsers {
        /// Tenant name.
        tenant: String,
        /// How many.
        count: u32,
    },
    /// New users come.
    HireUsers {
        /// Tenant name.
        tenant: String,
        /// How many.
        count: u32,
    },
    /// Both engines write the same users: audits by both actors.
    DoubleWrite {
        /// Tenant name.
        tenant: String,
        /// How many users.
        count: u32,
    },
    /// A change of verified domains rewrites users: audits that name nobody.
    DomainRecalculation {
        /// Tenant name.
        tenant: String,
        /// How many users.
        count: u32,
    },
    /// The source of authority of users moves to the cloud.
    CloudManage {
        /// Tenant name.
        tenant: String,
        /// How many users.
        count: u32,
    },
    /// The Teams endpoint answers 429.
    #[serde(rename = "teams_429")]
    Teams429 {
        /// Seconds; none means no Retry-After header.
        retry_after: Option<u64>,
        /// How many posts.
        #[serde(default = "one")]
        count: u32,
    },
    /// The Teams endpoint answers with a status.
    TeamsStatus {
        /// HTTP status.
        code: u16,
        /// How many posts.
        #[serde(default = "one")]
        count: u32,
    },
    /// The webhook answers with a status.
    WebhookStatus {
        /// HTTP status.
        code: u16,
        /// How many posts.
        #[serde(default = "one")]
        count: u32,
        /// Seconds; none means no Retry-After header.
        retry_after: Option<u64>,
    },
    /// The mail server resets connections.
    SmtpRefuse {
        /// How many.
        #[serde(default = "one")]
        count: u32,
    },
    /// The mail server answers 451 to a message.
    #[serde(rename = "smtp_451")]
    Smtp451 {
        /// How many messages.
        #[serde(default = "one")]
        count: u32,
    },
    /// The mail server refuses a message for good (550).
    #[serde(rename = "smtp_550")]
    Smtp550 {
        /// How many messages.
        #[serde(default = "one")]
        count: u32,
    },
    /// A receiver holds its answers back.
    ReceiverSlow {
        /// Which.
        receiver: Receiver,
        /// Milliseconds of real time; 0 ends it.
        ms: u64,
    },
}

fn quarantine_exception() -> String {
    "EncounteredQuarantineException".to_owned()
}

const fn one() -> u32 {
    1
}

const fn three() -> u32 {
    3
}

const fn yes() -> bool {
    true
}
