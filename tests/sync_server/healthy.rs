//! Reads rows as the service does, and checks what a healthy server must say.

use serde_json::Value;
use syncwatch_domain::report::forms::Forms;
use syncwatch_domain::report::{
    Section, company_features, connector_status, connectors, containers, database, events,
    password_sync, pending_exports, reachability, rules, runs, scheduler, services, settings,
    versions,
};
use syncwatch_domain::sync_server::{CyclePolicy, ServiceKind, ServiceState};

use crate::server::{STAFF_ID, after};

/// Reads and checks the rows of a section.
pub(crate) fn read_out(section: Section, rows: &[Value], forms: &Forms) {
    match section {
        Section::Scheduler => {
            let read = scheduler::read(rows, forms).unwrap();
            assert_eq!(read.effective_interval_ms, 1_800_000);
            assert_eq!(read.next_policy, CyclePolicy::Delta);
            assert!(read.sync_cycle_enabled && !read.staging_mode && !read.suspended);
            assert!(read.next_start_at.unwrap() > after(5));
        }
        Section::ConnectorStatus => {
            assert!(connector_status::read(rows, forms).unwrap().is_empty());
        }
        Section::Runs => {
            let read = runs::read(rows, forms).unwrap();
            assert_eq!(read.len(), 300, "as many as a first reading asks for");
            assert!(
                read.iter()
                    .all(|run| run.complete && run.steps.as_ref().unwrap().len() == 1)
            );
            assert!(read.is_sorted_by(|one, next| one.began_at >= next.began_at));
            assert!(
                read.iter()
                    .any(|run| run.is_cloud() && run.exported() > Some(0))
            );
        }
        Section::PasswordSync => {
            let read = password_sync::read(rows, forms).unwrap();
            assert_eq!(read.partitions.len(), 2, "that of Entra ID says nothing");
            assert!(
                read.partitions
                    .iter()
                    .all(|one| one.success_ended_at > Some(after(1)))
            );
            assert_eq!(read.enabled("ad.hauser.example"), Some(true));
        }
        Section::Events => {
            let read = events::read(rows, forms).unwrap();
            assert!(read.gaps.is_empty() && read.events.len() > 500);
            assert!(read.events.iter().any(events::Event::shows_password_sync));
            assert!(
                read.counts
                    .iter()
                    .any(events::EventCount::shows_password_sync)
            );
        }
        other => of_configuration(other, rows, forms),
    }
}

/// What changes seldom.
fn of_configuration(section: Section, rows: &[Value], forms: &Forms) {
    match section {
        Section::Connectors => {
            let read = connectors::read(rows, forms).unwrap();
            assert_eq!(read.iter().filter(|one| one.is_cloud()).count(), 1);
            let scope = read[0].partitions[0].scope.as_ref().unwrap();
            assert_eq!(scope.included, ["DC=ad,DC=hauser,DC=example"]);
        }
        Section::Rules => assert_eq!(rules::read(rows, forms).unwrap().len(), 5),
        Section::Settings => {
            let read = settings::read(rows, forms).unwrap();
            assert_eq!(read.number(settings::names::DELETION_LIMIT), Some(500));
            assert_eq!(read.flag(settings::names::STAGING_MODE), Some(false));
        }
        Section::CompanyFeatures => {
            let read = company_features::read(rows, forms).unwrap();
            assert_eq!(read.password_hash_sync, Some(true));
        }
        Section::Database => assert!(database::read(rows, forms).unwrap().local_db),
        Section::Reachability => {
            let read = reachability::read(rows, forms).unwrap();
            assert_eq!(read.iter().filter(|one| one.reachable).count(), 2);
        }
        Section::Services => {
            let read = services::read(rows, forms).unwrap();
            let kinds: Vec<_> = read.iter().map(|one| one.kind).collect();
            assert_eq!(
                kinds,
                [
                    ServiceKind::Connect,
                    ServiceKind::Updater,
                    ServiceKind::Health
                ]
            );
            assert!(read.iter().all(|one| one.state.is(ServiceState::Running)));
        }
        Section::Versions => {
            let read = versions::read(rows, forms).unwrap();
            assert_eq!(read.connect.unwrap().to_string(), "2.6.92.0");
        }
        Section::PendingExports => {
            let read = pending_exports::read(rows, forms).unwrap();
            assert_eq!(read.len(), 3);
            assert!(read.iter().all(|one| one.total() == 0));
        }
        Section::Containers => {
            let read = containers::read(rows, forms).unwrap();
            assert_eq!(read[0].object_guid.as_deref(), Some(STAFF_ID));
            assert!(read[0].exists && read[0].moved_to.is_none());
        }
        other => panic!("{other} is not read"),
    }
}
