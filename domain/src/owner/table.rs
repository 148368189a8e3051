//! The decision table.

use super::{Activity, Case, Owner, Ruling, Standing};
use crate::scope::truth::Truth;

/// Who owns an object.
///
/// Only what decides must be known: an object that is not in the scope of Connect Sync has no need
/// of rules that silence it.
#[must_use]
pub fn rule(case: &Case) -> Ruling {
    let in_connect = match (case.activity, &case.in_connect) {
        (Activity::Absent, _) => false,
        (_, Truth::Unknown(doubt)) => return Ruling::unknown(doubt.clone()),
        (_, known) => *known == Truth::Yes,
    };
    let in_cloud = match &case.in_cloud {
        // A job that stands still owns nothing, whatever its scope.
        _ if !case.cloud_runs => false,
        Truth::Unknown(doubt) => return Ruling::unknown(doubt.clone()),
        known => *known == Truth::Yes,
    };
    match (in_connect, case.activity) {
        (false, _) if in_cloud => moved(case.activity),
        (false, _) => Ruling::of(Owner::None, Standing::AsIntended),
        (true, Activity::Active) => guarded(case, in_cloud),
        (true, _) => asleep(in_cloud),
    }
}

const fn moved(activity: Activity) -> Ruling {
    let standing = match activity {
        Activity::Absent => Standing::AsIntended,
        Activity::Active | Activity::Dormant => Standing::Moved,
    };
    Ruling::of(Owner::Cloud, standing)
}

/// Connect Sync has it in scope and exports nothing at present.
const fn asleep(in_cloud: bool) -> Ruling {
    if in_cloud {
        Ruling::of(Owner::Cloud, Standing::DormantOverlap)
    } else {
        Ruling::of(Owner::Connect, Standing::Asleep)
    }
}

/// Connect Sync has it in scope and exports what is not silenced. Silence takes both rules: one that
/// surely is missing decides, whatever is known of the other.
fn guarded(case: &Case, in_cloud: bool) -> Ruling {
    let silenced = Truth::all([case.guard.inbound.clone(), case.guard.outbound.clone()]);
    match (silenced, in_cloud) {
        (Truth::Unknown(doubt), _) => Ruling::unknown(doubt),
        (Truth::Yes, true) => Ruling::of(Owner::BothBlocked, Standing::AsIntended),
        (Truth::Yes, false) => Ruling::of(Owner::BothBlocked, Standing::OrphanRisk),
        (Truth::No, true) => Ruling::of(Owner::BothOpen, in_vain(case)),
        (Truth::No, false) => Ruling::of(Owner::Connect, in_vain(case)),
    }
}

/// Whether an inbound rule marks what no outbound rule silences.
fn in_vain(case: &Case) -> Standing {
    if case.guard.inbound == Truth::Yes {
        Standing::SilencedInVain
    } else {
        Standing::AsIntended
    }
}
