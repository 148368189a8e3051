use super::*;

const STAMP: Timestamp = Timestamp::from_millis(1_793_000_000_000);
const WRITTEN: Timestamp = Timestamp::from_millis(1_792_999_000_000);

fn facts() -> ConnectFacts {
    ConnectFacts {
        judged: true,
        sync_enabled: true,
        stamp: Some(STAMP),
        written: None,
        masked: CloudSync::Idle,
        known: false,
        agent: None,
    }
}

fn instants(lane: &Option<(Expectation, Vec<Cycle>)>) -> Vec<Timestamp> {
    lane.iter()
        .flat_map(|(_, cycles)| cycles.iter().map(|cycle| cycle.ended_at))
        .collect()
}

#[test]
fn the_stamp_judges_connect_while_it_is_alone() {
    let lane = facts().lane();
    assert!(matches!(lane, Some((Expectation::Expected, _))));
    assert_eq!(instants(&lane), [STAMP]);
}

#[test]
fn a_masked_stamp_is_no_evidence_and_a_write_of_connect_is() {
    for masked in [CloudSync::AtWork, CloudSync::Unknown] {
        let lane = ConnectFacts {
            masked,
            known: true,
            ..facts()
        }
        .lane();
        assert!(
            matches!(lane, Some((Expectation::Masked { .. }, _))),
            "{masked:?}"
        );
        assert_eq!(instants(&lane), []);
        let lane = ConnectFacts {
            masked,
            written: Some(WRITTEN),
            ..facts()
        }
        .lane();
        assert!(
            matches!(lane, Some((Expectation::Masked { .. }, _))),
            "{masked:?}"
        );
        assert_eq!(instants(&lane), [WRITTEN]);
    }
}

#[test]
fn where_an_agent_tells_more_the_stamp_is_masked() {
    let agent = Some("SYNC01".to_owned());
    let known = ConnectFacts {
        known: true,
        agent,
        ..facts()
    };
    assert!(matches!(
        known.lane(),
        Some((Expectation::Masked { .. }, _))
    ));
    assert_eq!(instants(&known.lane()), []);
    let new = ConnectFacts {
        known: false,
        ..known
    };
    assert_eq!(new.lane(), None);
}

#[test]
fn no_lane_is_made_of_nothing() {
    for absent in [
        ConnectFacts {
            stamp: None,
            ..facts()
        },
        ConnectFacts {
            masked: CloudSync::AtWork,
            ..facts()
        },
        ConnectFacts {
            sync_enabled: false,
            ..facts()
        },
    ] {
        assert!(absent.lane().is_none(), "{absent:?}");
    }
}

#[test]
fn what_is_switched_off_pauses_a_known_lane_and_makes_no_new_one() {
    for off in [
        ConnectFacts {
            sync_enabled: false,
            ..facts()
        },
        ConnectFacts {
            judged: false,
            ..facts()
        },
    ] {
        assert!(off.lane().is_none(), "{off:?}");
        let known = ConnectFacts { known: true, ..off };
        assert!(
            matches!(known.lane(), Some((Expectation::Paused { .. }, _))),
            "{known:?}"
        );
    }
}
