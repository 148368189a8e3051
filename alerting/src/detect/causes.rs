//! The cause tree: tenant > engine > server or agent > job or connector > lane.
//!
//! Which alerts could explain another one follows from its rule, its path and its labels alone,
//! so that an alert on record finds its causes as well as a fresh condition does.

use std::collections::BTreeMap;

use syncwatch_domain::alert::{Rule, Subject};
use syncwatch_domain::lane::Engine;

/// States of a job that stop or hinder its cycles.
const OF_JOB: [Rule; 4] = [
    Rule::JobFailing,
    Rule::JobPaused,
    Rule::JobDisabled,
    Rule::JobQuarantined,
];

/// Causes that outlive their end: what they explained passes with the next cycle, not with them.
pub const LINGERING: [Rule; 4] = OF_JOB;

/// Rule and path of the alerts that would explain an alert, nearest cause last.
///
/// An unreachable source explains no missed window: a window is missed only after its source was
/// read.
#[must_use]
pub fn of(rule: Rule, path: &str, labels: &BTreeMap<String, String>) -> Vec<(Rule, String)> {
    let mut causes = Vec::new();
    match rule {
        Rule::LaneLate | Rule::WindowMissed if path.starts_with("lane/") => {
            if let Some(engine) = labels.get("engine") {
                let engine = format!("engine/{engine}");
                causes.push((Rule::WindowMissed, engine.clone()));
                if rule == Rule::LaneLate {
                    causes.push((Rule::LaneLate, engine));
                }
            }
            if let Some(job) = labels.get("job") {
                causes.extend(OF_JOB.map(|rule| (rule, format!("job/{job}"))));
            }
        }
        Rule::ObjectErrors => {
            if let Some(job) = labels.get("job") {
                let stopped = [Rule::JobFailing, Rule::JobQuarantined];
                causes.extend(stopped.map(|rule| (rule, format!("job/{job}"))));
            }
        }
        Rule::SourceUnreachable if path != "graph" => {
            causes.push((Rule::SourceUnreachable, "graph".to_owned()));
        }
        _ => {}
    }
    causes
}

/// Rules about the same subject that end without a word when `rule` begins to hold: it says more,
/// or it says what became of them.
#[must_use]
pub const fn superseded_by(rule: Rule) -> &'static [Rule] {
    match rule {
        Rule::WindowMissed => &[Rule::LaneLate],
        Rule::JobQuarantined => &[Rule::JobFailing, Rule::JobPaused, Rule::JobDisabled],
        Rule::JobDisabled => &[Rule::JobFailing, Rule::JobPaused, Rule::JobQuarantined],
        Rule::JobPaused => &[Rule::JobFailing, Rule::JobDisabled, Rule::JobQuarantined],
        Rule::JobFailing => &[Rule::JobPaused, Rule::JobDisabled, Rule::JobQuarantined],
        _ => &[],
    }
}

/// Rules about the same subject that keep `rule` from being said: a lane that missed its window
/// is not on time again because it is only late now.
#[must_use]
pub const fn outranked_by(rule: Rule) -> &'static [Rule] {
    match rule {
        Rule::LaneLate => &[Rule::WindowMissed],
        _ => &[],
    }
}

/// One engine of a tenant, for an event that struck many of its lanes at once.
#[must_use]
pub fn engine_subject(tenant: &str, engine: Engine) -> Subject {
    let title = match engine {
        Engine::Connect => "Connect Sync",
        Engine::Cloud => "Cloud Sync",
    };
    Subject {
        tenant: tenant.to_owned(),
        path: format!("engine/{engine}"),
        title: title.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::words::labels;

    #[test]
    fn a_lane_hangs_under_its_job_before_its_engine() {
        let labels = labels([("engine", "cloud"), ("job", "AD2AADProvisioning.1")]);
        let causes = of(
            Rule::WindowMissed,
            "lane/cloud/objects/ad.orchard.example",
            &labels,
        );
        assert_eq!(causes[0], (Rule::WindowMissed, "engine/cloud".to_owned()));
        assert_eq!(
            causes.last(),
            Some(&(Rule::JobQuarantined, "job/AD2AADProvisioning.1".to_owned()))
        );
    }

    #[test]
    fn an_engine_and_a_tenant_hang_under_nothing() {
        let labels = labels([("engine", "cloud")]);
        assert_eq!(of(Rule::WindowMissed, "engine/cloud", &labels), []);
        assert_eq!(of(Rule::SourceUnreachable, "graph", &labels), []);
    }

    #[test]
    fn no_unreachable_source_explains_a_missed_window() {
        let labels = labels([("engine", "cloud"), ("job", "1"), ("source", "jobs")]);
        let causes = of(Rule::WindowMissed, "lane/cloud/objects/a", &labels);
        assert!(
            causes
                .iter()
                .all(|(rule, _)| *rule != Rule::SourceUnreachable),
            "{causes:?}"
        );
    }

    #[test]
    fn nothing_supersedes_itself() {
        for rule in Rule::ALL {
            assert!(!superseded_by(*rule).contains(rule));
        }
    }
}
