//! What must have arrived when the story is told.

use std::collections::BTreeSet;
use std::time::Duration;

use syncwatch_domain::alert::{Alert, NotificationEvent, Rule};
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::{Action, Story};

use super::arrival::{Arrival, Told, Via};

/// How much later than the wish of a receiver a repetition may come.
const RETRY_SLACK: Duration = Duration::from_secs(1);

/// Everything that happened at the receivers.
#[derive(Debug)]
pub(super) struct Record {
    /// When the story began.
    pub(super) origin: Timestamp,
    /// The story.
    pub(super) story: Story,
    /// Messages in the order of arrival.
    pub(super) told: Vec<Told>,
    /// Arrivals that speak of no alert the service knows: there must be none.
    pub(super) strangers: usize,
    /// Messages that were given up.
    pub(super) dead_letters: usize,
    /// Lanes with an entry in the ledger of missed windows, as subjects of alerts name them.
    pub(super) ledger: BTreeSet<String>,
}

/// One thing that must have happened.
pub(super) struct Expectation {
    pub(super) what: &'static str,
    check: fn(&Record) -> Result<(), String>,
}

impl Expectation {
    /// What is missing; `None` when nothing is.
    pub(super) fn missing(&self, record: &Record) -> Option<String> {
        (self.check)(record).err()
    }
}

/// Everything that must have happened.
pub(super) const EXPECTED: &[Expectation] = &[
    Expectation {
        what: "a missed password-hash window, by mail, Teams and webhook",
        check: |record| record.everywhere(NotificationEvent::Firing, Rule::WindowMissed, STOPPED),
    },
    Expectation {
        what: "its recovery, to everyone who was told",
        check: |record| record.everywhere(NotificationEvent::Resolved, Rule::WindowMissed, STOPPED),
    },
    Expectation {
        what: "a job in quarantine",
        check: |record| record.everywhere(NotificationEvent::Firing, Rule::JobQuarantined, "job/"),
    },
    Expectation {
        what: "the end of the quarantine",
        check: |record| {
            record.everywhere(NotificationEvent::Resolved, Rule::JobQuarantined, "job/")
        },
    },
    Expectation {
        what: "one message for an unreachable source, not one per lane",
        check: Record::one_outage,
    },
    Expectation {
        what: "the end of the outage",
        check: |record| record.everywhere(NotificationEvent::Resolved, Rule::SourceUnreachable, ""),
    },
    Expectation {
        what: "no word about the lanes behind it: neither missed nor resolved",
        check: Record::silence_behind,
    },
    Expectation {
        what: "no missed window of a lane whose job went on",
        check: Record::no_false_miss,
    },
    Expectation {
        what: "a ledger that holds the windows that were missed and no others",
        check: Record::ledger_is_true,
    },
    Expectation {
        what: "a throttled Teams post, delivered at its Retry-After time",
        check: Record::teams_waited,
    },
    Expectation {
        what: "a webhook that failed once, told again with the same key",
        check: Record::webhook_repeated,
    },
    Expectation {
        what: "objects that fail",
        check: |record| record.everywhere(NotificationEvent::Firing, Rule::ObjectErrors, "job/"),
    },
    Expectation {
        what: "a wizard left open on a sync server, seen by its agent",
        check: |record| record.once(NotificationEvent::Firing, &WIZARD),
    },
    Expectation {
        what: "its end",
        check: |record| record.once(NotificationEvent::Resolved, &WIZARD),
    },
    Expectation {
        what: "password hashes of one of two domains, and that domain alone",
        check: |record| record.once(NotificationEvent::Firing, &HASHES),
    },
    Expectation {
        what: "their recovery",
        check: |record| record.once(NotificationEvent::Resolved, &HASHES),
    },
    Expectation {
        what: "a second server promoted out of staging, both named",
        check: |record| record.once(NotificationEvent::Firing, &TWO),
    },
    Expectation {
        what: "its way back",
        check: |record| record.once(NotificationEvent::Resolved, &TWO),
    },
    Expectation {
        what: "no other word about the servers",
        check: Record::nothing_else_of_servers,
    },
    Expectation {
        what: "no message lost: nothing given up, nothing unexplained",
        check: Record::nothing_lost,
    },
];

