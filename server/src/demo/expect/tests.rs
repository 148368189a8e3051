use std::collections::BTreeMap;

use syncwatch_domain::alert::{AlertId, AlertState, Notification, Severity, Subject};

use super::*;

const ORIGIN: Timestamp = Timestamp::from_millis(1_000_000);

fn at(millis: u64) -> Timestamp {
    ORIGIN + Duration::from_millis(millis)
}

fn told(
    via: Via,
    status: u16,
    millis: u64,
    event: NotificationEvent,
    rule: Rule,
    path: &str,
) -> Told {
    let tenant = if path.starts_with("server") {
        SERVED
    } else if path.contains("handel") || rule == Rule::JobQuarantined {
        "hansekontor"
    } else {
        "nordwall"
    };
    let subject = Subject {
        tenant: tenant.into(),
        path: path.into(),
        title: path.into(),
    };
    let alert = Alert {
        id: AlertId::of(rule, &subject, ORIGIN),
        rule,
        subject,
        severity: Severity::Critical,
        state: AlertState::Firing,
        occurred_at: ORIGIN,
        detected_at: ORIGIN,
        resolved_at: None,
        summary: summary(event, rule),
        mend: String::new(),
        evidence: Vec::new(),
        labels: BTreeMap::new(),
        cause: None,
        speaks_at: None,
        respite: None,
    };
    // A repetition tells what was decided at first.
    let decided_at = if status == 202 {
        at(millis - 3_000)
    } else {
        at(millis)
    };
    Told {
        arrival: Arrival::for_test(at(millis), via, status),
        notification: Notification {
            event,
            alert,
            children: Vec::new(),
            decided_at,
        },
    }
}

/// Sentences about servers, shorter than the real ones.
fn summary(event: NotificationEvent, rule: Rule) -> String {
    let is_firing = event == NotificationEvent::Firing;
    let text = match (rule, is_firing) {
        (Rule::SchedulerSuspended, true) => {
            "LH-SYNC01: the configuration wizard has held its scheduler since 6"
        }
        (Rule::SchedulerSuspended, false) => {
            "LH-SYNC01: the configuration wizard does not hold its scheduler any more"
        }
        (Rule::PasswordHashFailing, true) => "labor.example on LH-SYNC01 fail persistently",
        (Rule::PasswordHashFailing, false) => {
            "labor.example on LH-SYNC01: they are synchronized again"
        }
        (Rule::TwoActiveServers, true) => "LH-SYNC01 and LH-SYNC02 are active at the same time",
        (Rule::TwoActiveServers, false) => "active is LH-SYNC01",
        _ => "",
    };
    text.to_owned()
}

/// A record in which everything went as the story has it.
fn good() -> Record {
    use NotificationEvent::{Firing, Resolved};
    let mut all = Vec::new();
    for via in Via::ALL {
        for (millis, event, rule, path) in [
            (16_000, Firing, Rule::WindowMissed, STOPPED),
            (23_000, Resolved, Rule::WindowMissed, STOPPED),
            (28_000, Firing, Rule::JobQuarantined, "job/1"),
            (38_000, Resolved, Rule::JobQuarantined, "job/1"),
            (56_000, Resolved, Rule::SourceUnreachable, "graph"),
            (21_000, Firing, HASHES.rule, HASHES.path),
            (26_000, Firing, WIZARD.rule, WIZARD.path),
            (31_000, Firing, TWO.rule, TWO.path),
            (51_000, Resolved, HASHES.rule, HASHES.path),
            (51_000, Resolved, WIZARD.rule, WIZARD.path),
            (56_500, Resolved, TWO.rule, TWO.path),
        ] {
            all.push(told(via, 200, millis, event, rule, path));
        }
        if via != Via::Teams {
            all.push(told(
                via,
                200,
                46_000,
                Firing,
                Rule::SourceUnreachable,
                "graph",
            ));
        }
        if via != Via::Webhook {
            all.push(told(
                via,
                200,
                61_000,
                Firing,
                Rule::ObjectErrors,
                "job/2/errors/data",
            ));
        }
    }
    all.push(told(
        Via::Teams,
        429,
        46_000,
        Firing,
        Rule::SourceUnreachable,
        "graph",
    ));
    all.push(told(
        Via::Teams,
        202,
        49_000,
        Firing,
        Rule::SourceUnreachable,
        "graph",
    ));
    all.push(told(
        Via::Webhook,
        500,
        61_000,
        Firing,
        Rule::ObjectErrors,
        "job/2/errors/data",
    ));
    all.push(told(
        Via::Webhook,
        202,
        64_000,
        Firing,
        Rule::ObjectErrors,
        "job/2/errors/data",
    ));
    Record {
        origin: ORIGIN,
        story: Story::demo(),
        told: all,
        strangers: 0,
        dead_letters: 0,
        ledger: [STOPPED, QUARANTINED].map(str::to_owned).into(),
    }
}

