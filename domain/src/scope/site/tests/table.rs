//! Rows of the decision table, and which name decides.

use super::*;

#[test]
fn every_row_of_the_decision_table_holds_for_every_type() {
    for kind in ObjectType::ALL.iter().copied() {
        let others = ObjectType::ALL
            .iter()
            .copied()
            .filter(|other| *other != kind);
        let pair = |kind| vec![inbound(kind, PILOT), outbound(kind), exporting(kind)];
        let without_outbound = || vec![inbound(kind, PILOT), exporting(kind)];
        let outbound_off = || vec![inbound(kind, PILOT), off(outbound(kind)), exporting(kind)];
        let inbound_off = || vec![off(inbound(kind, PILOT)), outbound(kind), exporting(kind)];
        let of_others = || -> Vec<Rule> {
            others
                .clone()
                .flat_map(pair)
                .chain([exporting(kind)])
                .collect()
        };
        let elsewhere = || {
            vec![
                inbound(kind, "OU=Other,DC=hauser,DC=example"),
                outbound(kind),
            ]
        };
        let (as_intended, moved) = (Standing::AsIntended, Standing::Moved);
        let in_vain = Standing::SilencedInVain;
        // In Connect's scope, its rules, the job runs, what follows.
        let rows: [(bool, Vec<Rule>, bool, Owner, Standing); 17] = [
            (true, pair(kind), true, Owner::BothBlocked, as_intended),
            (
                true,
                pair(kind),
                false,
                Owner::BothBlocked,
                Standing::OrphanRisk,
            ),
            (true, without_outbound(), true, Owner::BothOpen, in_vain),
            (true, without_outbound(), false, Owner::Connect, in_vain),
            (true, outbound_off(), true, Owner::BothOpen, in_vain),
            (true, outbound_off(), false, Owner::Connect, in_vain),
            (true, vec![], true, Owner::BothOpen, as_intended),
            (
                true,
                vec![outbound(kind)],
                true,
                Owner::BothOpen,
                as_intended,
            ),
            (true, elsewhere(), true, Owner::BothOpen, as_intended),
            (true, inbound_off(), true, Owner::BothOpen, as_intended),
            (true, of_others(), true, Owner::BothOpen, as_intended),
            (true, of_others(), false, Owner::Connect, as_intended),
            (false, vec![], true, Owner::Cloud, moved),
            (false, pair(kind), true, Owner::Cloud, moved),
            (false, vec![], false, Owner::None, as_intended),
            (false, pair(kind), false, Owner::None, as_intended),
            (true, vec![], false, Owner::Connect, as_intended),
        ];
        for (in_connect, rules, runs, owner, standing) in rows {
            let included: &[&str] = if in_connect {
                &[ROOT]
            } else {
                &["OU=Else,DC=hauser,DC=example"]
            };
            let told = told(
                &configuration(included, rules.clone(), vec![cloud(runs, &[PILOT], &[])]),
                kind,
            );
            assert_eq!(
                told,
                (owner, standing),
                "{kind} {in_connect} {runs} {rules:#?}"
            );
        }
    }
}

#[test]
fn a_sleeping_connect_exports_nothing_and_would_again() {
    for kind in ObjectType::ALL.iter().copied() {
        for (activity, included, runs, expected) in [
            (
                Activity::Dormant,
                ROOT,
                true,
                (Owner::Cloud, Standing::DormantOverlap),
            ),
            (
                Activity::Dormant,
                ROOT,
                false,
                (Owner::Connect, Standing::Asleep),
            ),
            (
                Activity::Dormant,
                "OU=Else,DC=hauser,DC=example",
                true,
                (Owner::Cloud, Standing::Moved),
            ),
            (
                Activity::Absent,
                ROOT,
                true,
                (Owner::Cloud, Standing::AsIntended),
            ),
            (
                Activity::Absent,
                ROOT,
                false,
                (Owner::None, Standing::AsIntended),
            ),
        ] {
            let configuration = Configuration {
                activity: Some(activity),
                ..configuration(&[included], vec![], vec![cloud(runs, &[PILOT], &[])])
            };
            assert_eq!(
                told(&configuration, kind),
                expected,
                "{activity:?} {included} {runs}"
            );
        }
    }
}