/// The lane whose job silently stops.
const STOPPED: &str = "lane/cloud/password_hash/werke.example";
/// The lane of the job in quarantine: its window is missed too. The quarantine speaks for it, and
/// after that it is on time again before anybody is told.
const QUARANTINED: &str = "lane/cloud/objects/handel.example";

/// Tenant whose sync servers have agents.
const SERVED: &str = "lindenhof";
/// What befalls its servers.
const OF_SERVERS: [&OfServers; 3] = [&WIZARD, &HASHES, &TWO];

/// One alert about sync servers.
struct OfServers {
    rule: Rule,
    /// Path of its subject.
    path: &'static str,
    /// What the sentence must say when it fires, and when it is over.
    words: [&'static [&'static str]; 2],
}

const WIZARD: OfServers = OfServers {
    rule: Rule::SchedulerSuspended,
    path: "server/LH-SYNC01",
    words: [
        &["LH-SYNC01", "configuration wizard has held its scheduler"],
        &["LH-SYNC01", "does not hold its scheduler any more"],
    ],
};
const HASHES: OfServers = OfServers {
    rule: Rule::PasswordHashFailing,
    path: "server/LH-SYNC01/domain/labor.example",
    words: [
        &["labor.example on LH-SYNC01", "fail persistently"],
        &["labor.example on LH-SYNC01", "synchronized again"],
    ],
};
const TWO: OfServers = OfServers {
    rule: Rule::TwoActiveServers,
    path: "servers",
    words: [
        &["LH-SYNC01 and LH-SYNC02 are active at the same time"],
        &["active is LH-SYNC01"],
    ],
};

