#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use syncwatch_domain::alert::{AlertState, Evidence, NotificationEvent, Rule, Severity, Subject};

use super::*;
use crate::detect::LAST_REPORTED;
use crate::detect::testing::minute;

mod groups;
mod servers;

/// A condition about `path` of tenant `orchard`; lanes belong to the engine `cloud` and, unless
/// it is empty, to `job`.
fn condition(finding: Finding, rule: Rule, path: &str, job: &str, at: i64) -> Condition {
    let severity = match rule {
        Rule::WindowMissed | Rule::JobQuarantined => Severity::Critical,
        _ => Severity::Warning,
    };
    let mut labels = BTreeMap::from([("engine".to_owned(), "cloud".to_owned())]);
    if !job.is_empty() {
        labels.insert("job".into(), job.into());
    }
    Condition {
        finding,
        rule,
        subject: Subject {
            tenant: "orchard".into(),
            path: path.into(),
            title: format!("title of {path}"),
        },
        severity,
        occurred_at: minute(at),
        summary: format!("{rule} {finding} at {at}"),
        mend: "look".into(),
        evidence: Vec::new(),
        labels,
        causes: Vec::new(),
        respite: None,
    }
}

fn holds(rule: Rule, path: &str, at: i64) -> Condition {
    condition(Finding::Holds, rule, path, "", at)
}

fn clear(rule: Rule, path: &str, at: i64) -> Condition {
    condition(Finding::Clear, rule, path, "", at)
}

fn of_job(rule: Rule, path: &str, at: i64) -> Condition {
    condition(Finding::Holds, rule, path, "j", at)
}

/// Alerts over several judgements, and what was told in each: `event rule path [children]`.
#[derive(Default)]
struct Story {
    firing: Firing,
    settings: AlertSettings,
    minutes: i64,
}

impl Story {
    fn turn(&mut self, conditions: Vec<Condition>) -> Vec<String> {
        self.minutes += 1;
        let settled = settle(
            conditions.clone(),
            &BTreeSet::new(),
            &self.firing,
            &self.settings,
            minute(self.minutes),
        );
        self.firing.apply(settled.alerts.clone());
        let again = settle(
            conditions,
            &BTreeSet::new(),
            &self.firing,
            &self.settings,
            minute(self.minutes + 1),
        );
        assert_eq!(again.alerts, [], "judging again changes nothing");
        assert_eq!(again.messages, [], "and tells nothing");
        settled.messages.iter().map(told).collect()
    }

    fn get(&self, rule: Rule, path: &str) -> Option<&Alert> {
        self.firing
            .about("orchard", path)
            .iter()
            .find(|alert| alert.rule == rule)
    }
}

fn told(message: &Message) -> String {
    let children = if message.children.is_empty() {
        String::new()
    } else {
        format!(" ({})", message.children.len())
    };
    format!(
        "{} {} {}{children}",
        message.event, message.alert.rule, message.alert.subject.path
    )
}

#[test]
fn an_alert_begins_once_and_ends_once() {
    let mut story = Story::default();
    let began = holds(Rule::JobPaused, "job/j", 0);
    assert_eq!(story.turn(vec![began.clone()]), ["firing JobPaused job/j"]);
    assert_eq!(
        story.turn(vec![holds(Rule::JobPaused, "job/j", 9)]),
        [""; 0]
    );
    let alert = story.get(Rule::JobPaused, "job/j").unwrap().clone();
    assert_eq!(
        (alert.occurred_at, alert.detected_at),
        (minute(0), minute(1)),
        "the first beginning stays"
    );
    assert_eq!(alert.labels["rule"], "JobPaused");
    assert_eq!(alert.labels["tenant"], "orchard");
    assert_eq!(
        story.turn(vec![clear(Rule::JobPaused, "job/j", 20)]),
        ["resolved JobPaused job/j"]
    );
    assert_eq!(
        story.turn(vec![clear(Rule::JobPaused, "job/j", 21)]),
        [""; 0]
    );
}

#[test]
fn an_end_before_the_beginning_is_put_at_the_beginning() {
    let firing = {
        let mut story = Story::default();
        story.turn(vec![holds(Rule::WindowMissed, "lane/a", 120)]);
        story.firing
    };
    let settled = settle(
        vec![clear(Rule::WindowMissed, "lane/a", 90)],
        &BTreeSet::new(),
        &firing,
        &AlertSettings::default(),
        minute(130),
    );
    assert_eq!(settled.alerts[0].state, AlertState::Resolved);
    assert_eq!(
        settled.alerts[0].resolved_at,
        Some(minute(120)),
        "a success that was published late"
    );
}

