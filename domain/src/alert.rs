//! Alerts: one per rule and subject, with evidence; children hang under their cause.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::digest::digest_hex;
use crate::lane::words;
use crate::source::SourceKey;
use crate::span::Span;
use crate::time::Timestamp;

mod subject;

pub use subject::Subject;

words! {
    /// What an alert says.
    Rule {
        /// The tolerance of a lane is over, its grace is running.
        LaneLate = "LaneLate",
        /// A lane's window closed without a success.
        WindowMissed = "WindowMissed",
        /// A Cloud Sync job is held back by the service.
        JobQuarantined = "JobQuarantined",
        /// A Cloud Sync job was paused.
        JobPaused = "JobPaused",
        /// A Cloud Sync job's schedule is disabled.
        JobDisabled = "JobDisabled",
        /// A Cloud Sync job fails as a whole.
        JobFailing = "JobFailing",
        /// Objects of a job fail one by one.
        ObjectErrors = "ObjectErrors",
        /// A source cannot be read; what hangs on it is blind.
        SourceUnreachable = "SourceUnreachable",
        /// A right or licence is missing; one feature is off.
        RightMissing = "RightMissing",
        /// The credential syncwatch signs in with ends soon.
        CredentialExpiring = "CredentialExpiring",
        /// Connect's scheduler starts no cycles: it is switched off.
        SchedulerDisabled = "SchedulerDisabled",
        /// Connect's scheduler is held by a configuration wizard that stays open.
        SchedulerSuspended = "SchedulerSuspended",
        /// Connect's scheduler let the planned start of a cycle pass.
        SchedulerStalled = "SchedulerStalled",
        /// A run of Connect takes far longer than its like.
        SchedulerHung = "SchedulerHung",
        /// The maintenance of Connect's scheduler is switched off.
        MaintenanceDisabled = "MaintenanceDisabled",
        /// Connect is about to need a full synchronization, or needs it.
        PurgeRisk = "PurgeRisk",
        /// A run of a connector did not come to its end.
        RunFailed = "RunFailed",
        /// A run of a connector came to its end with errors.
        RunWithErrors = "RunWithErrors",
        /// Password hashes of a domain fail again and again.
        PasswordHashFailing = "PasswordHashFailing",
        /// The state of password hash sync of a domain looks older than it is.
        PasswordStateNotStored = "PasswordStateNotStored",
        /// Password hash sync is on at the server and off in the tenant.
        PasswordHashOffInCloud = "PasswordHashOffInCloud",
        /// Every Connect server of a tenant is in staging mode.
        NoActiveServer = "NoActiveServer",
        /// More than one Connect server of a tenant exports.
        TwoActiveServers = "TwoActiveServers",
        /// The guard against accidental deletes stopped Connect's export.
        DeletionsStopped = "DeletionsStopped",
        /// Connect's database comes near its limit.
        DatabaseFilling = "DatabaseFilling",
        /// What is installed is not supported, or not for long.
        VersionUnsupported = "VersionUnsupported",
        /// The certificate Connect signs in with ends, or has ended.
        CertificateEnding = "CertificateEnding",
        /// A service that should run does not.
        ServiceStopped = "ServiceStopped",
        /// Nothing takes over when a Cloud Sync agent fails.
        AgentsNotRedundant = "AgentsNotRedundant",
        /// Cloud Sync agents of a tenant have run different builds for long.
        AgentBuildsDiffer = "AgentBuildsDiffer",
        /// A container that a Cloud Sync configuration names is not there.
        ContainerGone = "ContainerGone",
        /// A sync server does not reach a domain.
        DomainUnreachable = "DomainUnreachable",
        /// The clock of a sync server is wrong.
        AgentClockWrong = "AgentClockWrong",
        /// Records of an agent were lost before they came home.
        AgentGap = "AgentGap",
    }
}

words! {
    /// How much it matters; the members grow.
    Severity {
        /// Good to know.
        Info = "info",
        /// Look at it in working hours.
        Warning = "warning",
        /// Look at it now.
        Critical = "critical",
    }
}

