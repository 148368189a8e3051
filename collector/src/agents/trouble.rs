//! What went wrong last with each agent, until a batch of it is taken.
//!
//! An agent is at fault only when it was silent for too long ([`super::silence`]); what is kept
//! here tells why it was.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use syncwatch_domain::source::ReadFailure;

use super::Who;

/// Why no batch of an agent could be had, or taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Its kind.
    pub(super) failure: ReadFailure,
    /// The same for people, without secrets.
    pub(super) text: String,
}

/// The troubles of all agents. Agents are those of the config, so it stays small.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<HashMap<Who, Trouble>>);

impl Troubles {
    /// Notes what went wrong.
    pub(super) fn note(&self, who: &Who, trouble: Trouble) {
        self.lock(|all| all.insert(who.clone(), trouble));
    }

    /// A batch was taken: whatever it was is over.
    pub(super) fn over(&self, who: &Who) {
        self.lock(|all| all.remove(who));
    }

    /// What went wrong last; `None` when nothing did, or a batch came since.
    pub(super) fn of(&self, who: &Who) -> Option<Trouble> {
        self.lock(|all| all.get(who).cloned())
    }

    fn lock<T>(&self, act: impl FnOnce(&mut HashMap<Who, Trouble>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