#[test]
fn a_missed_window_ends_the_late_alert_without_a_word() {
    let mut story = Story::default();
    story.turn(vec![holds(Rule::LaneLate, "lane/a", 60)]);
    assert_eq!(
        story.turn(vec![holds(Rule::WindowMissed, "lane/a", 120)]),
        ["firing WindowMissed lane/a"]
    );
    assert_eq!(story.get(Rule::LaneLate, "lane/a"), None);
    assert_eq!(
        story.turn(vec![
            clear(Rule::LaneLate, "lane/a", 130),
            clear(Rule::WindowMissed, "lane/a", 130)
        ]),
        ["resolved WindowMissed lane/a"]
    );
}

#[test]
fn a_lane_that_missed_its_window_has_not_recovered_because_it_is_only_late() {
    let mut story = Story::default();
    story.turn(vec![holds(Rule::WindowMissed, "lane/a", 120)]);
    assert_eq!(
        story.turn(vec![holds(Rule::LaneLate, "lane/a", 190)]),
        [""; 0]
    );
    assert!(story.get(Rule::WindowMissed, "lane/a").is_some());
}

#[test]
fn states_of_a_job_follow_one_another_without_a_false_end() {
    let mut story = Story::default();
    assert_eq!(
        story.turn(vec![holds(Rule::JobFailing, "job/j", 0)]),
        ["firing JobFailing job/j"]
    );
    assert_eq!(
        story.turn(vec![holds(Rule::JobQuarantined, "job/j", 1)]),
        ["firing JobQuarantined job/j"]
    );
    assert_eq!(
        story.turn(vec![holds(Rule::JobDisabled, "job/j", 2)]),
        ["firing JobDisabled job/j"]
    );
    assert_eq!(story.firing.about("orchard", "job/j").len(), 1);
    let over = [Rule::JobQuarantined, Rule::JobDisabled, Rule::JobFailing]
        .map(|rule| clear(rule, "job/j", 3));
    assert_eq!(story.turn(over.into()), ["resolved JobDisabled job/j"]);
}

#[test]
fn what_a_job_explains_is_not_told_until_the_job_is_well() {
    let mut story = Story::default();
    story.turn(vec![holds(Rule::JobQuarantined, "job/j", 0)]);
    assert_eq!(
        story.turn(vec![of_job(Rule::LaneLate, "lane/a", 60)]),
        [""; 0]
    );
    assert_eq!(
        story.turn(vec![of_job(Rule::WindowMissed, "lane/a", 120)]),
        [""; 0]
    );
    let cause = story.get(Rule::JobQuarantined, "job/j").unwrap().id.clone();
    assert_eq!(
        story.get(Rule::WindowMissed, "lane/a").unwrap().cause,
        Some(cause)
    );
    assert_eq!(
        story.turn(vec![clear(Rule::JobQuarantined, "job/j", 130)]),
        [
            "resolved JobQuarantined job/j",
            "firing WindowMissed lane/a"
        ]
    );
    assert_eq!(
        story.turn(vec![clear(Rule::WindowMissed, "lane/a", 140)]),
        ["resolved WindowMissed lane/a"]
    );
}

#[test]
fn what_was_never_told_ends_without_a_word() {
    let mut story = Story::default();
    story.turn(vec![holds(Rule::JobQuarantined, "job/j", 0)]);
    story.turn(vec![of_job(Rule::WindowMissed, "lane/a", 120)]);
    assert_eq!(
        story.turn(vec![clear(Rule::WindowMissed, "lane/a", 125)]),
        [""; 0]
    );
    assert_eq!(
        story.turn(vec![clear(Rule::JobQuarantined, "job/j", 130)]),
        ["resolved JobQuarantined job/j"]
    );
}

#[test]
fn cause_and_effect_of_one_judgement_are_one_message() {
    let mut story = Story::default();
    let both = vec![
        of_job(Rule::WindowMissed, "lane/a", 120),
        holds(Rule::JobQuarantined, "job/j", 0),
    ];
    assert_eq!(story.turn(both), ["firing JobQuarantined job/j (1)"]);
}

