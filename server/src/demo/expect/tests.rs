use std::collections::BTreeMap;

use syncwatch_domain::alert::{AlertId, AlertState, Notification, Severity, Subject};

use super::*;

const HASHES: &str = "server/LH-SYNC01/domain/labor.example";
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
    let tenant = if OF_SERVERS.contains(&rule) || path.starts_with("server") {
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
        summary: "LH-SYNC01 and LH-SYNC02".to_owned(),
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
            (26_000, Firing, SUSPENDED, "server/LH-SYNC01"),
            (51_000, Resolved, SUSPENDED, "server/LH-SYNC01"),
            (21_000, Firing, Rule::PasswordHashFailing, HASHES),
            (50_500, Resolved, Rule::PasswordHashFailing, HASHES),
            (31_000, Firing, Rule::TwoActiveServers, "servers"),
            (56_500, Resolved, Rule::TwoActiveServers, "servers"),
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
    let mut record = good();
    for told in &mut record.told {
        told.notification.alert.summary = "LH-SYNC02".to_owned();
    }
    let what = "a second server promoted out of staging, both named";
    assert_eq!(missing(&record), [what]);
}