fn missing(record: &Record) -> Vec<&'static str> {
    EXPECTED
        .iter()
        .filter(|expected| expected.missing(record).is_some())
        .map(|expected| expected.what)
        .collect()
}

#[test]
fn a_record_of_the_whole_story_lacks_nothing() {
    let record = good();
    let why: Vec<_> = EXPECTED
        .iter()
        .filter_map(|expected| expected.missing(&record))
        .collect();
    assert!(why.is_empty(), "{why:?}");
}

#[test]
fn each_message_that_does_not_arrive_is_missed() {
    let whole = good();
    for gone in 0..whole.told.len() {
        let mut record = good();
        let lost = record.told.remove(gone);
        assert!(!missing(&record).is_empty(), "{lost:?} is not missed");
    }
}

#[test]
fn a_second_outage_message_a_false_word_and_a_false_miss_are_noticed() {
    use NotificationEvent::{Firing, Resolved};
    for (extra, what) in [
        (
            told(
                Via::Mail,
                200,
                46_100,
                Firing,
                Rule::SourceUnreachable,
                "source/jobs/x",
            ),
            "one message",
        ),
        (
            told(
                Via::Mail,
                200,
                50_000,
                Resolved,
                Rule::LaneLate,
                "lane/cloud/objects/werke.example",
            ),
            "no word",
        ),
        (
            told(
                Via::Mail,
                200,
                60_000,
                Firing,
                Rule::WindowMissed,
                "lane/cloud/objects/werke.example",
            ),
            "no missed",
        ),
    ] {
        let mut record = good();
        record.told.push(extra);
        let missing = missing(&record);
        assert!(
            missing.len() == 1 && missing[0].starts_with(what),
            "{what}: {missing:?}"
        );
    }
}

#[test]
fn a_repetition_at_the_wrong_time_is_noticed() {
    for late in [46_500, 52_000] {
        let mut record = good();
        for told in record
            .told
            .iter_mut()
            .filter(|told| told.arrival.status == 202 && told.arrival.via == Via::Teams)
        {
            told.arrival.at = at(late);
        }
        assert_eq!(
            missing(&record),
            ["a throttled Teams post, delivered at its Retry-After time"]
        );
    }
}

#[test]
fn what_was_given_up_or_cannot_be_explained_is_noticed() {
    for (dead_letters, strangers) in [(1, 0), (0, 1)] {
        let record = Record {
            dead_letters,
            strangers,
            ..good()
        };
        assert_eq!(missing(&record).len(), 1);
    }
}

#[test]
fn an_entry_too_many_or_too_few_in_the_ledger_is_noticed() {
    let whole = good().ledger;
    let more = whole
        .iter()
        .cloned()
        .chain(["lane/cloud/objects/werke.example".to_owned()])
        .collect();
    for ledger in [more, BTreeSet::new()] {
        let record = Record { ledger, ..good() };
        assert_eq!(
            missing(&record),
            ["a ledger that holds the windows that were missed and no others"]
        );
    }
}

#[test]
fn another_word_about_the_servers_is_noticed() {
    use NotificationEvent::Firing;
    for (rule, path, what) in [
        (
            Rule::PasswordHashFailing,
            "server/LH-SYNC01/domain/klinik.example",
            "password hashes of one of two domains, and that domain alone",
        ),
        (
            Rule::SchedulerStalled,
            "server/LH-SYNC01",
            "no other word about the servers",
        ),
    ] {
        let mut record = good();
        record
            .told
            .push(told(Via::Mail, 200, 30_000, Firing, rule, path));
        assert_eq!(missing(&record), [what]);
    }
}

#[test]
fn each_alert_about_servers_is_told_once_and_in_the_right_words() {
    for of in OF_SERVERS {
        for event in [NotificationEvent::Firing, NotificationEvent::Resolved] {
            let is_meant = |told: &Told| {
                told.notification.event == event && told.notification.alert.rule == of.rule
            };
            let mut twice = good();
            let again = twice.told.iter().find(|told| is_meant(told)).cloned();
            twice.told.extend(again);
            assert_eq!(missing(&twice).len(), 1, "{} {event} came twice", of.rule);

            let mut vague = good();
            for told in vague.told.iter_mut().filter(|told| is_meant(told)) {
                told.notification.alert.summary = "a server is unwell".to_owned();
            }
            assert_eq!(missing(&vague).len(), 1, "{} {event} is vague", of.rule);
        }
    }
}
