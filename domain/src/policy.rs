//! What the operator wants of lanes: intervals, levels and lanes that are not expected to run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cadence::{Intervals, Levels, Timing};
use crate::lane::{Engine, LaneKey, LaneKind};
use crate::span::Span;

/// Which lanes a rule speaks about; an absent field matches every lane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneMatch {
    /// Name of the tenant.
    pub tenant: Option<String>,
    /// Engine.
    pub engine: Option<Engine>,
    /// Kind.
    pub kind: Option<LaneKind>,
    /// Partition, compared without regard to case.
    pub partition: Option<String>,
}

impl LaneMatch {
    /// Whether the lane is meant.
    #[must_use]
    pub fn matches(&self, key: &LaneKey) -> bool {
        self.tenant
            .as_ref()
            .is_none_or(|tenant| *tenant == key.tenant)
            && self.engine.is_none_or(|engine| engine == key.engine)
            && self.kind.is_none_or(|kind| kind == key.kind)
            && self
                .partition
                .as_ref()
                .is_none_or(|partition| partition.eq_ignore_ascii_case(&key.partition))
    }
}

/// What the operator says about the lanes that match; absent fields leave things as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneRule {
    /// Which lanes.
    pub matching: LaneMatch,
    /// Interval in place of what the source promises.
    pub interval: Option<Span>,
    /// The lane is late this long after its last success, in place of the documented level.
    pub late_after: Option<Span>,
    /// Grace after the interval, in place of the documented level.
    pub grace: Option<Span>,
    /// The lane is not expected to run.
    pub paused: Option<bool>,
}

/// What holds for one lane once all rules were applied.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneTerms {
    /// Interval set by the operator.
    pub configured: Option<Duration>,
    /// Late after this, set by the operator.
    pub late_after: Option<Duration>,
    /// Grace set by the operator.
    pub grace: Option<Duration>,
    /// Documented levels for what is not set.
    pub levels: Levels,
    /// Paused by the operator.
    pub paused: bool,
}

impl LaneTerms {
    /// The timing of a lane under these terms. `learned` and `promised` are taken from
    /// `intervals`, the configured interval from the terms.
    #[must_use]
    pub fn timing(&self, intervals: &Intervals, engine: Engine, kind: LaneKind) -> Timing {
        let intervals = Intervals {
            configured: self.configured,
            ..*intervals
        };
        let mut timing = Timing::of(&intervals, &self.levels, engine, kind);
        if let Some(grace) = self.grace {
            timing.missed_after = timing.interval.saturating_add(grace);
        }
        if let Some(late_after) = self.late_after {
            timing.late_after = late_after;
        }
        timing.late_after = timing.late_after.min(timing.missed_after);
        timing
    }
}

/// All rules about lanes, in the order of the config; later rules win field by field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LanePolicy {
    /// The rules.
    pub rules: Vec<LaneRule>,
}

impl LanePolicy {
    /// What holds for a lane.
    #[must_use]
    pub fn terms(&self, key: &LaneKey) -> LaneTerms {
        let mut terms = LaneTerms {
            configured: None,
            late_after: None,
            grace: None,
            levels: Levels::documented(key.engine, key.kind),
            paused: false,
        };
        for rule in self.rules.iter().filter(|rule| rule.matching.matches(key)) {
            terms.configured = rule.interval.map(|span| span.0).or(terms.configured);
            terms.late_after = rule.late_after.map(|span| span.0).or(terms.late_after);
            terms.grace = rule.grace.map(|span| span.0).or(terms.grace);
            terms.paused = rule.paused.unwrap_or(terms.paused);
        }
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(partition: &str) -> LaneKey {
        LaneKey {
            tenant: "hauser".into(),
            engine: Engine::Cloud,
            kind: LaneKind::Objects,
            partition: partition.into(),
        }
    }

    #[test]
    fn later_rules_win_field_by_field() {
        let policy = LanePolicy {
            rules: vec![
                LaneRule {
                    interval: Some(Span::minutes(10)),
                    grace: Some(Span::minutes(5)),
                    ..LaneRule::default()
                },
                LaneRule {
                    matching: LaneMatch {
                        partition: Some("AD.Lab.example".into()),
                        ..LaneMatch::default()
                    },
                    grace: Some(Span::minutes(50)),
                    paused: Some(true),
                    ..LaneRule::default()
                },
            ],
        };
        let plain = policy.terms(&lane("ad.hauser.example"));
        let lab = policy.terms(&lane("ad.lab.example"));
        assert_eq!(
            (plain.grace, plain.paused),
            (Some(Duration::from_secs(300)), false)
        );
        assert_eq!(
            (lab.grace, lab.paused),
            (Some(Duration::from_secs(3000)), true)
        );
        assert_eq!(lab.configured, plain.configured);
    }

    #[test]
    fn a_configured_grace_closes_the_window_and_caps_the_tolerance() {
        let policy = LanePolicy {
            rules: vec![LaneRule {
                interval: Some(Span::secs(4)),
                grace: Some(Span::secs(3)),
                ..LaneRule::default()
            }],
        };
        let timing = policy.terms(&lane("x")).timing(
            &Intervals::default(),
            Engine::Cloud,
            LaneKind::Objects,
        );
        assert_eq!(timing.missed_after, Duration::from_secs(7));
        assert_eq!(
            timing.late_after,
            Duration::from_secs(7),
            "never later than the end of the window"
        );
        assert_eq!(timing.grace(), Duration::from_secs(3));
    }
}