words! {
    /// State of an alert.
    AlertState {
        /// It holds.
        Firing = "firing",
        /// It was seen not to hold any more.
        Resolved = "resolved",
    }
}

/// Identity of an alert over its life and over restarts: a digest of rule, subject and the
/// instant it began, so that judging the same facts again gives the same alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertId(pub String);

impl AlertId {
    /// The id of the alert of `rule` about `subject` that began at `occurred_at`.
    #[must_use]
    pub fn of(rule: Rule, subject: &Subject, occurred_at: Timestamp) -> Self {
        let began = occurred_at.as_millis().to_string();
        Self(digest_hex(&[
            rule.as_str(),
            &subject.tenant,
            &subject.path,
            &began,
        ]))
    }
}

impl std::fmt::Display for AlertId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A named fact that supports an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is, e.g. `last success`.
    pub name: String,
    /// Its value as shown to people; instants in RFC 3339 UTC.
    pub value: String,
}

/// How an alert that another one spoke for gets over the end of its cause.
///
/// The end of a cause says nothing about its consequences: those pass with the next success, and
/// that takes a cycle. Until then the alert stays silent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Respite {
    /// What a regular cycle needs to show its success, counted from the end of the cause.
    pub lasts: Span,
    /// What must be read again after that, and still show what is wrong, before anybody is told.
    pub source: SourceKey,
}

impl Respite {
    /// No cause is remembered for longer than this after its end.
    pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

    /// A respite of `lasts`, within what a cause is remembered.
    #[must_use]
    pub fn new(lasts: Duration, source: SourceKey) -> Self {
        Self {
            lasts: Span(lasts.min(Self::LONGEST)),
            source,
        }
    }
}

/// An alert as the store keeps it and as receivers are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Stable identity.
    pub id: AlertId,
    /// What it says.
    pub rule: Rule,
    /// About what.
    pub subject: Subject,
    /// How much it matters.
    pub severity: Severity,
    /// Whether it holds.
    pub state: AlertState,
    /// When it began, in event time.
    pub occurred_at: Timestamp,
    /// When it was noticed.
    pub detected_at: Timestamp,
    /// When it was seen to be over, in event time.
    pub resolved_at: Option<Timestamp>,
    /// One sentence: what, where, since when.
    pub summary: String,
    /// What to check first.
    pub mend: String,
    /// The facts behind it.
    pub evidence: Vec<Evidence>,
    /// For routing: tenant, engine, kind, partition, job, source, `error_group`, rule, severity.
    pub labels: BTreeMap<String, String>,
    /// The alert that explains this one and speaks for both. It stays on record while the alert
    /// waits after the end of its cause: what has a cause was never told.
    pub cause: Option<AlertId>,
    /// The cause is over. Who looks after this instant and still finds the alert firing is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaks_at: Option<Timestamp>,
    /// How long it waits for that; gone once it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respite: Option<Respite>,
}

words! {
    /// What a detector found out about a condition.
    Finding {
        /// It holds.
        Holds = "holds",
        /// It was seen not to hold.
        Clear = "clear",
    }
}

/// What a detector says about a rule and a subject. Where nothing can be said (the source was
/// not read), a detector stays silent and the alert stays what it is: missing data never resolves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Holds or clear.
    pub finding: Finding,
    /// Which rule.
    pub rule: Rule,
    /// About what.
    pub subject: Subject,
    /// How much it matters while it holds.
    pub severity: Severity,
    /// Since when, in event time (for `Clear`: since when it is over).
    pub occurred_at: Timestamp,
    /// One sentence.
    pub summary: String,
    /// What to check first.
    pub mend: String,
    /// The facts behind it.
    pub evidence: Vec<Evidence>,
    /// Routing labels beyond tenant, rule and severity.
    pub labels: BTreeMap<String, String>,
    /// Subjects (rule and path within the tenant) whose firing alert would explain this one,
    /// nearest cause last: tenant > engine > server or agent > job or connector > lane.
    pub causes: Vec<(Rule, String)>,
    /// How long it may stay silent once such a cause is over; `None` for what speaks at once.
    pub respite: Option<Respite>,
}

