//! `[lanes]`: what the operator wants of lanes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::policy::{LaneMatch, LanePolicy, LaneRule};
use syncwatch_domain::span::Span;

use super::{Fault, above_zero};

/// Intervals and tolerances of lanes. What is not set here is what the source promises, and the
/// documented level for it (see the table of levels).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LanesSection {
    /// Lanes of Connect Sync.
    pub connect: EngineSection,
    /// Lanes of Cloud Sync.
    pub cloud: EngineSection,
    /// Exceptions for single lanes; later ones win, field by field.
    #[serde(rename = "override")]
    pub overrides: Vec<OverrideSection>,
}

/// The two kinds of lanes of one engine.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EngineSection {
    /// Users, groups, contacts and their attributes.
    pub objects: KindSection,
    /// Password hashes.
    pub password_hash: KindSection,
}

/// Timing of one kind of lanes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KindSection {
    /// Expected distance of two successes, in place of what the source promises.
    #[schemars(with = "Option<String>", extend("format" = "duration"), example = &"30m")]
    pub interval: Option<Span>,
    /// A lane is late this long after its last success, in place of the documented level.
    #[schemars(with = "Option<String>", extend("format" = "duration"), example = &"70m")]
    pub late_after: Option<Span>,
    /// Grace after the interval: then the window is missed. In place of the documented level.
    #[schemars(with = "Option<String>", extend("format" = "duration"), example = &"90m")]
    pub grace: Option<Span>,
}

/// An exception for the lanes that match; a field that is left out matches every lane.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideSection {
    /// Name of a tenant.
    #[schemars(example = &"contoso")]
    pub tenant: Option<String>,
    /// `connect` or `cloud`.
    pub engine: Option<EngineWord>,
    /// `objects` or `password_hash`.
    pub kind: Option<KindWord>,
    /// AD domain, job or connector, as the status page shows it; case does not matter.
    #[schemars(example = &"ad.contoso.example")]
    pub partition: Option<String>,
    /// Expected distance of two successes.
    #[schemars(with = "Option<String>", extend("format" = "duration"), example = &"1h")]
    pub interval: Option<Span>,
    /// Late this long after the last success.
    #[schemars(with = "Option<String>", extend("format" = "duration"), example = &"2h")]
    pub late_after: Option<Span>,
    /// Grace after the interval.
    #[schemars(with = "Option<String>", extend("format" = "duration"), example = &"2h")]
    pub grace: Option<Span>,
    /// `true`: nothing is expected of these lanes.
    #[schemars(example = true)]
    pub paused: Option<bool>,
}

/// Words for engines.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EngineWord {
    /// Microsoft Entra Connect Sync.
    Connect,
    /// Microsoft Entra Cloud Sync.
    Cloud,
}

/// Words for kinds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindWord {
    /// Users, groups, contacts and their attributes.
    Objects,
    /// Password hashes.
    PasswordHash,
}

impl LanesSection {
    /// Checks the section. `tenants` are the names an override may speak of.
    ///
    /// # Errors
    /// With all its mistakes.
    pub fn check(&self, tenants: &[&str]) -> Result<LanePolicy, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut rules = Vec::new();
        for (engine, section) in [
            (Engine::Connect, &self.connect),
            (Engine::Cloud, &self.cloud),
        ] {
            for (kind, timing) in [
                (LaneKind::Objects, section.objects),
                (LaneKind::PasswordHash, section.password_hash),
            ] {
                check_timing(&mut faults, &format!("{engine}.{kind}."), timing);
                rules.push(LaneRule {
                    matching: LaneMatch {
                        engine: Some(engine),
                        kind: Some(kind),
                        ..LaneMatch::default()
                    },
                    interval: timing.interval,
                    late_after: timing.late_after,
                    grace: timing.grace,
                    paused: None,
                });
            }
        }
        for (at, section) in self.overrides.iter().enumerate() {
            section.check(&mut faults, &format!("override[{at}]"), tenants);
            rules.push(section.rule());
        }
        if faults.is_empty() {
            Ok(LanePolicy { rules })
        } else {
            Err(faults)
        }
    }
}

impl OverrideSection {
    fn check(&self, faults: &mut Vec<Fault>, path: &str, tenants: &[&str]) {
        let timing = KindSection {
            interval: self.interval,
            late_after: self.late_after,
            grace: self.grace,
        };
        check_timing(faults, &format!("{path}."), timing);
        if let Some(tenant) = &self.tenant
            && !tenants.contains(&tenant.as_str())
        {
            let known = if tenants.is_empty() {
                "none".to_owned()
            } else {
                tenants.join(", ")
            };
            faults.push(Fault::new(
                &format!("{path}.tenant"),
                format!("there is no tenant {tenant:?}"),
                format!("use the name of a [[tenant]]: {known}"),
            ));
        }
        let says_nothing = self.paused.is_none()
            && timing.interval.is_none()
            && timing.late_after.is_none()
            && timing.grace.is_none();
        if says_nothing {
            faults.push(Fault::new(
                path,
                "the override changes nothing",
                "set interval, late_after, grace or paused, or remove it",
            ));
        }
    }

    fn rule(&self) -> LaneRule {
        LaneRule {
            matching: LaneMatch {
                tenant: self.tenant.clone(),
                engine: self.engine.map(|word| match word {
                    EngineWord::Connect => Engine::Connect,
                    EngineWord::Cloud => Engine::Cloud,
                }),
                kind: self.kind.map(|word| match word {
                    KindWord::Objects => LaneKind::Objects,
                    KindWord::PasswordHash => LaneKind::PasswordHash,
                }),
                partition: self.partition.clone(),
            },
            interval: self.interval,
            late_after: self.late_after,
            grace: self.grace,
            paused: self.paused,
        }
    }
}

fn check_timing(faults: &mut Vec<Fault>, path: &str, timing: KindSection) {
    above_zero(faults, &format!("{path}interval"), timing.interval);
    above_zero(faults, &format!("{path}late_after"), timing.late_after);
    if let (Some(interval), Some(late_after), Some(grace)) =
        (timing.interval, timing.late_after, timing.grace)
        && late_after.0 > interval.0.saturating_add(grace.0)
    {
        faults.push(Fault::new(
            &format!("{path}late_after"),
            format!("{late_after} lies beyond the end of the window, interval {interval} and grace {grace}"),
            "make it shorter than interval and grace together",
        ));
    }
}
