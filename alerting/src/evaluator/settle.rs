//! From conditions to alerts: what begins, what ends, who speaks for whom, what is told.
//! Pure: the same conditions against the same alerts give the same changes.

use std::collections::BTreeSet;

use syncwatch_domain::alert::{Alert, AlertId, Condition, Finding};
use syncwatch_domain::time::Timestamp;

use super::book::{Book, Message};
use super::firing::{Firing, Key};
use super::{group, wait};
use crate::config::AlertSettings;
use crate::detect::causes;

/// What a judgement does to the alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settled {
    /// Alerts to write, ended ones first.
    pub(crate) alerts: Vec<Alert>,
    /// What is to be told.
    pub(crate) messages: Vec<Message>,
    /// Ids of alerts that begin.
    pub(crate) begun: Vec<AlertId>,
}

impl Settled {
    /// Gives an alert that begins another beginning, and with it another identity. For what
    /// begins again at the instant of an alert that is over: its messages must not be taken for
    /// repetitions of the old ones.
    pub(crate) fn begin_at(&mut self, id: &AlertId, at: Timestamp) -> Option<AlertId> {
        let alert = self.alerts.iter().find(|alert| alert.id == *id)?;
        let fresh = AlertId::of(alert.rule, &alert.subject, at);
        let rename = |alert: &mut Alert| {
            if alert.id == *id {
                alert.id = fresh.clone();
                alert.occurred_at = at;
            }
            if alert.cause.as_ref() == Some(id) {
                alert.cause = Some(fresh.clone());
            }
        };
        self.alerts.iter_mut().for_each(rename);
        self.messages
            .iter_mut()
            .map(|message| &mut message.alert)
            .for_each(rename);
        for begun in &mut self.begun {
            if begun == id {
                *begun = fresh.clone();
            }
        }
        Some(fresh)
    }
}

/// Holds the conditions against the alerts on record. `waited` are alerts that waited long enough
/// after the end of their cause.
pub(crate) fn settle(
    conditions: Vec<Condition>,
    waited: &BTreeSet<Key>,
    firing: &Firing,
    settings: &AlertSettings,
    now: Timestamp,
) -> Settled {
    let mut book = Book::new(firing, now);
    let (holding, clear): (Vec<_>, Vec<_>) = conditions
        .into_iter()
        .partition(|condition| condition.finding == Finding::Holds);
    for condition in &clear {
        book.resolve(&Key::new(condition.rule, &condition.subject), condition);
    }
    for mut condition in holding {
        if let Some(severity) = settings.severity.get(&condition.rule) {
            condition.severity = *severity;
        }
        hold(&mut book, condition);
    }
    find_causes(&mut book);
    book.lift_speakers();
    release(&mut book);
    wait::rejoin(&mut book);
    wait::end(&mut book, waited);
    group::form(&mut book, settings);
    group::keep(&mut book);
    for key in book.untold() {
        book.speak(key);
    }
    let begun = book
        .begun()
        .filter_map(|(key, _)| Some(book.get(key)?.id.clone()))
        .collect();
    let (alerts, messages) = book.finish();
    Settled {
        alerts,
        messages,
        begun,
    }
}

/// A condition holds: it is on record, outranked, or begins.
fn hold(book: &mut Book<'_>, condition: Condition) {
    let key = Key::new(condition.rule, &condition.subject);
    if book.get(&key).is_some() {
        book.renew(&key, condition);
        return;
    }
    let fires = |book: &Book<'_>, rule| book.get(&key.with_rule(rule)).is_some();
    if causes::outranked_by(key.rule)
        .iter()
        .any(|rule| fires(book, *rule))
    {
        return;
    }
    let mut told_before = false;
    for rule in causes::superseded_by(key.rule) {
        let lesser = key.with_rule(*rule);
        if let Some(alert) = book.get(&lesser) {
            told_before |= alert.cause.is_none();
            book.supersede(&lesser, key.rule, condition.occurred_at);
        }
    }
    book.begin(condition, told_before);
}

/// Hangs what begins under what explains it. What was told before in a lesser form is told on:
/// its receivers follow it to its end.
fn find_causes(book: &mut Book<'_>) {
    let begun: Vec<(Key, bool)> = book
        .begun()
        .map(|(key, told)| (key.clone(), told))
        .collect();
    for (key, told_before) in begun {
        let Some(cause) = book.cause_of(&key) else {
            if !told_before {
                wait::follow(book, &key);
            }
            continue;
        };
        if told_before && !group::is_engine(&cause.subject) {
            continue;
        }
        let cause = cause.id.clone();
        book.hang(&key, cause);
    }
}

/// A cause ended while what it explained still holds: another alert explains it, or it waits for
/// the next cycle, or it speaks for itself from now on.
fn release(book: &mut Book<'_>) {
    let ended: Vec<Alert> = book.closed().map(|(_, alert)| alert.clone()).collect();
    for cause in ended {
        for key in book.children(&cause.id) {
            match book.cause_of(&key).map(|cause| cause.id.clone()) {
                Some(cause) => book.hang(&key, cause),
                None => wait::begin(book, &key, &cause),
            }
        }
    }
}

#[cfg(test)]
mod tests;
