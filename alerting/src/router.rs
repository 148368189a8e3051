//! Who is told about what. Pure: routes and an alert in, names of receivers out.

use std::collections::BTreeSet;

use syncwatch_domain::alert::{Alert, NotificationEvent, Severity};

use crate::config::{Notifications, Route};

/// Without any route, alerts from this severity on go to every receiver.
const DEFAULT_SEVERITY: Severity = Severity::Warning;

/// Decides who is told.
#[derive(Clone, Debug, Default)]
pub struct Router {
    routes: Vec<Route>,
    receivers: Vec<String>,
}

impl Router {
    /// A router for checked routes.
    #[must_use]
    pub fn new(config: &Notifications) -> Self {
        let receivers: Vec<_> = config
            .receivers
            .iter()
            .map(|one| one.name.clone())
            .collect();
        let mut routes = config.routes.clone();
        if routes.is_empty() {
            routes.push(Route {
                labels: Vec::new(),
                min_severity: DEFAULT_SEVERITY,
                rules: Vec::new(),
                receivers: receivers.clone(),
                go_on: false,
                send_resolved: true,
            });
        }
        Self { routes, receivers }
    }

    /// The receivers to tell, in the order of the configuration, each once.
    ///
    /// `told` are the receivers that were told about this alert before, where that is known.
    /// They hear of a change even if its severity is below their route, and they alone hear of
    /// the end: nobody is left with an alert that never ends, and nobody hears the end of
    /// something that was never mentioned. A receiver that is no longer configured is left out.
    #[must_use]
    pub fn receivers(
        &self,
        event: NotificationEvent,
        alert: &Alert,
        told: Option<&BTreeSet<String>>,
    ) -> Vec<&str> {
        let matched = self.matched(event, alert);
        let was_told = |name: &String| told.is_some_and(|told| told.contains(name));
        let chosen = |name: &&String| match (event, told) {
            (NotificationEvent::Firing, _) | (NotificationEvent::Resolved, None) => {
                matched.contains(name.as_str())
            }
            (NotificationEvent::Changed, _) => matched.contains(name.as_str()) || was_told(name),
            (NotificationEvent::Resolved, Some(_)) => {
                was_told(name) && self.wants_the_end(alert, name)
            }
        };
        self.receivers
            .iter()
            .filter(chosen)
            .map(String::as_str)
            .collect()
    }

    /// The receivers of the routes that match, from top to bottom.
    fn matched(&self, event: NotificationEvent, alert: &Alert) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for route in &self.routes {
            if alert.severity < route.min_severity || !concerns(route, alert) {
                continue;
            }
            if event != NotificationEvent::Resolved || route.send_resolved {
                found.extend(route.receivers.iter().map(String::as_str));
            }
            if !route.go_on {
                break;
            }
        }
        found
    }

    /// Whether a receiver that was told wants to hear the end: not if every route by which it can
    /// have been told says no. The severity is left out, it may have been another one then.
    fn wants_the_end(&self, alert: &Alert, receiver: &str) -> bool {
        let mut by = self
            .routes
            .iter()
            .filter(|route| {
                concerns(route, alert) && route.receivers.iter().any(|one| one == receiver)
            })
            .peekable();
        by.peek().is_none() || by.any(|route| route.send_resolved)
    }
}

/// Whether rule and labels match.
fn concerns(route: &Route, alert: &Alert) -> bool {
    (route.rules.is_empty() || route.rules.contains(&alert.rule))
        && route.labels.iter().all(|(label, values)| {
            let value = match label.as_str() {
                "tenant" => Some(alert.subject.tenant.as_str()),
                _ => alert.labels.get(label).map(String::as_str),
            };
            value.is_some_and(|value| values.iter().any(|one| one == value))
        })
}

#[cfg(test)]
mod tests;
