use std::collections::BTreeSet;

use syncwatch_domain::alert::{Condition, Rule, Severity};
use syncwatch_domain::sync_server::{Part, Versions};
use syncwatch_domain::time::Timestamp;

use super::kit::{Tenant, healthy, host, tenant};
use crate::detect::testing::{assert_told, minute};

const RULE: Rule = Rule::VersionUnsupported;

/// Minutes from minute 0 to the beginning of a day.
fn day(text: &str) -> i64 {
    let at = Timestamp::parse(&format!("{text}T00:00:00Z"));
    let at = at.unwrap_or_default().as_millis();
    (at - minute(0).as_millis()) / 60_000
}

fn installed(connect: Option<&str>, agent: Option<&str>, today: &str) -> Tenant {
    let versions = Versions {
        connect: connect.map(Into::into),
        provisioning_agent: agent.map(Into::into),
        provisioning_agent_since: None,
    };
    let mut host = healthy("SYNC01", false);
    host.read = day(today);
    tenant([host.with(Part::Versions, &versions)])
}

fn connect(version: &str, today: &str) -> Vec<Option<Severity>> {
    installed(Some(version), None, today).standing(RULE)
}

fn agent(version: &str, templates: &[&str]) -> Tenant {
    let mut tenant = installed(None, Some(version), "2026-11-20");
    tenant.beyond.templates = templates.iter().map(|word| (*word).to_owned()).collect();
    tenant
}

#[test]
fn versions_of_connect_are_held_against_the_table() {
    use Severity::{Critical, Warning};
    for (version, today, expected) in [
        ("1.6.16.0", "2026-11-20", vec![Some(Critical)]),
        ("2.5.78.0", "2026-11-20", vec![Some(Critical)]),
        ("2.5.79.0", "2026-10-23", vec![Some(Warning)]),
        ("2.5.79.0", "2026-10-24", vec![Some(Critical)]),
        ("2.5.190.0", "2026-11-20", vec![None]),
        ("2.5.190.0", "2026-12-04", vec![None]),
        ("2.5.190.0", "2026-12-05", vec![Some(Warning)]),
        ("2.5.190.0", "2027-02-03", vec![Some(Critical)]),
        ("2.6.79.0", "2026-11-20", vec![Some(Warning)]),
        ("2.6.92.0", "2030-01-01", vec![None]),
        ("2.9.1.0", "2030-01-01", vec![None]),
    ] {
        assert_eq!(connect(version, today), expected, "{version} on {today}");
    }
}

#[test]
fn a_version_between_two_that_are_listed_is_judged_only_where_both_agree() {
    use Severity::{Critical, Warning};
    // Between 2.5.190.0 (2 February 2027) and 2.6.1.0 (10 March 2027).
    for (today, expected) in [
        ("2026-11-20", vec![None]),
        ("2026-12-20", vec![]),
        ("2027-01-10", vec![Some(Warning)]),
        ("2027-03-11", vec![Some(Critical)]),
    ] {
        assert_eq!(connect("2.5.200.0", today), expected, "{today}");
    }
    assert_eq!(
        connect("2.6.91.5", "2030-01-01"),
        [],
        "the newest has no end"
    );
    assert_eq!(connect("2.6.x", "2026-11-20"), [], "unreadable");
}

#[test]
fn the_calendar_alone_makes_a_version_old() {
    let tenant = installed(Some("2.5.190.0"), None, "2026-11-20");
    let due = tenant.look(day("2026-11-20")).next_due;
    assert_eq!(due, Some(minute(day("2026-12-05"))));
    let later = tenant.look(day("2026-12-06"));
    let warned = later
        .conditions
        .iter()
        .any(|one| one.severity == Severity::Warning && one.rule == RULE);
    assert!(
        warned,
        "the read is a fortnight old, the version is the same"
    );
    let silent = tenant.hosts[0].clone().silent(day("2026-11-21"));
    let silent = super::kit::tenant([silent]).look(day("2026-12-06"));
    assert!(silent.conditions.iter().all(|one| one.rule != RULE));
    assert_eq!(silent.next_due, None);
}

#[test]
fn agents_are_too_old_180_days_behind_the_newest() {
    for (version, expected) in [
        ("1.1.2505.0", vec![None]),
        ("1.1.2334.0", vec![None]),
        ("1.1.2600.0", vec![None]),
        ("1.1.2400.0", vec![None]),
        ("1.1.2108.0", vec![Some(Severity::Warning)]),
        ("1.1.1370.0", vec![Some(Severity::Warning)]),
        ("1.1.2200.0", Vec::new()),
    ] {
        assert_eq!(agent(version, &[]).standing(RULE), expected, "{version}");
    }
}

#[test]
fn agents_below_what_a_job_in_use_needs_are_critical() {
    let writeback = ["AD2AADProvisioning", "AAD2ADGroupProvisioning"];
    for (version, expected) in [
        ("1.1.1365.0", Severity::Critical),
        ("1.1.1366.0", Severity::Warning),
    ] {
        let told = agent(version, &writeback).standing(RULE);
        assert_eq!(told, [Some(expected)], "{version}");
    }
    let unused = agent("1.1.1365.0", &["AD2AADProvisioning"]).standing(RULE);
    assert_eq!(
        unused,
        [Some(Severity::Warning)],
        "old, and enough for what runs"
    );
}

#[test]
fn versions_are_told_in_words() {
    let mut told: Vec<Condition> = [
        ("2.4.129.0", "2026-11-20"),
        ("2.5.79.0", "2026-11-20"),
        ("2.5.190.0", "2026-12-20"),
        ("2.6.79.0", "2026-11-20"),
        ("2.5.200.0", "2027-01-10"),
        ("2.6.84.0", "2026-11-20"),
        ("2.9.1.0", "2026-11-20"),
    ]
    .into_iter()
    .flat_map(|(version, today)| installed(Some(version), None, today).found())
    .collect();
    for (version, templates) in [
        ("1.1.2108.0", &[][..]),
        ("1.1.1107.0", &["AAD2ADGroupProvisioning"][..]),
        ("1.1.2505.0", &[][..]),
    ] {
        told.extend(agent(version, templates).found());
    }
    told.retain(|one| one.rule == RULE);
    assert_told!("version_unsupported", told);
}

#[test]
fn what_was_removed_has_no_version() {
    let before = installed(Some("2.5.79.0"), None, "2026-11-20").found();
    let after = installed(None, None, "2026-11-21").firing(&before);
    assert_told!("version_removed", after.over(&[RULE]));
}

#[test]
fn jobs_are_asked_for_only_where_an_agent_may_be_too_old() {
    let needs = |version: &str| {
        let versions = Versions {
            connect: None,
            provisioning_agent: Some(version.into()),
            provisioning_agent_since: None,
        };
        let host = host("CLOUD01", 0).with(Part::Versions, &versions);
        tenant([host]).needs().templates
    };
    assert!(needs("1.1.1107.0"));
    assert!(!needs("1.1.2505.0"));
    assert_eq!(BTreeSet::<String>::new(), tenant([]).beyond.templates);
}
