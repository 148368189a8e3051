//! Database, certificate, services and domains of a Connect server.

use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::sync_server::{
    CertificateNotice, CertificateWord, Database, DomainReach, Part, Reachability, Scheduler,
    ServiceKind, ServiceState, StartType,
};

use super::kit::{
    DAY, Host, Tenant, connect, healthy, host, run, runs, scheduler, service, services, tenant,
};
use crate::detect::testing::{assert_told, minute};

fn database(local_db: bool, used_mb: f64) -> Tenant {
    tenant([healthy("SYNC01", false).with(Part::Database, &Database { local_db, used_mb })])
}

#[test]
fn local_db_is_told_from_8000_megabytes_on() {
    const RULE: Rule = Rule::DatabaseFilling;
    for (used, expected) in [
        (7_999.0, None),
        (8_000.0, Some(Severity::Warning)),
        (9_499.0, Some(Severity::Warning)),
        (9_500.0, Some(Severity::Critical)),
    ] {
        assert_eq!(database(true, used).standing(RULE), [expected], "{used}");
        assert_eq!(database(false, used).standing(RULE), [None], "SQL Server");
    }
    let mut told = database(true, 8_310.4).holding(&[RULE]);
    told.extend(database(true, 6_900.0).over(&[RULE]));
    told.extend(database(false, 90_000.0).over(&[RULE]));
    assert_told!("database_filling", told);
}

/// A word at minute 0; the newest import from Entra ID came to its end at `signed_in`.
fn certificate(word: CertificateWord, signed_in: i64, maintenance_enabled: bool) -> Tenant {
    let scheduler = Scheduler {
        maintenance_enabled,
        ..scheduler(signed_in + 20)
    };
    let history = runs(Vec::new(), vec![run("Delta Import", "success", signed_in)]);
    let host = connect("SYNC01", signed_in + 1, &scheduler)
        .with(Part::Runs, &history)
        .with_at(
            Part::Certificate,
            &CertificateNotice {
                at: minute(0),
                word,
            },
            0,
        );
    tenant([host])
}

#[test]
fn what_connect_says_about_its_certificate_is_passed_on() {
    use CertificateWord::{Ending, Expired};
    const RULE: Rule = Rule::CertificateEnding;
    for (word, signed_in, maintains, expected) in [
        (Ending, 60, true, Some(Severity::Info)),
        (Ending, 60, false, Some(Severity::Warning)),
        (Ending, 150 * DAY, true, Some(Severity::Info)),
        (Ending, 150 * DAY + 1, true, None),
        (Expired, 0, true, Some(Severity::Critical)),
        (Expired, 1, true, None),
    ] {
        let told = certificate(word, signed_in, maintains).standing(RULE);
        assert_eq!(told, [expected], "{word} {signed_in} {maintains}");
    }
    let mut told = certificate(Ending, 60, true).holding(&[RULE]);
    told.extend(certificate(Ending, 60, false).holding(&[RULE]));
    told.extend(certificate(Expired, 0, true).holding(&[RULE]));
    told.extend(certificate(Expired, 1, true).over(&[RULE]));
    assert_told!("certificate_ending", told);
}

#[test]
fn a_certificate_that_graph_shows_is_told_by_the_rule_about_credentials() {
    const RULE: Rule = Rule::CertificateEnding;
    let seen = |word, days: i64| {
        let mut tenant = certificate(word, 0, true);
        tenant.beyond.certificate_ends_at = Some(minute(days * DAY));
        tenant.standing(RULE)
    };
    use CertificateWord::{Ending, Expired};
    assert_eq!(seen(Ending, 20), [], "told as a credential");
    assert_eq!(seen(Ending, 151), [None], "renewed");
    assert_eq!(seen(Expired, 151), [None]);
    assert_eq!(seen(Expired, 20), [Some(Severity::Critical)]);
}

fn with_service(kind: ServiceKind, state: ServiceState, read: i64) -> Host {
    let mut host = healthy("SYNC01", false);
    host.read = read;
    host.with(Part::Services, &services(vec![service(kind, state, 0)]))
}

