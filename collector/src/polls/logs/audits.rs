//! Rows of the directory audits: who wrote, and when each engine wrote last.

use std::borrow::Cow;
use std::collections::BTreeMap;

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

/// The rows of a page that matter, each with the engine that wrote it.
pub(super) struct Page<'a> {
    pub(super) next_link: Option<Cow<'a, str>>,
    rows: Vec<(AuditRow<'a>, Option<Engine>)>,
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
}

/// Newest writes of the engines.
#[derive(Debug)]
pub(super) struct Writes {
    actors: Actors,
    newest: BTreeMap<(Engine, LaneKind), Timestamp>,
}

impl Writes {
    pub(super) fn new(tenant: &Tenant) -> Self {
        let shared = tenant.shared();
        Self {
            actors: Actors {
                connect_principals: shared.connect_principals.clone(),
                connect: tenant.config.connect_actors.clone(),
                cloud: tenant.config.cloud_actors.clone(),
            },
            newest: shared.last_writes.clone(),
        }
    }

    pub(super) fn page<'a>(&self, body: &'a [u8]) -> Result<Page<'a>, ParseError> {
        let page = rows(body)?;
        let mut kept = Vec::new();
        for row in page.iter() {
            let row = row?;
            let engine = self.actors.engine(&row.actor);
            if is_relevant(&row, engine) {
                kept.push((row, engine));
            }
        }
        Ok(Page {
            next_link: page.next_link().map(|link| Cow::Owned(link.to_owned())),
            rows: kept,
        })
    }

    pub(super) fn take(&mut self, page: &Page<'_>) {
        for (row, engine) in &page.rows {
            let Some(engine) = engine else { continue };
            let newest = self
                .newest
                .entry((*engine, kind_of(&row.activity)))
                .or_insert(row.occurred_at);
            *newest = row.occurred_at.max(*newest);
        }
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        self.newest
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