#[test]
fn a_lesser_cause_does_not_silence_what_is_graver() {
    let mut story = Story::default();
    story.turn(vec![holds(Rule::JobPaused, "job/j", 0)]);
    assert_eq!(
        story.turn(vec![of_job(Rule::LaneLate, "lane/a", 60)]),
        [""; 0]
    );
    assert_eq!(
        story.turn(vec![of_job(Rule::WindowMissed, "lane/a", 120)]),
        ["firing WindowMissed lane/a"]
    );
}

#[test]
fn who_heard_that_a_lane_is_late_hears_that_it_missed_its_window() {
    let mut story = Story::default();
    story.turn(vec![of_job(Rule::LaneLate, "lane/a", 60)]);
    story.turn(vec![holds(Rule::JobQuarantined, "job/j", 70)]);
    assert_eq!(
        story.turn(vec![of_job(Rule::WindowMissed, "lane/a", 120)]),
        ["firing WindowMissed lane/a"]
    );
}

#[test]
fn children_follow_from_one_state_of_a_job_to_the_next() {
    let mut story = Story::default();
    story.turn(vec![holds(Rule::JobQuarantined, "job/j", 0)]);
    story.turn(vec![of_job(Rule::WindowMissed, "lane/a", 120)]);
    let mut disabled = holds(Rule::JobDisabled, "job/j", 130);
    disabled.severity = Severity::Critical;
    assert_eq!(story.turn(vec![disabled]), ["firing JobDisabled job/j (1)"]);
    assert_eq!(
        story.turn(vec![clear(Rule::JobDisabled, "job/j", 140)]),
        ["resolved JobDisabled job/j", "firing WindowMissed lane/a"]
    );
}

#[test]
fn a_graver_state_is_told_and_severity_never_falls() {
    let mut story = Story::default();
    let with = |severity| Condition {
        severity,
        ..holds(Rule::CredentialExpiring, "credential/k", 0)
    };
    story.turn(vec![with(Severity::Warning)]);
    assert_eq!(
        story.turn(vec![with(Severity::Critical)]),
        ["changed CredentialExpiring credential/k"]
    );
    assert_eq!(story.turn(vec![with(Severity::Info)]), [""; 0]);
    let alert = story.get(Rule::CredentialExpiring, "credential/k").unwrap();
    assert_eq!(
        (alert.severity, alert.labels["severity"].as_str()),
        (Severity::Critical, "critical")
    );
}

#[test]
fn what_a_detector_reports_anew_is_told_again() {
    let mut story = Story::default();
    let reported = |at: &str| Condition {
        evidence: vec![Evidence {
            name: LAST_REPORTED.into(),
            value: at.into(),
        }],
        ..holds(Rule::ObjectErrors, "job/j/errors/data", 0)
    };
    story.turn(vec![reported("monday")]);
    assert_eq!(story.turn(vec![reported("monday")]), [""; 0]);
    assert_eq!(
        story.turn(vec![reported("tuesday")]),
        ["changed ObjectErrors job/j/errors/data"]
    );
}

#[test]
fn the_operator_sets_severities() {
    let mut story = Story::default();
    story
        .settings
        .severity
        .insert(Rule::JobPaused, Severity::Info);
    story.turn(vec![holds(Rule::JobPaused, "job/j", 0)]);
    assert_eq!(
        story.get(Rule::JobPaused, "job/j").unwrap().severity,
        Severity::Info
    );
}

#[test]
fn what_begins_again_at_the_same_instant_is_another_alert() {
    let mut settled = settle(
        vec![
            holds(Rule::JobQuarantined, "job/j", 0),
            of_job(Rule::WindowMissed, "lane/a", 120),
        ],
        &BTreeSet::new(),
        &Firing::default(),
        &AlertSettings::default(),
        minute(121),
    );
    let parent = settled
        .alerts
        .iter()
        .find(|alert| alert.rule == Rule::JobQuarantined)
        .unwrap()
        .id
        .clone();
    let fresh = settled.begin_at(&parent, minute(30)).unwrap();
    assert_ne!(fresh, parent);
    let renamed = settled
        .alerts
        .iter()
        .find(|alert| alert.id == fresh)
        .unwrap();
    assert_eq!(renamed.occurred_at, minute(30));
    assert!(
        settled
            .alerts
            .iter()
            .any(|alert| alert.cause.as_ref() == Some(&fresh))
    );
    assert_eq!(settled.messages[0].alert.id, fresh);
    assert!(settled.begun.contains(&fresh) && !settled.begun.contains(&parent));
    assert_eq!(settled.messages[0].event, NotificationEvent::Firing);
}
