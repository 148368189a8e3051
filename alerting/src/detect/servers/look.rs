//! One look at the servers of a tenant, and the sentences its detectors share.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use syncwatch_domain::alert::{Alert, Condition, Rule, Severity, Subject};
use syncwatch_domain::source::{Poll, SourceState};
use syncwatch_domain::time::Timestamp;

use super::super::words::{clear, labels, named};
use super::view::Server;
use super::{Beyond, Input};
use crate::config::{AlertSettings, ServerSettings};

/// What should have been read by now is looked at again after this: agents read once a minute.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// A look: when it is, what is set, what fires, and when to look again.
pub(super) struct Look<'a> {
    pub(super) now: Timestamp,
    pub(super) tenant: &'a str,
    pub(super) all: &'a AlertSettings,
    pub(super) beyond: &'a Beyond,
    firing: &'a [&'a Alert],
    sources: &'a [&'a SourceState],
    next_due: Option<Timestamp>,
}

impl<'a> Look<'a> {
    pub(super) const fn new(input: &Input<'a>) -> Self {
        Self {
            now: input.now,
            tenant: input.tenant,
            all: input.settings,
            beyond: input.beyond,
            firing: input.firing,
            sources: input.sources,
            next_due: None,
        }
    }

    pub(super) const fn settings(&self) -> &'a ServerSettings {
        &self.all.servers
    }

    /// Whether every agent that is expected has shown its server at least once.
    pub(super) fn are_all_known(&self, servers: &[Server<'_>]) -> bool {
        let mut expected = self
            .sources
            .iter()
            .filter(|source| source.key.poll == Poll::AgentReports && !source.retired);
        expected.all(|source| {
            let mut hosts = servers.iter().map(|server| server.host);
            hosts.any(|host| host.eq_ignore_ascii_case(&source.key.instance))
        })
    }

    /// When time alone can change what was said.
    pub(super) const fn next_due(&self) -> Option<Timestamp> {
        self.next_due
    }

    /// Whether a read reached an instant. What was not read since is not said, however late it is.
    pub(super) fn reached(&mut self, read_at: Timestamp, at: Timestamp) -> bool {
        if read_at < at {
            self.due(at.max(self.now + LOOK_AGAIN));
        }
        read_at >= at
    }

    /// Whether an instant of the calendar has passed.
    pub(super) fn passed(&mut self, at: Timestamp) -> bool {
        if self.now < at {
            self.due(at);
        }
        self.now >= at
    }

    fn due(&mut self, at: Timestamp) {
        self.next_due = Some(self.next_due.map_or(at, |due| due.min(at)));
    }

    /// Whether a rule fires about the tenant.
    pub(super) fn fires(&self, rule: Rule) -> bool {
        self.firing.iter().any(|alert| alert.rule == rule)
    }

    /// Alerts of `rules` about a server.
    pub(super) fn firing(&self, server: &Server<'_>, rules: &[Rule]) -> Vec<&'a Alert> {
        let of_server = |alert: &&Alert| {
            let host = alert.labels.get("server");
            rules.contains(&alert.rule) && host.is_some_and(|host| host == server.host)
        };
        self.firing.iter().copied().filter(of_server).collect()
    }

    /// What ends because the server does not list it any more.
    pub(super) fn gone(
        &self,
        server: &Server<'_>,
        rules: &[Rule],
        listed: &BTreeSet<String>,
        read_at: Timestamp,
    ) -> Vec<Condition> {
        self.firing(server, rules)
            .into_iter()
            .filter(|alert| !listed.contains(&alert.subject.path))
            .map(|alert| not_there(alert, server.host, read_at))
            .collect()
    }
}

fn not_there(alert: &Alert, host: &str, read_at: Timestamp) -> Condition {
    let summary = format!(
        "{}: {host} does not list it any more as of {read_at}",
        named(&alert.subject)
    );
    Condition {
        labels: alert.labels.clone(),
        ..clear(alert.rule, alert.subject.clone(), read_at, summary)
    }
}

/// A server in staging mode exports nothing: what is wrong with it is a step less urgent.
pub(super) fn level(server: &Server<'_>, severity: Severity) -> Severity {
    match severity {
        Severity::Critical if server.is_staging() => Severity::Warning,
        Severity::Warning if server.is_staging() => Severity::Info,
        severity => severity,
    }
}

/// The server itself.
pub(super) fn subject(server: &Server<'_>) -> Subject {
    Subject::server(server.tenant, server.host)
}

/// Labels of what is told about Connect Sync on a server.
pub(super) fn connect_labels(server: &Server<'_>) -> BTreeMap<String, String> {
    labels([
        ("engine", "connect"),
        ("server", server.host),
        ("source", "agent_section"),
    ])
}

/// Seen to be over on the server as a whole.
pub(super) fn over(server: &Server<'_>, rule: Rule, read_at: Timestamp, what: &str) -> Condition {
    over_about(server, rule, subject(server), read_at, what)
}

/// Seen to be over.
pub(super) fn over_about(
    server: &Server<'_>,
    rule: Rule,
    subject: Subject,
    read_at: Timestamp,
    what: &str,
) -> Condition {
    let summary = format!("{}: {what}", named(&subject));
    Condition {
        labels: connect_labels(server),
        ..clear(rule, subject, read_at, summary)
    }
}
