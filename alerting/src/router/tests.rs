use std::collections::BTreeSet;

use proptest::prelude::*;
use syncwatch_domain::alert::{Alert, NotificationEvent, Rule, Severity};

use super::*;
use crate::testing::{alert, webhook_receiver};

use NotificationEvent::{Changed, Firing, Resolved};

const NAMES: [&str; 4] = ["mail", "teams", "hook", "pager"];

fn route(receivers: &[&str]) -> Route {
    Route {
        labels: Vec::new(),
        min_severity: Severity::Info,
        rules: Vec::new(),
        receivers: receivers.iter().map(|&name| name.to_owned()).collect(),
        go_on: false,
        send_resolved: true,
    }
}

fn router(routes: Vec<Route>) -> Router {
    Router::new(&Notifications {
        receivers: NAMES
            .iter()
            .map(|name| webhook_receiver(name, "http://127.0.0.1:1/"))
            .collect(),
        routes,
    })
}

fn of(severity: Severity) -> Alert {
    let mut alert = alert(Rule::WindowMissed);
    alert.severity = severity;
    alert
}

fn told(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn without_routes_every_receiver_gets_warning_and_above() {
    let router = router(Vec::new());
    assert_eq!(
        router.receivers(Firing, &of(Severity::Critical), None),
        NAMES
    );
    assert_eq!(
        router.receivers(Firing, &of(Severity::Warning), None),
        NAMES
    );
    assert_eq!(router.receivers(Firing, &of(Severity::Info), None), [""; 0]);
}

#[test]
fn the_first_route_that_matches_decides_unless_it_says_continue() {
    let mut first = route(&["mail"]);
    first.min_severity = Severity::Critical;
    let routes = vec![first.clone(), route(&["teams"])];
    assert_eq!(
        router(routes.clone()).receivers(Firing, &of(Severity::Critical), None),
        ["mail"]
    );
    assert_eq!(
        router(routes).receivers(Firing, &of(Severity::Warning), None),
        ["teams"]
    );
    first.go_on = true;
    let both = router(vec![first, route(&["teams", "mail"])]);
    assert_eq!(
        both.receivers(Firing, &of(Severity::Critical), None),
        ["mail", "teams"]
    );
}

#[test]
fn labels_and_rules_must_all_match() {
    let alert = of(Severity::Warning);
    for (label, values, expected) in [
        ("tenant", vec!["orchard"], true),
        ("tenant", vec!["meadow"], false),
        ("engine", vec!["connect", "cloud"], true),
        ("engine", vec!["connect"], false),
        ("job", vec![""], false),
        ("partition", vec!["ad.orchard.example"], true),
    ] {
        let mut one = route(&["mail"]);
        one.labels = vec![
            ("kind".into(), vec!["password_hash".into()]),
            (
                label.into(),
                values.iter().map(|&value| value.to_owned()).collect(),
            ),
        ];
        let found = router(vec![one]).receivers(Firing, &alert, None).len();
        assert_eq!(found == 1, expected, "{label} in {values:?}");
    }
    let mut one = route(&["mail"]);
    one.rules = vec![Rule::JobPaused, Rule::WindowMissed];
    assert_eq!(
        router(vec![one.clone()]).receivers(Firing, &alert, None),
        ["mail"]
    );
    one.rules = vec![Rule::JobPaused];
    assert_eq!(router(vec![one]).receivers(Firing, &alert, None), [""; 0]);
}

#[test]
fn an_alert_without_a_matching_route_is_told_to_nobody() {
    let mut only = route(&["mail"]);
    only.min_severity = Severity::Critical;
    assert_eq!(
        router(vec![only]).receivers(Firing, &of(Severity::Warning), None),
        [""; 0]
    );
}

#[test]
fn the_end_is_told_to_those_who_were_told_even_if_the_severity_fell() {
    let mut critical = route(&["pager"]);
    critical.min_severity = Severity::Critical;
    critical.go_on = true;
    let router = router(vec![critical, route(&["mail"])]);
    let fallen = of(Severity::Warning);
    let before = told(&["pager", "mail"]);
    assert_eq!(
        router.receivers(Changed, &fallen, Some(&before)),
        ["mail", "pager"]
    );
    assert_eq!(
        router.receivers(Resolved, &fallen, Some(&before)),
        ["mail", "pager"]
    );
    assert_eq!(
        router.receivers(Resolved, &fallen, Some(&told(&["pager"]))),
        ["pager"]
    );
    assert_eq!(router.receivers(Resolved, &fallen, None), ["mail"]);
}

#[test]
fn a_route_can_do_without_the_end() {
    let mut silent = route(&["hook"]);
    silent.send_resolved = false;
    let router = router(vec![silent]);
    let alert = of(Severity::Warning);
    assert_eq!(router.receivers(Firing, &alert, None), ["hook"]);
    assert_eq!(router.receivers(Resolved, &alert, None), [""; 0]);
    assert_eq!(
        router.receivers(Resolved, &alert, Some(&told(&["hook"]))),
        [""; 0]
    );
    // Told by a route that is gone: the end closes the matter.
    assert_eq!(
        router.receivers(Resolved, &alert, Some(&told(&["mail", "gone"]))),
        ["mail"]
    );
}

fn any_route() -> impl Strategy<Value = Route> {
    let labels = proptest::option::of(prop_oneof![
        Just(("tenant".to_owned(), vec!["orchard".to_owned()])),
        Just(("engine".to_owned(), vec!["connect".to_owned()])),
    ]);
    let receivers = proptest::sample::subsequence(NAMES.to_vec(), 1..=3);
    (labels, 0..3_usize, receivers, any::<bool>(), any::<bool>()).prop_map(
        |(labels, severity, receivers, go_on, send_resolved)| Route {
            labels: labels.into_iter().collect(),
            min_severity: Severity::ALL[severity],
            go_on,
            send_resolved,
            ..route(&receivers)
        },
    )
}

proptest! {
    #[test]
    fn receivers_are_known_told_once_and_in_order(
        routes in proptest::collection::vec(any_route(), 0..6),
        severity in 0..3_usize,
        before in proptest::option::of(proptest::sample::subsequence(NAMES.to_vec(), 0..4)),
    ) {
        let router = router(routes);
        let alert = of(Severity::ALL[severity]);
        let before = before.map(|names| told(&names));
        for event in NotificationEvent::ALL {
            let found = router.receivers(*event, &alert, before.as_ref());
            let ordered: Vec<_> = NAMES.iter().copied().filter(|name| found.contains(name)).collect();
            prop_assert_eq!(&found, &ordered);
            if let (Resolved, Some(before)) = (event, &before) {
                prop_assert!(found.iter().all(|name| before.contains(*name)));
            }
        }
        // Whoever would hear of the start hears of a change.
        let firing = router.receivers(Firing, &alert, before.as_ref());
        let changed = router.receivers(Changed, &alert, before.as_ref());
        prop_assert!(firing.iter().all(|name| changed.contains(name)));
    }
}
