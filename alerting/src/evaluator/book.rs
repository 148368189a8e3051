//! What one judgement does to the alerts, written down before it is committed.

use std::collections::{BTreeMap, BTreeSet};

use syncwatch_domain::alert::{
    Alert, AlertId, AlertState, Condition, Evidence, NotificationEvent, Rule, Severity,
};
use syncwatch_domain::time::Timestamp;

use super::firing::{Ended, Firing, Key};
use crate::detect::{LAST_REPORTED, causes};

/// Titles a message names at most; the evidence has the count.
const CHILDREN_NAMED: usize = 500;

/// An alert that someone must hear of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) event: NotificationEvent,
    pub(crate) alert: Alert,
    /// Titles of the subjects it speaks for.
    pub(crate) children: Vec<String>,
}

/// The alerts on record with the changes of this judgement laid over them.
///
/// An alert has a cause exactly as long as it was never told: its cause spoke for it, and after
/// the end of its cause it waits.
pub(crate) struct Book<'a> {
    firing: &'a Firing,
    now: Timestamp,
    open: BTreeMap<Key, Alert>,
    closed: BTreeMap<Key, Alert>,
    events: BTreeMap<Key, NotificationEvent>,
    /// What began in this judgement, and whether what it replaces was told.
    begun: BTreeMap<Key, bool>,
    /// What lost its cause in this judgement and still holds.
    released: BTreeSet<Key>,
    /// What another alert speaks for since this judgement.
    hung: BTreeSet<Key>,
    /// What ended because another alert says more.
    superseded: BTreeSet<Key>,
    /// What was on record and became graver.
    graver: BTreeSet<Key>,
}