#[test]
fn a_service_is_stopped_after_two_minutes_and_only_if_it_starts_by_itself() {
    const RULE: Rule = Rule::ServiceStopped;
    let stopped = |read| {
        tenant([with_service(
            ServiceKind::Connect,
            ServiceState::Stopped,
            read,
        )])
    };
    assert_eq!(stopped(1).standing(RULE), []);
    assert_eq!(stopped(2).standing(RULE), [Some(Severity::Critical)]);
    for (start_type, expected) in [
        (Some(StartType::Automatic), vec![Some(Severity::Critical)]),
        (Some(StartType::Manual), vec![None]),
        (Some(StartType::Disabled), vec![None]),
        (None, Vec::new()),
    ] {
        let mut service = service(ServiceKind::Connect, ServiceState::Stopped, 0);
        service.start_type = start_type;
        let host = healthy("SYNC01", false);
        let mut host = host.clone();
        host.read = 10;
        let host = host.with(Part::Services, &services(vec![service]));
        assert_eq!(tenant([host]).standing(RULE), expected, "{start_type:?}");
    }
    for (state, expected) in [
        (ServiceState::Running, vec![None]),
        (ServiceState::StartPending, Vec::new()),
        (ServiceState::Paused, vec![Some(Severity::Critical)]),
    ] {
        let told = tenant([with_service(ServiceKind::Connect, state, 10)]).standing(RULE);
        assert_eq!(told, expected, "{state}");
    }
}

#[test]
fn what_a_stopped_service_means_depends_on_it_and_on_the_others() {
    const RULE: Rule = Rule::ServiceStopped;
    let other = |kind| {
        let mut host = host("CLOUD02", 10);
        host.read = 10;
        host.with(
            Part::Services,
            &services(vec![service(kind, ServiceState::Running, 0)]),
        )
    };
    let mut told = Vec::new();
    for (kind, alone, beside) in [
        (ServiceKind::Connect, Severity::Critical, Severity::Critical),
        (ServiceKind::Updater, Severity::Warning, Severity::Warning),
        (ServiceKind::Health, Severity::Info, Severity::Info),
        (
            ServiceKind::PassThrough,
            Severity::Critical,
            Severity::Warning,
        ),
        (
            ServiceKind::Provisioning,
            Severity::Critical,
            Severity::Warning,
        ),
    ] {
        let stopped = with_service(kind, ServiceState::Stopped, 10);
        let one = tenant([stopped.clone()]).holding(&[RULE]);
        assert_eq!(one[0].severity, alone, "{kind}");
        let two = tenant([stopped, other(kind)]).holding(&[RULE]);
        assert_eq!(two[0].severity, beside, "{kind}");
        told.extend(one);
        if alone != beside {
            told.extend(two);
        }
    }
    assert_told!("service_stopped", told);
    let running = tenant([with_service(
        ServiceKind::Connect,
        ServiceState::Running,
        10,
    )]);
    assert_told!("service_runs", running.over(&[RULE]));
}

#[test]
fn a_service_known_under_two_names_runs_if_one_of_them_does() {
    let mut other = service(ServiceKind::PassThrough, ServiceState::Running, 0);
    other.name = "AzureADConnectAuthenticationAgentService".into();
    let stopped = service(ServiceKind::PassThrough, ServiceState::Stopped, 0);
    let mut host = healthy("SYNC01", false);
    host.read = 10;
    let host = host.with(Part::Services, &services(vec![stopped, other]));
    assert_eq!(tenant([host]).holding(&[Rule::ServiceStopped]), []);
}

#[test]
fn a_service_that_was_removed_is_not_stopped() {
    let before = tenant([with_service(ServiceKind::Health, ServiceState::Stopped, 10)]).found();
    let mut after = healthy("SYNC01", false);
    after.read = 20;
    let after = tenant([after.with(Part::Services, &services(Vec::new()))]).firing(&before);
    assert_told!("service_removed", after.over(&[Rule::ServiceStopped]));
}

fn reach(read: i64, reachable: bool) -> Tenant {
    let domain = DomainReach {
        domain: "Branch.orchard.example".into(),
        reachable,
        since: minute(0),
        message: (!reachable).then(|| "The server is not operational.".into()),
    };
    let mut host = healthy("SYNC01", false);
    host.read = read;
    let reach = Reachability {
        domains: vec![domain],
    };
    tenant([host.with(Part::Reachability, &reach)])
}

#[test]
fn a_domain_is_unreachable_after_more_than_one_try() {
    const RULE: Rule = Rule::DomainUnreachable;
    assert_eq!(reach(1, false).standing(RULE), []);
    assert_eq!(reach(2, false).standing(RULE), [Some(Severity::Warning)]);
    assert_eq!(reach(2, true).standing(RULE), [None]);
    let mut told = reach(5, false).holding(&[RULE]);
    told.extend(reach(5, true).over(&[RULE]));
    assert_told!("domain_unreachable", told);
}
