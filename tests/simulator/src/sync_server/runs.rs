//! Run history: the runs that cycles are made of.

use super::at::{At, CLOUD_CONNECTOR};
use super::cycles::{Cycle, Cycles};
use super::model::{ConnectSync, Forest};
use super::trouble::Trouble;

/// What a run does; also the name of its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Import,
    Synchronization,
    Export,
}

impl Profile {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Import => "Delta Import",
            Self::Synchronization => "Delta Synchronization",
            Self::Export => "Export",
        }
    }

    /// Type of its steps.
    pub(super) const fn step_type(self) -> &'static str {
        match self {
            Self::Import => "delta-import",
            Self::Synchronization => "apply-rules",
            Self::Export => "export",
        }
    }
}

/// A run; the connector to Entra ID has no forest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run<'a> {
    pub(super) forest: Option<&'a Forest>,
    pub(super) profile: Profile,
    pub(super) start: i64,
    /// `None` while it runs.
    pub(super) end: Option<i64>,
    /// Number within its connector.
    pub(super) number: u64,
    pub(super) outcome: Outcome,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Running,
    Success,
    NoConnection,
    ExportErrors(u32),
    TooManyDeletes { pending: u32, limit: u32 },
}

impl Outcome {
    /// The word for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Running => "in-progress",
            Self::Success => "success",
            Self::NoConnection => "no-start-connection",
            Self::ExportErrors(_) => "completed-export-errors",
            Self::TooManyDeletes { .. } => "stopped-deletion-threshold-exceeded",
        }
    }
}

impl Run<'_> {
    pub(super) fn connector_name(&self, connect: &ConnectSync) -> String {
        self.forest
            .map_or_else(|| connect.cloud_connector(), |forest| forest.name.clone())
    }

    pub(super) fn connector_id(&self, at: &At<'_>) -> String {
        self.forest.map_or_else(
            || CLOUD_CONNECTOR.to_owned(),
            |forest| at.connector_id(forest),
        )
    }

    /// It tells an export to Entra ID.
    pub(super) fn is_cloud_export(&self) -> bool {
        self.forest.is_none() && self.profile == Profile::Export
    }
}

/// Every run that has begun, in order.
pub(super) fn runs<'a>(at: &At<'_>, connect: &'a ConnectSync, cycles: &Cycles) -> Vec<Run<'a>> {
    let mut numbers = vec![4_000_u64; connect.forests.len() + 1];
    let mut all = Vec::new();
    for cycle in &cycles.cycles {
        for mut run in runs_of(at, connect, cycle) {
            let place = connect
                .forests
                .iter()
                .position(|forest| Some(forest) == run.forest);
            let number = &mut numbers[place.map_or(0, |place| place + 1)];
            *number += 1;
            run.number = *number;
            all.push(run);
        }
    }
    all
}

/// The runs of a cycle that have begun.
pub(super) fn runs_of<'a>(at: &At<'_>, connect: &'a ConnectSync, cycle: &Cycle) -> Vec<Run<'a>> {
    let plan = plan(connect, cycle.staging);
    let count = i64::try_from(plan.len()).unwrap_or(i64::MAX).max(1);
    // One that hangs does so in its third run, after two of a usual length.
    let whole = match (cycle.hung, cycle.end) {
        (false, Some(end)) => end - cycle.start,
        _ => (connect.interval.as_ms() / 8).clamp(1, 240_000),
    };
    let mut all = Vec::new();
    for (place, (forest, profile)) in plan.into_iter().enumerate() {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let start = cycle.start + whole * place / count;
        let hangs = cycle.hung && place == 2;
        let end = if hangs {
            cycle.end
        } else {
            Some(cycle.start + whole * (place + 1) / count)
        };
        if start > at.now || (cycle.hung && place > 2) {
            break;
        }
        let end = end.filter(|end| *end <= at.now);
        let outcome = match end {
            None => Outcome::Running,
            Some(_) => outcome(at, forest, profile, start),
        };
        all.push(Run {
            forest,
            profile,
            start,
            end,
            number: 0,
            outcome,
        });
    }
    all
}

/// The runs of a cycle in order: imports, synchronizations, exports, the connector to Entra ID
/// after the forests but before them when exporting. Staging exports nothing.
fn plan(connect: &ConnectSync, staging: bool) -> Vec<(Option<&Forest>, Profile)> {
    let forests = || connect.forests.iter().map(Some);
    let mut plan = Vec::new();
    for profile in [Profile::Import, Profile::Synchronization] {
        plan.extend(forests().chain([None]).map(|forest| (forest, profile)));
    }
    if !staging {
        let targets = [None].into_iter().chain(forests());
        plan.extend(targets.map(|forest| (forest, Profile::Export)));
    }
    plan
}

fn outcome(at: &At<'_>, forest: Option<&Forest>, profile: Profile, start: i64) -> Outcome {
    if let Some(forest) = forest {
        let lost = profile != Profile::Synchronization && at.is_unreachable(start, forest);
        return if lost {
            Outcome::NoConnection
        } else {
            Outcome::Success
        };
    }
    if profile != Profile::Export {
        return Outcome::Success;
    }
    let trouble = at.trouble(start, |one| match one {
        Trouble::TooManyDeletes { pending, limit } => Some(Outcome::TooManyDeletes {
            pending: *pending,
            limit: *limit,
        }),
        Trouble::ExportErrors { count } => Some(Outcome::ExportErrors(*count)),
        _ => None,
    });
    trouble.unwrap_or(Outcome::Success)
}
