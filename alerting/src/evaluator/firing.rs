//! The alerts that fire, in memory. The store is the truth: this is read from it at the start and
//! after every lost race, and follows what was committed in between.

use std::collections::{BTreeSet, HashMap};

use syncwatch_domain::alert::{Alert, AlertId, AlertState, Rule, Severity, Subject};
use syncwatch_domain::time::Timestamp;

use crate::detect::causes;

/// What there is at most one firing alert of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) tenant: String,
    pub(crate) path: String,
    pub(crate) rule: Rule,
}

impl Key {
    pub(crate) fn new(rule: Rule, subject: &Subject) -> Self {
        Self {
            tenant: subject.tenant.clone(),
            path: subject.path.clone(),
            rule,
        }
    }

    pub(crate) fn of(alert: &Alert) -> Self {
        Self::new(alert.rule, &alert.subject)
    }

    /// Another rule about the same subject.
    pub(crate) fn with_rule(&self, rule: Rule) -> Self {
        Self {
            rule,
            ..self.clone()
        }
    }
}

/// A cause that is over, while what it explained may still hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) id: AlertId,
    pub(crate) severity: Severity,
    pub(crate) at: Timestamp,
}

impl Ended {
    /// The end of an alert, if it lingers.
    pub(crate) fn of(alert: &Alert) -> Option<Self> {
        Some(Self {
            id: alert.id.clone(),
            severity: alert.severity,
            at: alert.resolved_at.filter(|_| causes::lingers(alert.rule))?,
        })
    }
}

/// All firing alerts, found by subject and by cause.
#[derive(Clone, Debug, Default)]
pub(crate) struct Firing {
    by_tenant: HashMap<String, HashMap<String, Vec<Alert>>>,
    children: HashMap<AlertId, BTreeSet<Key>>,
    /// Alerts that wait after the end of their cause.
    waiting: BTreeSet<Key>,
    /// The newest end of each cause that lingers.
    ended: HashMap<Key, Ended>,
}

impl Firing {
    /// Alerts as they are on record: those that fire, and the causes that ended lately, in the
    /// order of their ends.
    pub(crate) fn new(alerts: Vec<Alert>, ended: Vec<Alert>) -> Self {
        let mut firing = Self::default();
        firing.apply(ended);
        firing.apply(alerts);
        firing
    }

    /// Takes in what was committed.
    pub(crate) fn apply(&mut self, alerts: Vec<Alert>) {
        for alert in alerts {
            self.remove(&Key::of(&alert), &alert.id);
            if alert.state == AlertState::Firing {
                self.insert(alert);
            } else if let Some(ended) = Ended::of(&alert) {
                self.ended.insert(Key::of(&alert), ended);
            }
        }
    }

    fn insert(&mut self, alert: Alert) {
        if let Some(cause) = &alert.cause {
            self.children
                .entry(cause.clone())
                .or_default()
                .insert(Key::of(&alert));
        }
        if alert.speaks_at.is_some() {
            self.waiting.insert(Key::of(&alert));
        }
        let Subject { tenant, path, .. } = alert.subject.clone();
        self.by_tenant
            .entry(tenant)
            .or_default()
            .entry(path)
            .or_default()
            .push(alert);
    }

    fn remove(&mut self, key: &Key, id: &AlertId) {
        let Some(paths) = self.by_tenant.get_mut(&key.tenant) else {
            return;
        };
        let Some(alerts) = paths.get_mut(&key.path) else {
            return;
        };
        let Some(at) = alerts.iter().position(|alert| alert.id == *id) else {
            return;
        };
        let before = alerts.swap_remove(at);
        self.waiting.remove(key);
        if alerts.is_empty() {
            paths.remove(&key.path);
        }
        if let Some(cause) = before.cause
            && let Some(siblings) = self.children.get_mut(&cause)
        {
            siblings.remove(key);
            if siblings.is_empty() {
                self.children.remove(&cause);
            }
        }
    }

    /// The tenants that alerts are about.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &str> {
        self.by_tenant.keys().map(String::as_str)
    }

    /// The alerts of a tenant.
    pub(crate) fn of_tenant(&self, tenant: &str) -> impl Iterator<Item = &Alert> {
        let paths = self.by_tenant.get(tenant).into_iter();
        paths.flat_map(HashMap::values).flatten()
    }

    /// The alerts about a subject.
    pub(crate) fn about(&self, tenant: &str, path: &str) -> &[Alert] {
        self.by_tenant
            .get(tenant)
            .and_then(|paths| paths.get(path))
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Alert> {
        self.about(&key.tenant, &key.path)
            .iter()
            .find(|alert| alert.rule == key.rule)
    }

    /// The alerts that wait after the end of their cause.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&Key, &Alert)> {
        self.waiting
            .iter()
            .filter_map(|key| Some((key, self.get(key)?)))
    }

    /// How a cause last ended.
    pub(crate) fn ended(&self, key: &Key) -> Option<&Ended> {
        self.ended.get(key)
    }

    /// The alerts whose cause is or was this one.
    pub(crate) fn children(&self, cause: &AlertId) -> impl Iterator<Item = &Key> {
        self.children.get(cause).into_iter().flatten()
    }
}
