use proptest::prelude::*;

use super::*;
use crate::sync_server::CyclePolicy;

fn meant(id: i64, text: &str) -> Meaning {
    of(DIRECTORY_SYNCHRONIZATION, id, text, "")
}

const FAILED: &str = "Password hash synchronization failed for domain: ad.nordwall.example, domain controller \
     hostname: dc1.ad.nordwall.example, domain controller IP address: 10.9.0.10. Details: \r\n\
     Microsoft.Online.PasswordSynchronization.SynchronizationManagerException: Unable to open connection to domain: \
     ad.nordwall.example. ---> Microsoft.Online.PasswordSynchronization.DrsCommunicationException: RPC Error 1722 : \
     The RPC server is unavailable.\r\n\
     <forest-info>\r\n  <partition-name>DC=ad,DC=nordwall,DC=example</partition-name>\r\n  \
     <connector-id>A9B2E7C4-8F10-4D36-B2D5-0C6E9E44C222</connector-id>\r\n</forest-info>";

#[test]
fn failure_of_a_domain_names_domain_connector_and_reason() {
    let expected = DomainWord {
        domain: Some("ad.nordwall.example".to_owned()),
        connector_id: Some("a9b2e7c4-8f10-4d36-b2d5-0c6e9e44c222".to_owned()),
        reason: Some("RPC Error 1722 : The RPC server is unavailable.".to_owned()),
    };
    for id in [611, 662, 667] {
        assert_eq!(meant(id, FAILED), Meaning::PasswordFailed(expected.clone()));
    }
    assert_eq!(
        meant(665, FAILED),
        Meaning::PasswordStateNotStored(expected)
    );
}

#[test]
fn failure_without_its_tail_still_names_the_domain() {
    let text = "Password hash synchronization failed for domain: AD.Nordwall.Example. Details: access denied";
    assert_eq!(
        meant(611, text),
        Meaning::PasswordFailed(DomainWord {
            domain: Some("ad.nordwall.example".to_owned()),
            connector_id: None,
            reason: Some("access denied".to_owned()),
        })
    );
    assert_eq!(
        meant(662, ""),
        Meaning::PasswordFailed(DomainWord::default())
    );
}

#[test]
fn deletion_stop_has_both_numbers() {
    let text = "Prevent Accidental Deletes: \nThe number of deletions for this sync cycle (1204 pending deletes) has \
         exceeded the current threshold of 500 objects.";
    assert_eq!(
        meant(116, text),
        Meaning::DeletionStop {
            pending: Some(1204),
            limit: Some(500),
        }
    );
    assert_eq!(
        meant(116, "Versehentliches Löschen"),
        Meaning::DeletionStop {
            pending: None,
            limit: None,
        }
    );
}

#[test]
fn results_of_users_are_counted() {
    let text = "Password Change Result - Anchor : a==, Dn : CN=A,DC=x, PwdChangeOnLogon=False, Result : Success.\r\n\
         Password Change Result - Anchor : b==, Dn : CN=B,DC=x, PwdChangeOnLogon=False, Result : Failed.";
    assert_eq!(
        meant(657, text),
        Meaning::PasswordResults {
            succeeded: 1,
            others: 1,
        }
    );
}

#[test]
fn batch_ping_certificate_and_scheduler_are_told_apart() {
    assert_eq!(
        meant(
            651,
            "Provision credentials batch end. Count: 17, TrackingID : 4b3d"
        ),
        Meaning::PasswordBatchEnded { count: Some(17) }
    );
    assert_eq!(meant(654, ""), Meaning::PasswordPingEnded);
    assert_eq!(
        meant(1011, ""),
        Meaning::Certificate(CertificateWord::Ending)
    );
    assert_eq!(
        meant(1012, ""),
        Meaning::Certificate(CertificateWord::Expired)
    );
    assert_eq!(
        meant(904, "Import/Sync/Export cycle started (Delta)."),
        Meaning::Cycle(CycleWord::Started(Some(CyclePolicy::Delta)))
    );
}

#[test]
fn same_id_of_another_provider_means_something_else() {
    assert_eq!(of(ADSYNC, 654, "", ""), Meaning::Other);
    assert_eq!(of("ADHealth-AadSync", 116, "", ""), Meaning::Other);
    assert_eq!(meant(6941, "Error Name: InvalidSoftMatch"), Meaning::Other);
    assert_eq!(
        of(
            ADSYNC,
            6941,
            "DN: CN={00} \r\nError Name: InvalidSoftMatch \r\nError Detail: x",
            ""
        ),
        Meaning::ExportError {
            name: Some("InvalidSoftMatch".to_owned()),
        }
    );
}

#[test]
fn data_is_read_where_the_message_is_in_another_language() {
    let german = "Die Anzahl der Löschungen ist zu hoch.";
    let data = "(1204 pending deletes) has exceeded the current threshold of 500 objects.";
    assert_eq!(
        of(DIRECTORY_SYNCHRONIZATION, 116, german, data),
        Meaning::DeletionStop {
            pending: Some(1204),
            limit: Some(500),
        }
    );
    assert_eq!(
        of(DIRECTORY_SYNCHRONIZATION, 904, "Fertig", "Finished"),
        meant(904, "Finished")
    );
    assert_eq!(
        of(DIRECTORY_SYNCHRONIZATION, 651, "Stapel beendet", ""),
        Meaning::PasswordBatchEnded { count: None }
    );
}

proptest! {
    #[test]
    fn no_text_makes_an_event_panic(id in prop::sample::select(vec![116_i64, 611, 651, 657, 904, 6941]),
        text in ".{0,60}", start in "(domain: |Count:|threshold of |<forest-info>|Result :|---> |)") {
        for provider in [DIRECTORY_SYNCHRONIZATION, ADSYNC] {
            let _ = of(provider, id, &format!("{start}{text}"), "");
            let _ = of(provider, id, "", &format!("{text}{start}"));
        }
    }
}
