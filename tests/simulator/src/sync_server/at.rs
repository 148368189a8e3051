//! A server at an instant.

use super::fault::FaultKind;
use super::model::{ConnectSync, Forest, Happening, SyncServer};
use super::trouble::Trouble;
use crate::chance::Seed;

/// Id of the connector to Entra ID, the same on every server.
pub(super) const CLOUD_CONNECTOR: &str = "b891884f-051e-4a83-95af-2544101c9083";
/// Name of Connect's service.
pub(super) const CONNECT_SERVICE: &str = "ADSync";

/// A server at an instant. Everything within is in true time; only what is printed goes by the
/// server's own clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    pub(super) server: &'a SyncServer,
    pub(super) now: i64,
}

impl<T> Happening<T> {
    /// Whether it holds at an instant.
    fn holds(&self, begin: i64, at: i64) -> bool {
        begin + self.from.as_ms() <= at && self.until.is_none_or(|until| at < begin + until.as_ms())
    }
}

impl<'a> At<'a> {
    /// The server at an instant.
    pub(super) const fn new(server: &'a SyncServer, now: i64) -> Self {
        Self { server, now }
    }

    /// When its past begins.
    pub(super) const fn first(&self) -> i64 {
        self.server.begin_ms - self.server.history.as_ms()
    }

    pub(super) fn chance(&self, corner: &str) -> Seed {
        Seed(self.server.seed).corner(corner)
    }

    /// Chance of a thing that happened at an instant.
    pub(super) fn chance_at(&self, corner: &str, at: i64) -> Seed {
        self.chance(corner).nth(at.unsigned_abs())
    }

    /// Troubles with their begin and end, those that lie ahead left out.
    pub(super) fn troubles(&self) -> impl Iterator<Item = (i64, Option<i64>, &'a Trouble)> {
        let begin = self.server.begin_ms;
        let now = self.now;
        let all = self.server.troubles.iter().map(move |one| {
            let until = one.until.map(|until| begin + until.as_ms());
            (begin + one.from.as_ms(), until, &one.what)
        });
        all.filter(move |(from, _, _)| *from <= now)
    }

    /// What of a trouble of some kind holds at an instant, the one that began last first.
    pub(super) fn trouble<T>(&self, at: i64, pick: impl Fn(&'a Trouble) -> Option<T>) -> Option<T> {
        let begin = self.server.begin_ms;
        let holding = self.server.troubles.iter().rev();
        let holding = holding.filter(|one| one.holds(begin, at));
        holding.into_iter().find_map(|one| pick(&one.what))
    }

    /// Whether a trouble holds at an instant.
    pub(super) fn has(&self, at: i64, trouble: &Trouble) -> bool {
        self.trouble(at, |one| (one == trouble).then_some(()))
            .is_some()
    }

    /// What the interpreter does wrong with a section at present.
    pub(super) fn faults(&self, section: &str) -> impl Iterator<Item = &'a FaultKind> {
        let (begin, now) = (self.server.begin_ms, self.now);
        let holding = self
            .server
            .faults
            .iter()
            .filter(move |one| one.holds(begin, now));
        let section = section.to_owned();
        holding
            .filter(move |one| {
                one.what
                    .section
                    .as_ref()
                    .is_none_or(|only| *only == section)
            })
            .map(|one| &one.what.kind)
    }

    /// In staging mode at an instant.
    pub(super) fn is_staging(&self, connect: &ConnectSync, at: i64) -> bool {
        let said = self.trouble(at, |one| match one {
            Trouble::Active => Some(false),
            Trouble::Staging => Some(true),
            _ => None,
        });
        said.unwrap_or(connect.staging)
    }

    /// Connect's service is stopped at an instant.
    pub(super) fn is_stopped(&self, at: i64, service: &str) -> bool {
        self.trouble(at, |one| match one {
            Trouble::ServiceStopped { name } => (name == service).then_some(()),
            _ => None,
        })
        .is_some()
    }

    /// The domain controllers of a forest do not answer at an instant.
    pub(super) fn is_unreachable(&self, at: i64, forest: &Forest) -> bool {
        self.trouble(at, |one| match one {
            Trouble::ForestUnreachable { forest: name } => (*name == forest.name).then_some(()),
            _ => None,
        })
        .is_some()
    }

    /// Id of a forest's connector.
    pub(super) fn connector_id(&self, forest: &Forest) -> String {
        self.chance("connector").corner(&forest.name).guid()
    }
}

impl ConnectSync {
    /// Name of the connector to Entra ID.
    pub(super) fn cloud_connector(&self) -> String {
        format!("{}.onmicrosoft.com - AAD", self.tenant)
    }
}
