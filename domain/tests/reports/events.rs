//! Events.

use syncwatch_domain::report::events::{
    ADMIN_ACTIONS, ADSYNC, CycleWord, DIRECTORY_SYNCHRONIZATION, DomainWord, Events, Meaning,
    Stage, read,
};
use syncwatch_domain::report::forms::{Forms, ShapeError};
use syncwatch_domain::sync_server::CyclePolicy;

use super::{NORDWALL, ahead, at, data, utc};

fn events(file: &str) -> Events {
    read(&data(file), &Forms::without_offset()).unwrap()
}

fn denied() -> Meaning {
    Meaning::PasswordFailed(DomainWord {
        domain: Some("ad.nordwall.example".to_owned()),
        connector_id: Some(NORDWALL.to_owned()),
        reason: Some("RPC Error 8453 : Replication access was denied.".to_owned()),
    })
}

#[test]
fn password_events_tell_batch_ping_and_failure() {
    let all = events("events.phs.ps51").events;
    let meanings: Vec<_> = all.iter().map(|event| event.meaning.clone()).collect();
    assert_eq!(
        meanings,
        [
            Meaning::Other,
            Meaning::Other,
            Meaning::PasswordResults {
                succeeded: 1,
                others: 1
            },
            Meaning::PasswordBatchEnded { count: Some(2) },
            Meaning::Other,
            Meaning::PasswordPingEnded,
            denied(),
        ]
    );
    let alive: Vec<i64> = all
        .iter()
        .filter(|event| event.shows_password_sync())
        .map(|event| event.id)
        .collect();
    assert_eq!(alive, [657, 651, 654]);
    assert!(all[6].mentions(&NORDWALL.to_uppercase()));
    assert!(!all[5].mentions(NORDWALL));
    assert!(!all[5].mentions(""));
}

/// `TimeCreated` is local time that knows its zone: no offset is needed.
#[test]
fn instants_are_true_in_every_form_and_zone() {
    let raw = events("events.phs.ps51").events;
    assert_eq!(raw[0].at, at("2026-12-03T07:02:30.100Z"));
    assert_eq!(events("events.phs.ps7").events[..], raw[..2]);
    assert_eq!(
        read(&data("events.phs.ps51"), &ahead(60)).unwrap().events,
        raw
    );
}

#[test]
fn single_event_is_a_list_of_one() {
    let all = events("events.phs.single.ps51").events;
    assert_eq!(all.len(), 1);
    assert!(all[0].is(DIRECTORY_SYNCHRONIZATION, 654));
}

#[test]
fn data_is_read_where_there_is_no_message() {
    let spoken = &events("events.phs.single.ps51").events[0];
    let positional = &events("events.positional.ps51").events[0];
    assert_eq!(positional.text, spoken.text);
    assert_eq!(positional.meaning, spoken.meaning);
    assert_eq!(positional.data, std::slice::from_ref(&spoken.text));
    assert!(positional.mentions("2D6C1B90-7E44-4A15-B0C3-8A9F0E1D0032"));
}

#[test]
fn cycle_with_errors_then_open_wizard_then_deletion_stop() {
    let all = events("events.sync-cycle.ps51").events;
    let profile = "Delta Import".to_owned();
    let connector = "ad.hauser.example".to_owned();
    let cycle = |word| Meaning::Cycle(word);
    let expected = [
        cycle(CycleWord::Started(Some(CyclePolicy::Delta))),
        cycle(CycleWord::Stage(Stage::Importing)),
        cycle(CycleWord::RunBegins {
            profile: profile.clone(),
            connector: connector.clone(),
        }),
        cycle(CycleWord::RunEnds { profile, connector }),
        Meaning::Other,
        Meaning::ExportError {
            name: Some("InvalidSoftMatch".to_owned()),
        },
        Meaning::Other,
        cycle(CycleWord::Stage(Stage::Finished)),
        cycle(CycleWord::Completed(Some(CyclePolicy::Delta))),
        cycle(CycleWord::Other),
        cycle(CycleWord::WizardOpen),
        Meaning::DeletionStop {
            pending: Some(871),
            limit: Some(350),
        },
    ];
    for (event, meaning) in all.iter().zip(&expected) {
        assert_eq!(&event.meaning, meaning, "record {}", event.record_id);
    }
    assert_eq!(all.len(), expected.len());
    assert!(all[4].is(ADSYNC, 6001));
}

#[test]
fn audit_of_administrators_is_kept() {
    let all = events("events.admin-audit.ps51").events;
    assert!(all[0].is(ADMIN_ACTIONS, 2510));
    assert!(all[1].is(ADMIN_ACTIONS, 2512));
    assert!(all[1].text.contains("ad.hauser.example"));
}

#[test]
fn normalised_section_has_events_counts_and_gaps() {
    let all = events("events.normalised");
    assert_eq!(all.events.len(), 4);
    assert_eq!(all.events[1].meaning, denied());
    assert_eq!(all.events[3].level, Some(3));
    assert_eq!(all.counts.len(), 1);
    let count = &all.counts[0];
    assert!(count.shows_password_sync());
    assert_eq!((count.id, count.count), (657, 12));
    assert_eq!(count.last_at, at("2026-12-03T07:28:01.100Z"));
    assert_eq!(all.gaps.len(), 1);
    assert_eq!(all.gaps[0].read_until, 41_200);
    assert_eq!(all.gaps[0].oldest_record_id, 49_001);
    assert_eq!(all.gaps[0].oldest_at, Some(at("2026-11-20T10:00:00Z")));
}

#[test]
fn cut_off_data_of_an_event_is_refused() {
    let mut file = data("events.positional.ps51");
    file[0]["Properties"] = serde_json::json!(["System.Diagnostics.Eventing.Reader.EventProperty"]);
    assert!(matches!(
        read(&file, &utc()),
        Err(ShapeError::Truncated { .. })
    ));
}

#[test]
fn event_without_an_instant_is_refused_by_name() {
    let mut file = data("events.phs.single.ps51");
    file[0]["TimeCreated"] = serde_json::Value::Null;
    assert_eq!(
        read(&file, &utc()).unwrap_err().to_string(),
        "data[0].TimeCreated is missing, expected an instant"
    );
}
