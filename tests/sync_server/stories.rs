//! Troubles of a story, as the service reads them.

use syncwatch_domain::report::{
    Section, connector_status, containers, database, events, password_sync, pending_exports, runs,
    scheduler, services,
};
use syncwatch_domain::sync_server::ServiceState;
use syncwatch_simulator::sync_server::Trouble;

use crate::server::{Asking, STAFF, STAFF_ID, after, asked, connect_server, mins};

#[tokio::test]
async fn an_open_wizard_suspends_an_enabled_scheduler() {
    let mut asking = Asking::new(connect_server().with(mins(10), Trouble::WizardOpen));
    asking.at(200);
    let rows = asking.rows(Section::Scheduler).await;
    let read = scheduler::read(&rows, &asking.forms()).unwrap();
    assert!(read.suspended && read.sync_cycle_enabled && !read.in_progress);
    assert_eq!(read.next_start_at, Some(after(30)));
    let rows = asking.rows(Section::Events).await;
    let read = events::read(&rows, &asking.forms()).unwrap();
    let open = events::Meaning::Cycle(events::CycleWord::WizardOpen);
    assert!(read.events.iter().any(|event| event.meaning == open));
}

#[tokio::test]
async fn passwords_are_lost_for_one_of_two_domains() {
    let lost = Trouble::PasswordSyncLost {
        domain: "nordwall.example".to_owned(),
    };
    let mut asking = Asking::new(connect_server().with(mins(10), lost));
    asking.at(200);
    let rows = asking.rows(Section::PasswordSync).await;
    let read = password_sync::read(&rows, &asking.forms()).unwrap();
    let of = |domain: &str| {
        read.partitions
            .iter()
            .find(|one| one.domain == domain)
            .unwrap()
    };
    assert!(of("ad.hauser.example").success_ended_at > Some(after(196)));
    let ill = of("nordwall.example");
    assert!(ill.success_ended_at < Some(after(11)));
    assert!(ill.cycle.is(password_sync::CycleStatus::Failed));
    let rows = asking.rows(Section::Events).await;
    let read = events::read(&rows, &asking.forms()).unwrap();
    let failures: Vec<_> = read.events.iter().filter(|event| event.id == 611).collect();
    assert!(failures.len() > 80 && failures.iter().all(|one| one.mentions(&ill.connector_id)));
}

#[tokio::test]
async fn a_second_server_is_promoted_out_of_staging() {
    let promoted = connect_server()
        .in_staging()
        .with(mins(40), Trouble::Active);
    let mut asking = Asking::new(promoted);
    let mut seen = Vec::new();
    for minutes in [35, 75] {
        asking.at(minutes);
        let rows = asking.rows(Section::Scheduler).await;
        let staging = scheduler::read(&rows, &asking.forms())
            .unwrap()
            .staging_mode;
        let rows = asking.rows(Section::Runs).await;
        let runs = runs::read(&rows, &asking.forms()).unwrap();
        let exports = runs
            .iter()
            .filter(|run| run.is_cloud() && run.profile == "Export");
        let rows = asking.rows(Section::PendingExports).await;
        let waits = pending_exports::read(&rows, &asking.forms()).unwrap();
        let waits = waits.iter().map(pending_exports::ConnectorExports::total);
        seen.push((staging, exports.count(), waits.sum::<i64>()));
    }
    assert_eq!(seen, [(true, 0, 16), (false, 1, 0)]);
}

#[tokio::test]
async fn a_cycle_hangs_in_a_run_that_never_ends() {
    let mut asking = Asking::new(connect_server().with(mins(10), Trouble::CycleHung));
    asking.at(300);
    let rows = asking.rows(Section::ConnectorStatus).await;
    let busy = connector_status::read(&rows, &asking.forms()).unwrap();
    assert_eq!(busy[0].name, "hauser.onmicrosoft.com - AAD");
    let rows = asking.rows(Section::Runs).await;
    let newest = &runs::read(&rows, &asking.forms()).unwrap()[0];
    assert!(!newest.complete && newest.ended_at.is_none() && newest.began_at < after(34));
}

#[tokio::test]
async fn the_guard_against_deletes_stops_an_export() {
    let deletes = Trouble::TooManyDeletes {
        pending: 812,
        limit: 500,
    };
    let mut asking = Asking::new(connect_server().with(mins(10), deletes));
    asking.at(45);
    let rows = asking.rows(Section::Runs).await;
    let runs = runs::read(&rows, &asking.forms()).unwrap();
    assert!(
        runs.iter()
            .any(|run| run.result == "stopped-deletion-threshold-exceeded")
    );
    let rows = asking.rows(Section::Events).await;
    let read = events::read(&rows, &asking.forms()).unwrap();
    let stop = read.events.iter().find(|event| event.id == 116).unwrap();
    assert_eq!(
        stop.meaning,
        events::Meaning::DeletionStop {
            pending: Some(812),
            limit: Some(500),
        }
    );
}

#[tokio::test]
async fn a_scoped_container_is_found_again_after_it_was_renamed() {
    let to = "OU=People,DC=ad,DC=hauser,DC=example";
    let renamed = Trouble::ContainerRenamed {
        dn: STAFF.to_owned(),
        to: to.to_owned(),
    };
    let mut asking = Asking::new(connect_server().with(mins(10), renamed));
    let mut asked = asked();
    for minutes in [9, 11, 12] {
        asking.at(minutes);
        let reading = asking.read_as(Section::Containers, &asked).await;
        let read = &containers::read(&reading.data, &asking.forms()).unwrap()[0];
        assert_eq!(read.object_guid.as_deref(), Some(STAFF_ID));
        // The caller remembers what it was.
        asked.containers[0].known_id.clone_from(&read.object_guid);
        assert_eq!(read.exists, minutes < 10);
        assert_eq!(read.moved_to.as_deref(), (minutes > 10).then_some(to));
    }
}

#[tokio::test]
async fn a_stopped_service_and_a_full_database_are_told() {
    let server = connect_server()
        .with(mins(10), Trouble::DatabaseFull { used_mb: 9_612.5 })
        .with(
            mins(20),
            Trouble::ServiceStopped {
                name: "AzureADConnectHealthAgent".to_owned(),
            },
        );
    let mut asking = Asking::new(server);
    asking.at(25);
    let rows = asking.rows(Section::Database).await;
    let used = database::read(&rows, &asking.forms()).unwrap().used_mb;
    assert!((used - 9_612.5).abs() < 0.01);
    let rows = asking.rows(Section::Services).await;
    let read = services::read(&rows, &asking.forms()).unwrap();
    let stopped: Vec<_> = read
        .iter()
        .filter(|one| one.state.is(ServiceState::Stopped))
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(stopped, ["AzureADConnectHealthAgent"]);
}