#[test]
fn the_longest_name_decides_on_both_sides() {
    let mut configuration = configuration(
        &[],
        vec![],
        vec![cloud(true, &["OU=C,OU=A,DC=hauser,DC=example"], &[])],
    );
    configuration.connect.as_mut().unwrap().connectors = vec![connector(vec![
        partition(
            ROOT,
            &[
                "OU=A,DC=hauser,DC=example",
                "ou=d, ou=b, ou=a, dc=hauser, dc=example",
            ],
            &["OU=B,OU=A,DC=hauser,DC=example"],
        ),
        partition(
            "DC=sub,DC=hauser,DC=example",
            &["DC=sub,DC=hauser,DC=example"],
            &[],
        ),
        Partition {
            selected: false,
            ..partition(
                "DC=lab,OU=A,DC=hauser,DC=example",
                &["DC=lab,OU=A,DC=hauser,DC=example"],
                &[],
            )
        },
        Partition {
            scope: None,
            ..partition("DC=whole,DC=hauser,DC=example", &[], &[])
        },
    ])];
    for (below, owner) in [
        ("OU=A,DC=hauser,DC=example", Owner::Connect),
        ("OU=B,OU=A,DC=hauser,DC=example", Owner::None),
        ("OU=X,OU=B,OU=A,DC=hauser,DC=example", Owner::None),
        ("OU=D,OU=B,OU=A,DC=hauser,DC=example", Owner::Connect),
        ("OU=C,OU=A,DC=hauser,DC=example", Owner::BothOpen),
        ("OU=New,OU=C,OU=A,DC=hauser,DC=example", Owner::BothOpen),
        ("OU=NotA,DC=hauser,DC=example", Owner::None),
        ("OU=x,DC=sub,DC=hauser,DC=example", Owner::Connect),
        ("OU=x,DC=lab,OU=A,DC=hauser,DC=example", Owner::None),
        ("OU=x,DC=whole,DC=hauser,DC=example", Owner::Connect),
        ("DC=elsewhere", Owner::None),
    ] {
        let object = Object(format!("CN=x,{below}"), Vec::new());
        let ruling = ruling(&configuration, ObjectType::User, &object);
        assert_eq!(ruling.owner, owner, "{below}");
    }
}

#[test]
fn a_scope_of_groups_asks_for_members_and_an_unscoped_job_for_the_domain() {
    const GROUP: &str = "CN=Pilot,OU=Groups,DC=hauser,DC=example";
    let guarded = |condition: Condition| {
        let inbound = Rule {
            scope: vec![vec![condition]],
            ..inbound(ObjectType::User, PILOT)
        };
        vec![inbound, outbound(ObjectType::User)]
    };
    let by_group = || guarded(condition("", ComparisonOperator::IsMemberOf, GROUP));
    let by_name = || {
        guarded(condition(
            "dn",
            ComparisonOperator::EndsWith,
            "OU=Other,DC=hauser,DC=example",
        ))
    };
    for (rules, groups, member, owner) in [
        (by_group(), &[GROUP][..], Some(true), Owner::BothBlocked),
        (by_name(), &[GROUP], Some(true), Owner::BothOpen),
        (by_group(), &[GROUP], Some(false), Owner::Connect),
        (by_group(), &[GROUP], None, Owner::Unknown),
        (by_group(), &[], Some(true), Owner::BothBlocked),
        (by_group(), &[], Some(false), Owner::BothOpen),
    ] {
        let configuration = configuration(&[ROOT], rules, vec![cloud(true, &[], groups)]);
        let groups = member.map(|member| (GROUP, member)).into_iter().collect();
        let object = Object(format!("CN=x,{PILOT}"), groups);
        let ruling = ruling(&configuration, ObjectType::User, &object);
        assert_eq!(ruling.owner, owner, "{member:?} {:?}", ruling.doubt);
    }
}