words! {
    /// What a notification tells about an alert.
    NotificationEvent {
        /// It began.
        Firing = "firing",
        /// It still holds; severity or cause changed.
        Changed = "changed",
        /// It is over.
        Resolved = "resolved",
    }
}

/// What one receiver is told: a snapshot, so that a late delivery tells what was true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// What happened.
    pub event: NotificationEvent,
    /// The alert at that moment.
    pub alert: Alert,
    /// Titles of subjects this alert speaks for, at that moment.
    pub children: Vec<String>,
    /// When it was decided.
    pub decided_at: Timestamp,
}

impl Notification {
    /// The key that lets a receiver drop repetitions: the same for every attempt and restart.
    ///
    /// An alert begins and ends once, but may change many times: changes are told apart by what
    /// they say.
    #[must_use]
    pub fn idempotency_key(&self, receiver: &str) -> String {
        let said = match self.event {
            NotificationEvent::Changed => {
                format!("{} {}", self.alert.severity, self.alert.summary)
            }
            NotificationEvent::Firing | NotificationEvent::Resolved => String::new(),
        };
        digest_hex(&[&self.alert.id.0, self.event.as_str(), &said, receiver])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::{Engine, LaneKey, LaneKind};

    #[test]
    fn the_same_facts_give_the_same_alert_and_another_start_another_one() {
        let subject = Subject::lane(&LaneKey {
            tenant: "hauser".into(),
            engine: Engine::Cloud,
            kind: LaneKind::PasswordHash,
            partition: "ad.hauser.example".into(),
        });
        assert_eq!(
            subject.title,
            "Cloud Sync password hashes of ad.hauser.example"
        );
        let began = Timestamp::from_millis(60_000);
        let id = AlertId::of(Rule::WindowMissed, &subject, began);
        assert_eq!(id, AlertId::of(Rule::WindowMissed, &subject, began));
        assert_ne!(id, AlertId::of(Rule::LaneLate, &subject, began));
        assert_ne!(
            id,
            AlertId::of(Rule::WindowMissed, &subject, Timestamp::from_millis(60_001))
        );
    }

    #[test]
    fn a_message_has_one_key_per_receiver_and_each_change_its_own() {
        let subject = Subject::graph("hauser");
        let notification = |event, summary: &str| Notification {
            event,
            alert: Alert {
                id: AlertId::of(Rule::ObjectErrors, &subject, Timestamp::EPOCH),
                rule: Rule::ObjectErrors,
                subject: subject.clone(),
                severity: Severity::Warning,
                state: AlertState::Firing,
                occurred_at: Timestamp::EPOCH,
                detected_at: Timestamp::EPOCH,
                resolved_at: None,
                summary: summary.into(),
                mend: String::new(),
                evidence: Vec::new(),
                labels: BTreeMap::new(),
                cause: None,
                speaks_at: None,
                respite: None,
            },
            children: Vec::new(),
            decided_at: Timestamp::EPOCH,
        };
        use NotificationEvent::{Changed, Firing, Resolved};
        let key = |event, summary, receiver| notification(event, summary).idempotency_key(receiver);
        assert_eq!(
            key(Firing, "2 objects", "noc"),
            key(Firing, "3 objects", "noc")
        );
        assert_ne!(key(Firing, "", "noc"), key(Firing, "", "mail"));
        assert_ne!(key(Firing, "", "noc"), key(Resolved, "", "noc"));
        assert_ne!(
            key(Changed, "2 objects", "noc"),
            key(Changed, "3 objects", "noc")
        );
        assert_eq!(
            key(Changed, "2 objects", "noc"),
            key(Changed, "2 objects", "noc")
        );
    }
}
