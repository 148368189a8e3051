//! Events that strike many lanes at once.

use super::*;

fn lanes(rule: Rule, range: std::ops::Range<i64>) -> Vec<Condition> {
    range
        .map(|n| holds(rule, &format!("lane/cloud/objects/{n}"), 120 + n % 2))
        .collect()
}

fn over(range: std::ops::Range<i64>) -> Vec<Condition> {
    range
        .flat_map(|n| {
            [Rule::LaneLate, Rule::WindowMissed]
                .map(|rule| clear(rule, &format!("lane/cloud/objects/{n}"), 150))
        })
        .collect()
}

#[test]
fn lanes_below_the_threshold_are_told_one_by_one() {
    let mut story = Story::default();
    assert_eq!(story.turn(lanes(Rule::WindowMissed, 0..9)).len(), 9);
    story.settings.group_from = 0;
    assert_eq!(
        story.turn(lanes(Rule::WindowMissed, 10..60)).len(),
        50,
        "0 switches groups off"
    );
}

#[test]
fn many_lanes_at_once_are_one_message_with_their_names() {
    let mut story = Story::default();
    assert_eq!(
        story.turn(lanes(Rule::WindowMissed, 0..40)),
        ["firing WindowMissed engine/cloud (40)"]
    );
    let group = story.get(Rule::WindowMissed, "engine/cloud").unwrap();
    assert_eq!(group.occurred_at, minute(120), "the first of them");
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!("group_missed", shown(group)); });
    assert_eq!(story.turn(over(0..39)), [""; 0]);
    assert_eq!(
        story.turn(over(39..40)),
        ["resolved WindowMissed engine/cloud"]
    );
    assert_eq!(story.get(Rule::WindowMissed, "engine/cloud"), None);
}

/// Every sentence about a group: of both rules and engines, at its beginning and at its end.
#[test]
fn groups_are_told_in_words() {
    let mut text = String::new();
    for engine in ["cloud", "connect"] {
        for (rule, then) in [
            (Rule::LaneLate, Rule::WindowMissed),
            (Rule::WindowMissed, Rule::WindowMissed),
        ] {
            let mut firing = Firing::default();
            let settings = AlertSettings::default();
            let of_engine = |mut condition: Condition| {
                condition.labels.insert("engine".into(), engine.into());
                condition
            };
            let mut last = lanes(then, 9..10);
            if rule == then {
                last = over(9..10);
            }
            for (turn, conditions) in [lanes(rule, 0..10), over(0..9), last]
                .into_iter()
                .enumerate()
            {
                let conditions = conditions.into_iter().map(of_engine).collect();
                let at = minute(200 + i64::try_from(turn).unwrap());
                let settled = settle(conditions, &BTreeSet::new(), &firing, &settings, at);
                firing.apply(settled.alerts.clone());
                let groups = settled
                    .messages
                    .iter()
                    .filter(|message| message.alert.subject.path.starts_with("engine/"));
                for message in groups {
                    text += &format!("{} {}\n", message.event, shown(&message.alert));
                }
            }
        }
    }
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!("group_words", text); });
}

fn shown(alert: &Alert) -> String {
    let facts: String = alert
        .evidence
        .iter()
        .map(|fact| format!("- {}: {}\n", fact.name, fact.value))
        .collect();
    format!(
        "{} {}\n{}\n{}\n{facts}",
        alert.rule, alert.severity, alert.summary, alert.mend
    )
}

#[test]
fn lanes_that_join_a_group_are_told_with_it() {
    let mut story = Story::default();
    story.turn(lanes(Rule::WindowMissed, 0..40));
    assert_eq!(
        story.turn(lanes(Rule::WindowMissed, 40..41)),
        ["changed WindowMissed engine/cloud (41)"]
    );
    assert!(
        story
            .get(Rule::WindowMissed, "engine/cloud")
            .unwrap()
            .summary
            .starts_with("41 lanes")
    );
    assert_eq!(
        story.turn(over(0..41)),
        ["resolved WindowMissed engine/cloud"]
    );
}

#[test]
fn a_late_group_that_misses_its_windows_becomes_a_missed_group() {
    let mut story = Story::default();
    assert_eq!(
        story.turn(lanes(Rule::LaneLate, 0..12)),
        ["firing LaneLate engine/cloud (12)"]
    );
    assert_eq!(
        story.turn(lanes(Rule::WindowMissed, 0..12)),
        ["firing WindowMissed engine/cloud (12)"]
    );
    assert_eq!(
        story.get(Rule::LaneLate, "engine/cloud"),
        None,
        "it ended without a word"
    );
}

#[test]
fn a_late_group_of_which_some_recovered_says_so_at_its_end() {
    let mut story = Story::default();
    story.turn(lanes(Rule::LaneLate, 0..12));
    assert_eq!(story.turn(over(0..10)), [""; 0]);
    let told = story.turn(lanes(Rule::WindowMissed, 10..12));
    assert_eq!(
        told,
        [
            "resolved LaneLate engine/cloud",
            "firing WindowMissed lane/cloud/objects/10",
            "firing WindowMissed lane/cloud/objects/11",
        ]
    );
}

#[test]
fn lanes_that_their_jobs_explain_make_no_group() {
    let mut story = Story::default();
    story.turn(vec![holds(Rule::JobQuarantined, "job/j", 0)]);
    let of_one_job = (0..20)
        .map(|n| of_job(Rule::WindowMissed, &format!("lane/cloud/objects/{n}"), 120))
        .collect();
    assert_eq!(story.turn(of_one_job), [""; 0]);
    assert_eq!(story.get(Rule::WindowMissed, "engine/cloud"), None);
}

#[test]
fn many_lanes_whose_job_gets_well_are_one_message() {
    let mut story = Story::default();
    story.turn(vec![holds(Rule::JobQuarantined, "job/j", 0)]);
    let lanes =
        (0..20).map(|n| of_job(Rule::WindowMissed, &format!("lane/cloud/objects/{n}"), 120));
    story.turn(lanes.collect());
    let told = story.turn(vec![clear(Rule::JobQuarantined, "job/j", 130)]);
    assert_eq!(
        told,
        [
            "firing WindowMissed engine/cloud (20)",
            "resolved JobQuarantined job/j"
        ]
    );
}

#[test]
fn lanes_whose_job_gets_well_join_the_group_of_their_engine() {
    let mut story = Story::default();
    story.turn(vec![holds(Rule::JobQuarantined, "job/j", 0)]);
    story.turn(vec![of_job(
        Rule::WindowMissed,
        "lane/cloud/objects/x",
        120,
    )]);
    story.turn(lanes(Rule::WindowMissed, 0..40));
    let told = story.turn(vec![clear(Rule::JobQuarantined, "job/j", 130)]);
    assert_eq!(
        told,
        [
            "changed WindowMissed engine/cloud (41)",
            "resolved JobQuarantined job/j"
        ]
    );
}
