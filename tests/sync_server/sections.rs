//! Every section, from the interpreter through the pipe to what the service reads.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use syncwatch_agent::host::Asked;
use syncwatch_agent::powershell::script;
use syncwatch_domain::report::{Outcome, Section, events, runs, scheduler};
use syncwatch_simulator::sync_server::{CloudAgent, FaultKind, SyncServer};

use crate::healthy::read_out;
use crate::server::{Asking, STAFF, after, asked, connect_server, wanted};

#[tokio::test]
async fn every_section_of_a_connect_server_is_read() {
    let mut asking = Asking::new(connect_server());
    for section in Section::ALL {
        let rows = asking.rows(*section).await;
        read_out(*section, &rows, &asking.forms());
    }
}

#[tokio::test]
async fn values_that_nobody_casts_say_the_same_where_that_is_certain() {
    let raw = connect_server().failing(None, FaultKind::RawForms);
    let (mut asking, mut raw) = (Asking::new(connect_server()), Asking::new(raw));
    for section in Section::ALL {
        let (cast_rows, raw_rows) = (asking.rows(*section).await, raw.rows(*section).await);
        read_out(*section, &raw_rows, &raw.forms());
        match section {
            Section::Scheduler => assert_eq!(
                scheduler::read(&cast_rows, &asking.forms()),
                scheduler::read(&raw_rows, &raw.forms())
            ),
            Section::Runs => assert_eq!(
                runs::read(&cast_rows, &asking.forms()),
                runs::read(&raw_rows, &raw.forms())
            ),
            _ => {}
        }
    }
}

#[tokio::test]
async fn instants_that_can_be_read_in_two_ways_are_refused() {
    let mut server = connect_server().failing(None, FaultKind::RawForms);
    server.utc_offset_minutes = 60;
    let mut shifted = Asking::new(server);
    let mut plain = Asking::new(connect_server());
    let reading = shifted.read(Section::Runs).await;
    assert_eq!(reading.utc_offset_minutes, Some(60));
    // Runs hold readings in UTC: off by an hour, which is known and undone.
    assert_eq!(
        runs::read(&reading.data, &shifted.forms()),
        runs::read(&plain.rows(Section::Runs).await, &plain.forms())
    );
    let rows = shifted.rows(Section::Scheduler).await;
    assert!(
        scheduler::read(&rows, &shifted.forms()).is_err(),
        "nobody knows the kind"
    );
}

#[tokio::test]
async fn an_agent_of_cloud_sync_has_what_every_server_has() {
    let mut server = SyncServer::bare("SYNC03", after(0).as_millis());
    server.cloud_agent = Some(CloudAgent {
        version: "1.1.1370.0".to_owned(),
    });
    let mut asking = Asking::new(server);
    let mut read = BTreeSet::new();
    for section in Section::ALL {
        let reading = asking.read(*section).await;
        assert_eq!(reading.module_version, None);
        match reading.outcome {
            Outcome::Read => drop(read.insert(*section)),
            Outcome::Absent => {}
            // Of a name in a domain that the server does not know nothing is said.
            Outcome::Failed => assert_eq!(*section, Section::Containers),
        }
    }
    assert_eq!(
        read,
        BTreeSet::from([Section::Events, Section::Services, Section::Versions])
    );
}

#[tokio::test]
async fn what_is_sent_is_the_embedded_text_and_requests_of_json() {
    let mut asking = Asking::new(connect_server());
    let input = asking.path("input");
    let copy = input.clone();
    asking.change(|server| server.record_input = Some(copy));
    let hostile = "OU=a\"};\n& { Remove-Item C:\\ };$(x)`\u{2018}'#,DC=ad,DC=hauser,DC=example";
    let asked = Asked {
        containers: [STAFF, hostile].map(wanted).to_vec(),
        ..asked()
    };
    for section in Section::ALL {
        let reading = asking.read_as(*section, &asked).await;
        assert_eq!(reading.outcome, Outcome::Read, "{section}");
    }
    let sent = std::fs::read_to_string(input).unwrap();
    let requests = sent
        .strip_prefix(&script::text())
        .expect("the embedded text comes first");
    // Nothing in a name means anything on its way.
    assert!(requests.is_ascii() && !requests.contains([';', '$', '(', '&', '`', '\'', '#']));
    let requests: Vec<Value> = requests
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(requests.len(), Section::ALL.len());
    for (request, section) in requests.iter().zip(Section::ALL) {
        let names: Vec<_> = request.as_object().unwrap().keys().collect();
        assert_eq!(names, ["arguments", "id", "section"]);
        assert_eq!(request["section"], section.as_str());
    }
    // It arrives as it was.
    let last = requests.last().unwrap();
    assert_eq!(
        last["arguments"]["containers"][1],
        json!({ "DistinguishedName": hostile, "ObjectGuid": null })
    );
}

#[tokio::test]
async fn one_process_answers_all_and_asks_for_few_runs_the_second_time() {
    let mut asking = Asking::new(connect_server());
    let services = asking.read(Section::Services).await;
    assert_eq!(services.module_version, None, "nothing needed it yet");
    assert_eq!(
        services.interpreter_version.as_deref(),
        Some("5.1.20348.2849")
    );
    assert_eq!(asking.rows(Section::Runs).await.len(), 300);
    assert_eq!(asking.rows(Section::Runs).await.len(), 60);
    let services = asking.read(Section::Services).await;
    assert_eq!(
        services.module_version.as_deref(),
        Some("2.6.92.0"),
        "the same process"
    );
}

#[tokio::test]
async fn events_go_on_behind_their_bookmarks() {
    let mut asking = Asking::new(connect_server());
    let mut asked = Asked {
        most_events: 50,
        ..asked()
    };
    let mut found = Vec::new();
    for minutes in [5, 6, 35, 36] {
        asking.at(minutes);
        loop {
            let reading = asking.read_as(Section::Events, &asked).await;
            let read = events::read(&reading.data, &asking.forms()).unwrap();
            assert!(read.events.len() <= 50 && read.gaps.is_empty());
            found.extend(read.events.iter().map(|event| event.record_id));
            asked.bookmarks = reading.bookmarks.unwrap();
            if !reading.more {
                break;
            }
        }
    }
    assert!(found.len() > 900 && found.is_sorted_by(|one, next| one < next));
    let bookmark = asked.bookmarks.0["Application"];
    assert!(bookmark.at > Some(after(30)));
    // The log turns over behind the bookmark.
    asking.change(|server| server.log.keeps = 20);
    asking.at(300);
    let reading = asking.read_as(Section::Events, &asked).await;
    let gap = &events::read(&reading.data, &asking.forms()).unwrap().gaps[0];
    assert_eq!(u64::try_from(gap.read_until), Ok(bookmark.record_id));
}

#[tokio::test]
async fn names_of_users_leave_only_when_they_are_wanted() {
    let mut asking = Asking::new(connect_server());
    let printed = |reading: syncwatch_agent::host::Reading| Value::from(reading.data).to_string();
    let without = printed(asking.read(Section::Events).await);
    assert!(!without.contains("Nora Lind"));
    let asked = Asked {
        user_names: true,
        ..asked()
    };
    assert!(printed(asking.read_as(Section::Events, &asked).await).contains("Nora Lind"));
}