impl<'a> Book<'a> {
    pub(crate) fn new(firing: &'a Firing, now: Timestamp) -> Self {
        Self {
            firing,
            now,
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            events: BTreeMap::new(),
            begun: BTreeMap::new(),
            released: BTreeSet::new(),
            hung: BTreeSet::new(),
            superseded: BTreeSet::new(),
            graver: BTreeSet::new(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The firing alert as this judgement leaves it.
    pub(crate) fn get(&self, key: &Key) -> Option<&Alert> {
        if self.closed.contains_key(key) {
            return None;
        }
        self.open.get(key).or_else(|| self.firing.get(key))
    }

    pub(crate) fn begun(&self) -> impl Iterator<Item = (&Key, bool)> {
        self.begun
            .iter()
            .map(|(key, told_before)| (key, *told_before))
    }

    pub(crate) fn has_begun(&self, key: &Key) -> bool {
        self.begun.contains_key(key)
    }

    pub(crate) fn hung(&self) -> impl Iterator<Item = &Key> {
        self.hung.iter()
    }

    pub(crate) fn was_superseded(&self, key: &Key) -> bool {
        self.superseded.contains(key)
    }

    /// What ended in this judgement.
    pub(crate) fn closed(&self) -> impl Iterator<Item = (&Key, &Alert)> {
        self.closed.iter()
    }

    /// The firing alerts that `cause` speaks for.
    pub(crate) fn children(&self, cause: &AlertId) -> BTreeSet<Key> {
        let speaks_for =
            |alert: &Alert| alert.cause.as_ref() == Some(cause) && alert.speaks_at.is_none();
        let on_record = self
            .firing
            .children(cause)
            .filter(|key| self.get(key).is_some_and(speaks_for));
        let changed = self
            .open
            .iter()
            .filter(|(_, alert)| speaks_for(alert))
            .map(|(key, _)| key);
        on_record.chain(changed).cloned().collect()
    }

    /// An alert begins.
    pub(crate) fn begin(&mut self, condition: Condition, told_before: bool) -> Key {
        let key = Key::new(condition.rule, &condition.subject);
        let alert = self.alert(condition);
        self.open.insert(key.clone(), alert);
        self.begun.insert(key.clone(), told_before);
        key
    }

    fn alert(&self, condition: Condition) -> Alert {
        let mut labels = condition.labels;
        labels.insert("tenant".into(), condition.subject.tenant.clone());
        labels.insert("rule".into(), condition.rule.to_string());
        labels.insert("severity".into(), condition.severity.to_string());
        Alert {
            id: AlertId::of(condition.rule, &condition.subject, condition.occurred_at),
            rule: condition.rule,
            severity: condition.severity,
            state: AlertState::Firing,
            occurred_at: condition.occurred_at,
            detected_at: self.now,
            resolved_at: None,
            summary: condition.summary,
            mend: condition.mend,
            evidence: condition.evidence,
            labels,
            cause: None,
            speaks_at: None,
            respite: condition.respite,
            subject: condition.subject,
        }
    }

    /// A firing alert still holds. It is told again where that is news: it became graver, or the
    /// detector reports anew. Its severity only rises, so that whoever heard of it hears its end.
    pub(crate) fn renew(&mut self, key: &Key, condition: Condition) {
        let Some(alert) = self.get(key) else { return };
        let reported = |facts: &[Evidence]| {
            facts
                .iter()
                .find(|fact| fact.name == LAST_REPORTED)
                .map(|fact| fact.value.clone())
        };
        let anew = reported(&condition.evidence);
        let graver = condition.severity > alert.severity;
        if !graver && (anew.is_none() || anew == reported(&alert.evidence)) {
            return;
        }
        let severity = alert.severity.max(condition.severity);
        let mut alert = Alert {
            severity,
            summary: condition.summary,
            mend: condition.mend,
            evidence: condition.evidence,
            ..alert.clone()
        };
        alert.labels.insert("severity".into(), severity.to_string());
        self.change(key, alert);
        self.announce_change(key);
        if graver {
            self.graver.insert(key.clone());
        }
    }

    /// Puts a changed alert in place of the firing one.
    pub(crate) fn change(&mut self, key: &Key, alert: Alert) {
        self.open.insert(key.clone(), alert);
    }

    /// An alert that was told before and is told again; one that others speak for stays silent.
    pub(crate) fn announce_change(&mut self, key: &Key) {
        let told = self.get(key).is_some_and(|alert| alert.cause.is_none());
        if told && !self.has_begun(key) {
            self.events.insert(key.clone(), NotificationEvent::Changed);
        }
    }

    /// The alert was seen to be over. Whoever heard of it hears that.
    pub(crate) fn resolve(&mut self, key: &Key, condition: &Condition) {
        let Some(alert) = self.get(key).cloned() else {
            return;
        };
        if alert.cause.is_none() {
            self.events.insert(key.clone(), NotificationEvent::Resolved);
        }
        let mut evidence = alert.evidence.clone();
        evidence.extend(condition.evidence.iter().cloned());
        let summary = condition.summary.clone();
        self.close(
            key,
            Alert {
                summary,
                evidence,
                ..alert
            },
            condition.occurred_at,
        );
    }

    /// The alert ends without a word: `by` says more, or says what became of it.
    pub(crate) fn supersede(&mut self, key: &Key, by: Rule, at: Timestamp) {
        let Some(alert) = self.get(key).cloned() else {
            return;
        };
        let mut evidence = alert.evidence.clone();
        evidence.push(Evidence {
            name: "superseded by".into(),
            value: by.to_string(),
        });
        self.superseded.insert(key.clone());
        self.close(key, Alert { evidence, ..alert }, at);
    }

    fn close(&mut self, key: &Key, alert: Alert, at: Timestamp) {
        let resolved_at = Some(at.max(alert.occurred_at));
        self.open.remove(key);
        self.closed.insert(
            key.clone(),
            Alert {
                state: AlertState::Resolved,
                resolved_at,
                speaks_at: None,
                respite: None,
                ..alert
            },
        );
    }

    /// The nearest firing alert that explains `key` and is at least as grave, or becomes so: a
    /// lesser one must not silence what is to be looked at now.
    pub(crate) fn cause_of(&self, key: &Key) -> Option<&Alert> {
        let alert = self.get(key)?;
        self.explanations(alert)
            .filter_map(|key| self.get(&key))
            .find(|cause| {
                let is_grave = cause.severity >= alert.severity;
                (is_grave || causes::takes_over_severity(cause.rule)) && cause.id != alert.id
            })
    }

    /// What would explain an alert, the nearest first.
    fn explanations(&self, alert: &Alert) -> impl Iterator<Item = Key> + use<> {
        let tenant = alert.subject.tenant.clone();
        causes::of(alert.rule, &alert.subject.path, &alert.labels)
            .into_iter()
            .rev()
            .map(move |(rule, path)| Key {
                tenant: tenant.clone(),
                path,
                rule,
            })
    }

    /// The alert that speaks for this one.
    fn speaker(&self, alert: &Alert) -> Option<Key> {
        let cause = alert.cause.as_ref()?;
        self.explanations(alert)
            .find(|key| self.get(key).is_some_and(|speaker| speaker.id == *cause))
    }

    /// What became graver makes what speaks for it as grave.
    pub(crate) fn lift_speakers(&mut self) {
        for key in self.graver.clone() {
            let Some(alert) = self.get(&key) else {
                continue;
            };
            let severity = alert.severity;
            if let Some(speaker) = self.speaker(alert) {
                self.lift(&speaker, severity);
            }
        }
    }

    /// An alert becomes as grave as what it speaks for, and so does what speaks for it.
    fn lift(&mut self, key: &Key, severity: Severity) {
        let Some(alert) = self.get(key).cloned() else {
            return;
        };
        if alert.severity >= severity || !causes::takes_over_severity(alert.rule) {
            return;
        }
        let speaker = self.speaker(&alert);
        let mut alert = Alert { severity, ..alert };
        alert.labels.insert("severity".into(), severity.to_string());
        self.change(key, alert);
        self.announce_change(key);
        if let Some(speaker) = speaker {
            self.lift(&speaker, severity);
        }
    }

    /// What last ended of that which would explain `key` if it still fired.
    pub(crate) fn ended_cause_of(&self, key: &Key) -> Option<Ended> {
        let alert = self.get(key)?;
        causes::of(alert.rule, &alert.subject.path, &alert.labels)
            .into_iter()
            .filter_map(|(rule, path)| {
                let tenant = key.tenant.clone();
                let of = Key { tenant, path, rule };
                let ended = match self.closed.get(&of) {
                    Some(closed) => Ended::of(closed),
                    None => self.firing.ended(&of).cloned(),
                };
                let spoke_for_it = |cause: &Ended| {
                    cause.severity >= alert.severity || causes::takes_over_severity(rule)
                };
                ended.filter(spoke_for_it)
            })
            .max_by_key(|cause| cause.at)
    }

    /// The alerts that wait after the end of their cause.
    pub(crate) fn waiting(&self) -> BTreeSet<Key> {
        let on_record = self.firing.waiting().map(|(key, _)| key);
        on_record
            .chain(self.open.keys())
            .filter(|key| self.get(key).is_some_and(|alert| alert.speaks_at.is_some()))
            .cloned()
            .collect()
    }

    /// The cause is over; the alert stays silent until `speaks_at`.
    pub(crate) fn wait(&mut self, key: &Key, cause: AlertId, speaks_at: Timestamp) {
        if let Some(alert) = self.get(key).cloned() {
            self.change(
                key,
                Alert {
                    cause: Some(cause),
                    speaks_at: Some(speaks_at),
                    ..alert
                },
            );
        }
    }

    /// Lets `cause` speak for the alert; where it is a lesser one that can, it becomes as grave.
    pub(crate) fn hang(&mut self, key: &Key, cause: AlertId) {
        if let Some(alert) = self.get(key).cloned() {
            let severity = alert.severity;
            self.change(
                key,
                Alert {
                    cause: Some(cause),
                    speaks_at: None,
                    ..alert
                },
            );
            self.hung.insert(key.clone());
            if let Some(speaker) = self.get(key).and_then(|alert| self.speaker(alert)) {
                self.lift(&speaker, severity);
            }
        }
    }

    /// Nothing speaks for the alert any more.
    pub(crate) fn release(&mut self, key: &Key) {
        if let Some(alert) = self.get(key).cloned() {
            self.change(
                key,
                Alert {
                    cause: None,
                    speaks_at: None,
                    ..alert
                },
            );
            self.released.insert(key.clone());
        }
    }

    /// What has to be told for the first time, unless another alert speaks for it.
    pub(crate) fn untold(&self) -> BTreeSet<Key> {
        let candidates = self.begun.keys().chain(&self.released);
        candidates
            .filter(|key| self.get(key).is_some_and(|alert| alert.cause.is_none()))
            .cloned()
            .collect()
    }

    /// The alert speaks for itself: it is told now.
    pub(crate) fn speak(&mut self, key: Key) {
        if let Some(alert) = self.open.get_mut(&key) {
            alert.respite = None;
        }
        self.events.insert(key, NotificationEvent::Firing);
    }

    /// What is to be written, ended alerts first, and what is to be told.
    pub(crate) fn finish(self) -> (Vec<Alert>, Vec<Message>) {
        let messages = self
            .events
            .iter()
            .filter_map(|(key, event)| {
                let alert = self.closed.get(key).or_else(|| self.get(key))?.clone();
                let children = self.titles(&alert.id);
                Some(Message {
                    event: *event,
                    alert,
                    children,
                })
            })
            .collect();
        let alerts = self
            .closed
            .into_values()
            .chain(self.open.into_values())
            .collect();
        (alerts, messages)
    }

    fn titles(&self, cause: &AlertId) -> Vec<String> {
        self.children(cause)
            .iter()
            .filter_map(|key| Some(self.get(key)?.subject.title.clone()))
            .take(CHILDREN_NAMED)
            .collect()
    }
}
