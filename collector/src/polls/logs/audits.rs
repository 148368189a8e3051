//! Rows of the directory audits: who wrote, and when each engine wrote last.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::log::RowId;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{Fact, LogRow};

use super::actors::{Actors, is_relevant, kind_of};
use crate::parse::ParseError;
use crate::parse::audits::{AuditRow, rows};
use crate::polls::fact;
use crate::polls::tenant::{Shared, Tenant};

/// Newest write of each engine and kind.
pub(super) type Newest = BTreeMap<(Engine, LaneKind), Timestamp>;

/// The rows of a page that matter, each with the engine that wrote it.
pub(super) struct Page<'a> {
    pub(super) next_link: Option<String>,
    rows: Vec<(AuditRow<'a>, Option<Engine>)>,
}

/// Reads a page.
pub(super) fn page<'a>(actors: &Actors, body: &'a [u8]) -> Result<Page<'a>, ParseError> {
    let page = rows(body)?;
    let mut kept = Vec::new();
    for row in page.iter() {
        let row = row?;
        let engine = actors.engine(&row.actor);
        if is_relevant(&row, engine) {
            kept.push((row, engine));
        }
    }
    Ok(Page {
        next_link: page.next_link().map(str::to_owned),
        rows: kept,
    })
}

impl Page<'_> {
    pub(super) fn log_rows(&self) -> Vec<LogRow<'_>> {
        self.rows
            .iter()
            .map(|(row, _)| LogRow {
                id: RowId::of(&row.id),
                occurred_at: row.occurred_at,
                job_id: Cow::Borrowed(""),
                action: row.action,
                status: row.status,
                error_code: None,
                object_id: row.target_id.as_deref().map(Cow::Borrowed),
                cycle_id: None,
                raw: row.raw.as_bytes(),
            })
            .collect()
    }

    pub(super) fn newest(&self) -> Newest {
        let mut newest = Newest::new();
        for (row, engine) in &self.rows {
            if let Some(engine) = engine {
                note(
                    &mut newest,
                    (*engine, kind_of(&row.activity)),
                    row.occurred_at,
                );
            }
        }
        newest
    }
}

fn note(newest: &mut Newest, whose: (Engine, LaneKind), at: Timestamp) {
    let slot = newest.entry(whose).or_insert(at);
    *slot = at.max(*slot);
}

/// Newest writes of the engines.
#[derive(Debug)]
pub(super) struct Writes {
    actors: Arc<Actors>,
    newest: Newest,
}

impl Writes {
    pub(super) fn new(tenant: &Tenant) -> Self {
        let shared = tenant.shared();
        Self {
            actors: Arc::new(Actors {
                connect_principals: shared.connect_principals.clone(),
                connect: tenant.config.connect_actors.clone(),
                cloud: tenant.config.cloud_actors.clone(),
            }),
            newest: shared.last_writes.clone(),
        }
    }

    pub(super) fn actors(&self) -> Arc<Actors> {
        Arc::clone(&self.actors)
    }

    pub(super) fn take(&mut self, page: &Newest) {
        for (whose, at) in page {
            note(&mut self.newest, *whose, *at);
        }
    }

    /// The newest writes, those of the last page included.
    pub(super) fn facts(&self, last: &Newest) -> Vec<Fact> {
        let mut newest = self.newest.clone();
        for (whose, at) in last {
            note(&mut newest, *whose, *at);
        }
        newest
            .iter()
            .map(|((engine, kind), at)| {
                fact(
                    format!("last_write/{engine}/{kind}"),
                    json!({ "at": at, "actor_class": engine }),
                )
            })
            .collect()
    }

    pub(super) fn publish(self, shared: &mut Shared) {
        shared.last_writes = self.newest;
    }
}
