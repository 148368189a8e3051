//! Who owns an object: which engine exports it, by the configurations of both.
//!
//! [`rule`] is the decision table; it knows nothing of names and filters. What it is asked with
//! comes from the scopes ([`crate::scope`]).

pub mod plan;
mod table;

use serde::{Deserialize, Serialize};

use crate::lane::words;
use crate::scope::truth::{Doubt, Truth};

pub use table::rule;

words! {
    /// The engine that exports an object.
    Owner {
        /// Connect Sync.
        Connect = "connect",
        /// Cloud Sync.
        Cloud = "cloud",
        /// Both have it in scope, and rules keep Connect Sync from exporting it: right during a pilot.
        BothBlocked = "both_blocked",
        /// Both export it, which is not supported.
        BothOpen = "both_open",
        /// Neither has it in scope: it will be deleted in Entra ID.
        None = "none",
        /// Its source of authority is Entra ID.
        CloudManaged = "cloud_managed",
        /// It cannot be told.
        Unknown = "unknown",
    }
}

words! {
    /// Types of objects that both engines sync.
    ObjectType {
        /// Users, and what is synced as users.
        User = "user",
        /// Groups.
        Group = "group",
        /// Contacts.
        Contact = "contact",
    }
}

words! {
    /// What is remarkable about an owner.
    Standing {
        /// Nothing.
        AsIntended = "as_intended",
        /// Silenced in Connect Sync, but no job of Cloud Sync that runs has it: nobody updates it.
        OrphanRisk = "orphan_risk",
        /// Silenced by an inbound rule, but exported by Connect Sync all the same: the outbound rule
        /// is missing or switched off.
        SilencedInVain = "silenced_in_vain",
        /// Connect Sync would export it as well as soon as it is promoted or switched on again.
        DormantOverlap = "dormant_overlap",
        /// Cloud Sync took it over, and Connect Sync has it no more.
        Moved = "moved",
        /// Connect Sync sleeps and nobody else updates it.
        Asleep = "asleep",
    }
}

/// What Connect Sync is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// It exports.
    Active,
    /// It is in staging mode, or its cycles are switched off.
    Dormant,
    /// There is no Connect Sync.
    Absent,
}

/// What the rules of Connect Sync do to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// An inbound rule marks it for silence (`cloudNoFlow`).
    pub inbound: Truth,
    /// An outbound rule silences what is marked (`JoinNoFlow`).
    pub outbound: Truth,
}

/// What the decision table is asked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What Connect Sync is up to.
    pub activity: Activity,
    /// Connect Sync has the object in scope.
    pub in_connect: Truth,
    /// What its rules do to the object.
    pub guard: Guard,
    /// A configuration of Cloud Sync has the object in scope.
    pub in_cloud: Truth,
    /// A job of that configuration runs; a disabled or quarantined one owns nothing.
    pub cloud_runs: bool,
}

/// The answer of the decision table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Who owns it.
    pub owner: Owner,
    /// What is remarkable about that.
    pub standing: Standing,
    /// Why the owner cannot be told.
    pub doubt: Option<Doubt>,
}

impl Ruling {
    pub(crate) const fn of(owner: Owner, standing: Standing) -> Self {
        Self {
            owner,
            standing,
            doubt: None,
        }
    }

    pub(crate) const fn unknown(doubt: Doubt) -> Self {
        Self {
            owner: Owner::Unknown,
            standing: Standing::AsIntended,
            doubt: Some(doubt),
        }
    }

    /// Two engines at work on one object, or none: what has to be mended.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self.owner, Owner::BothOpen | Owner::None)
            || matches!(self.standing, Standing::SilencedInVain)
    }
}
