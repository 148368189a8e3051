use std::collections::BTreeSet;

use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::sync_server::{Agent, LostRecords, Part};

use super::kit::{DAY, Tenant, host, tenant};
use crate::detect::testing::{assert_told, minute};

fn agent(read: i64, ahead_seconds: i64, gap: Option<(i64, i64)>) -> Tenant {
    let agent = Agent {
        host: "SYNC01".into(),
        version: "0.1.0".into(),
        system: String::new(),
        roles: BTreeSet::new(),
        clock_ahead_ms: ahead_seconds * 1_000,
        newest_gap: gap.map(|(from, to)| LostRecords {
            records: 4_310,
            from: minute(from),
            to: minute(to),
        }),
    };
    tenant([host("SYNC01", read).with(Part::Agent, &agent)])
}

#[test]
fn a_clock_is_wrong_when_it_is_off_by_more_than_five_minutes_either_way() {
    const RULE: Rule = Rule::AgentClockWrong;
    for (seconds, expected) in [
        (0, None),
        (300, None),
        (301, Some(Severity::Warning)),
        (-300, None),
        (-301, Some(Severity::Warning)),
    ] {
        assert_eq!(
            agent(0, seconds, None).standing(RULE),
            [expected],
            "{seconds}"
        );
    }
    let mut told = agent(0, 3_605, None).holding(&[RULE]);
    told.extend(agent(0, -301, None).holding(&[RULE]));
    told.extend(agent(0, 1, None).over(&[RULE]));
    assert_told!("agent_clock_wrong", told);
}

const GAP: Rule = Rule::AgentGap;

#[test]
fn lost_records_are_told_whenever_the_agent_is_heard_again() {
    for read in [1, 3 * DAY, 90 * DAY] {
        let lost = agent(read, 0, Some((-600, 0)));
        assert_eq!(
            lost.standing(GAP),
            [Some(Severity::Warning)],
            "heard at {read}"
        );
    }
    assert_told!("agent_gap", agent(1, 0, Some((-600, 0))).holding(&[GAP]));
    assert_eq!(agent(1, 0, None).standing(GAP), []);
}

#[test]
fn a_loss_is_over_when_nothing_more_was_lost_for_a_day() {
    let before = agent(1, 0, Some((-600, 0))).found();
    let later = |read, gap| agent(read, 0, Some(gap)).firing(&before);
    assert_eq!(
        later(DAY - 1, (-600, 0)).standing(GAP),
        [Some(Severity::Warning)]
    );
    assert_told!("agent_gap_over", later(DAY + 1, (-600, 0)).over(&[GAP]));
    let again = later(DAY + 1, (100, 200)).standing(GAP);
    assert_eq!(again, [Some(Severity::Warning)], "more was lost");
}

#[test]
fn a_loss_that_was_told_and_is_over_is_not_told_again() {
    let told = |ended| {
        let mut tenant = agent(5 * DAY, 0, Some((-600, 0)));
        tenant
            .beyond
            .gaps_over
            .insert("SYNC01".into(), minute(ended));
        tenant.standing(GAP)
    };
    assert_eq!(told(DAY), []);
    assert_eq!(
        told(-DAY),
        [Some(Severity::Warning)],
        "that was an earlier one"
    );
}