impl Record {
    /// Messages about an alert that were taken.
    fn messages<'a>(
        &'a self,
        event: NotificationEvent,
        rule: Rule,
        path: &'a str,
    ) -> impl Iterator<Item = &'a Told> {
        self.told.iter().filter(move |told| {
            let Alert {
                rule: of, subject, ..
            } = &told.notification.alert;
            told.arrival.accepted()
                && told.notification.event == event
                && *of == rule
                && subject.path.starts_with(path)
        })
    }

    fn everywhere(&self, event: NotificationEvent, rule: Rule, path: &str) -> Result<(), String> {
        let missing: Vec<&str> = Via::ALL
            .iter()
            .filter(|via| {
                !self
                    .messages(event, rule, path)
                    .any(|told| told.arrival.via == **via)
            })
            .map(|via| via.receiver())
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "{rule} {event} did not arrive by {}",
                missing.join(", ")
            ))
        }
    }

    fn one_outage(&self) -> Result<(), String> {
        self.everywhere(NotificationEvent::Firing, Rule::SourceUnreachable, "")?;
        let alerts: BTreeSet<_> = self
            .messages(NotificationEvent::Firing, Rule::SourceUnreachable, "")
            .map(|told| {
                (
                    &told.notification.alert.subject.path,
                    &told.notification.alert.id,
                )
            })
            .collect();
        match alerts.len() {
            1 => Ok(()),
            n => Err(format!("there were {n}: {alerts:?}")),
        }
    }

    /// When Graph was gone, in the words of the story.
    fn outage(&self) -> Option<(&str, Timestamp, Timestamp)> {
        let at = |wanted: fn(&Action) -> Option<&str>| {
            self.story
                .steps
                .iter()
                .find_map(|step| Some((wanted(&step.action)?, self.after(step.at))))
        };
        let (tenant, from) = at(|action| match action {
            Action::GraphDown { tenant, .. } => Some(tenant),
            _ => None,
        })?;
        let (_, until) = at(|action| match action {
            Action::GraphUp { tenant } => Some(tenant),
            _ => None,
        })?;
        Some((tenant, from, until))
    }

    fn after(&self, span: syncwatch_simulator::Span) -> Timestamp {
        self.origin + Duration::from_millis(span.as_ms().unsigned_abs())
    }

    fn silence_behind(&self) -> Result<(), String> {
        let (tenant, from, until) = self.outage().ok_or("the story has no outage")?;
        let broken = self.told.iter().find(|told| {
            let alert = &told.notification.alert;
            let decided = told.notification.decided_at;
            alert.subject.tenant == tenant
                && matches!(alert.rule, Rule::LaneLate | Rule::WindowMissed)
                && decided >= from
                && decided <= until
        });
        match broken {
            None => Ok(()),
            Some(told) => Err(format!(
                "{} {} was told of {}",
                told.notification.alert.rule,
                told.notification.event,
                told.notification.alert.subject.title
            )),
        }
    }

    fn no_false_miss(&self) -> Result<(), String> {
        let other = self
            .messages(NotificationEvent::Firing, Rule::WindowMissed, "")
            .find(|told| told.notification.alert.subject.path != STOPPED);
        match other {
            None => Ok(()),
            Some(told) => Err(format!(
                "{} was reported",
                told.notification.alert.subject.title
            )),
        }
    }

    fn ledger_is_true(&self) -> Result<(), String> {
        let expected = BTreeSet::from([STOPPED.to_owned(), QUARANTINED.to_owned()]);
        if self.ledger == expected {
            return Ok(());
        }
        Err(format!(
            "it has {:?}, expected were {expected:?}",
            self.ledger
        ))
    }

    fn teams_waited(&self) -> Result<(), String> {
        let wish = self.story.steps.iter().find_map(|step| match &step.action {
            Action::Teams429 { retry_after, .. } => *retry_after,
            _ => None,
        });
        let wish = Duration::from_secs(wish.ok_or("the story throttles nobody")?);
        let (refused, taken) = self.repeated(Via::Teams, 429)?;
        let waited = taken.at.since(refused.at);
        if waited >= wish && waited <= wish + RETRY_SLACK {
            return Ok(());
        }
        Err(format!(
            "it came after {} ms, the wish was {} s",
            waited.as_millis(),
            wish.as_secs()
        ))
    }

    fn webhook_repeated(&self) -> Result<(), String> {
        let (refused, taken) = self.repeated(Via::Webhook, 500)?;
        if refused.key.is_some() && refused.key == taken.key {
            Ok(())
        } else {
            Err("the keys differ".to_owned())
        }
    }

    /// The first refused message of a receiver, and the same one when it was taken.
    fn repeated(&self, via: Via, status: u16) -> Result<(&Arrival, &Arrival), String> {
        let of = |told: &&Told| told.arrival.via == via;
        let refused = self
            .told
            .iter()
            .filter(of)
            .find(|told| told.arrival.status == status);
        let refused =
            refused.ok_or_else(|| format!("{} never answered {status}", via.receiver()))?;
        let same = |told: &&Told| {
            told.arrival.accepted()
                && told.arrival.at > refused.arrival.at
                && told.notification == refused.notification
        };
        let taken = self.told.iter().filter(of).find(same);
        let taken = taken.ok_or_else(|| format!("{} was not told again", via.receiver()))?;
        Ok((&refused.arrival, &taken.arrival))
    }

    /// Everybody was told once, in the right words, and of no other subject.
    fn once(&self, event: NotificationEvent, of: &OfServers) -> Result<(), String> {
        let [firing, over] = of.words;
        let words = if event == NotificationEvent::Firing {
            firing
        } else {
            over
        };
        for via in Via::ALL {
            let by_this: Vec<&Alert> = self
                .messages(event, of.rule, "")
                .filter(|told| told.arrival.via == via)
                .map(|told| &told.notification.alert)
                .collect();
            let [alert] = by_this.as_slice() else {
                let (rule, count, way) = (of.rule, by_this.len(), via.receiver());
                return Err(format!("{rule} {event} arrived {count} times by {way}"));
            };
            if alert.subject.path != of.path {
                return Err(format!("{} was told of {}", of.rule, alert.subject.title));
            }
            if let Some(word) = words.iter().find(|word| !alert.summary.contains(**word)) {
                return Err(format!("{word:?} is not in {:?}", alert.summary));
            }
        }
        Ok(())
    }

    fn nothing_else_of_servers(&self) -> Result<(), String> {
        let other = self.told.iter().find(|told| {
            let alert = &told.notification.alert;
            let is_expected = OF_SERVERS.iter().any(|of| of.rule == alert.rule);
            alert.subject.tenant == SERVED && !is_expected
        });
        match other {
            None => Ok(()),
            Some(told) => {
                let alert = &told.notification.alert;
                Err(format!("{} of {}", alert.rule, alert.subject.title))
            }
        }
    }

    fn nothing_lost(&self) -> Result<(), String> {
        match (self.dead_letters, self.strangers) {
            (0, 0) => Ok(()),
            (dead, strangers) => Err(format!("{dead} given up, {strangers} unexplained")),
        }
    }
}

#[cfg(test)]
mod tests;
