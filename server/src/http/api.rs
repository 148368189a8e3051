//! `/api/v1`: lanes, windows, alerts and status as JSON.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use syncwatch_domain::lane::{Engine, LaneKind, LaneStatus};
use syncwatch_store::{AlertFilter, LaneFilter, StoreError};

use super::agents;
use super::error::ApiError;
use super::health::{PAGE_PATIENCE, readiness};
use super::shape::{Alerts, Lane, Lanes, Owners, Source, Status, Windows};
use super::stage::{Serving, Surface};

/// Most entries a list may be asked for.
const MOST: u32 = 10_000;
/// Entries of the ledger unless asked otherwise.
const LEDGER_LISTED: u32 = 500;
/// Changes of owners unless asked otherwise.
const CHANGES_LISTED: u32 = 100;
/// Dead letters shown.
const DEAD_LETTERS: u32 = 50;

pub(super) type Answer<T> = Result<Json<T>, ApiError>;
pub(super) type Asked<T> = Result<Query<T>, QueryRejection>;

pub(super) fn asked<T>(query: Asked<T>) -> Result<T, ApiError> {
    query
        .map(|Query(query)| query)
        .map_err(|error| ApiError::refused(error.body_text()))
}

/// Which lanes are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LaneQuery {
    tenant: Option<String>,
    engine: Option<Engine>,
    kind: Option<LaneKind>,
    status: Option<LaneStatus>,
}

pub(super) async fn lanes(
    State(surface): State<Surface>,
    query: Asked<LaneQuery>,
) -> Answer<Lanes> {
    let LaneQuery {
        tenant,
        engine,
        kind,
        status,
    } = asked(query)?;
    let store = surface.serving()?.store;
    let lanes = store
        .lanes(&LaneFilter {
            tenant,
            engine,
            kind,
            status,
        })
        .await?;
    let lanes = lanes.into_iter().map(Into::into).collect();
    Ok(Json(Lanes {
        now: surface.clock.now(),
        lanes,
    }))
}

/// How much of the ledger is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowQuery {
    limit: Option<u32>,
}

pub(super) async fn windows(
    State(surface): State<Surface>,
    query: Asked<WindowQuery>,
) -> Answer<Windows> {
    let limit = listed(asked(query)?.limit, LEDGER_LISTED)?;
    let entries = surface.serving()?.store.ledger(limit).await?;
    let missed = entries.into_iter().map(Into::into).collect();
    Ok(Json(Windows {
        now: surface.clock.now(),
        missed,
    }))
}

/// Which alerts are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertQuery {
    tenant: Option<String>,
    #[serde(default)]
    state: AlertChoice,
    limit: Option<u32>,
}

/// Firing ones, or all that are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AlertChoice {
    #[default]
    Firing,
    All,
}

pub(super) async fn alerts(
    State(surface): State<Surface>,
    query: Asked<AlertQuery>,
) -> Answer<Alerts> {
    let AlertQuery {
        tenant,
        state,
        limit,
    } = asked(query)?;
    let limit = listed(limit, 0)?;
    let filter = AlertFilter {
        firing_only: state == AlertChoice::Firing,
        tenant,
        limit,
    };
    let alerts = surface.serving()?.store.alerts(&filter).await?;
    Ok(Json(Alerts {
        now: surface.clock.now(),
        alerts,
    }))
}

/// Whose owners are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnerQuery {
    tenant: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn owners(
    State(surface): State<Surface>,
    query: Asked<OwnerQuery>,
) -> Answer<Owners> {
    let OwnerQuery { tenant, limit } = asked(query)?;
    let limit = listed(limit, CHANGES_LISTED)?;
    let store = surface.serving()?.store;
    let counts = store.owner_counts(tenant.as_deref()).await?;
    let changes = match &tenant {
        Some(tenant) => store.owner_changes(tenant, limit).await?,
        None => Vec::new(),
    };
    Ok(Json(Owners {
        now: surface.clock.now(),
        counts: counts.into_iter().map(Into::into).collect(),
        changes: changes.into_iter().map(Into::into).collect(),
    }))
}

fn listed(limit: Option<u32>, default: u32) -> Result<u32, ApiError> {
    match limit {
        None => Ok(default),
        Some(limit) if (1..=MOST).contains(&limit) => Ok(limit),
        Some(limit) => Err(ApiError::refused(format!(
            "limit is {limit}, it must be 1 to {MOST}"
        ))),
    }
}

pub(super) async fn status(State(surface): State<Surface>) -> Answer<Status> {
    let serving = surface.serving()?;
    let (status, _) = at_a_glance(&surface, &serving).await?;
    Ok(Json(status))
}

/// Everything at a glance, and the lanes behind the counts.
pub(super) async fn at_a_glance(
    surface: &Surface,
    serving: &Serving,
) -> Result<(Status, Vec<Lane>), StoreError> {
    let store = &serving.store;
    let lanes: Vec<Lane> = store
        .lanes(&LaneFilter::default())
        .await?
        .into_iter()
        .map(Into::into)
        .collect();
    let firing = AlertFilter {
        firing_only: true,
        limit: MOST,
        ..AlertFilter::default()
    };
    let alerts = store.alerts(&firing).await?;
    let sources = store
        .sources(None)
        .await?
        .into_iter()
        .map(|source| source.state);
    let sources: Vec<Source> = sources
        .filter(|state| !state.retired)
        .map(Into::into)
        .collect();
    let dead_letters = store
        .dead_letters(DEAD_LETTERS)
        .await?
        .into_iter()
        .map(Into::into)
        .collect();
    let outbox = store.outbox().await?;
    let mut counts: BTreeMap<LaneStatus, usize> =
        LaneStatus::ALL.iter().map(|status| (*status, 0)).collect();
    for lane in &lanes {
        *counts.entry(lane.status).or_default() += 1;
    }
    let status = Status {
        now: surface.clock.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        readiness: readiness(surface, PAGE_PATIENCE).await,
        lanes: counts,
        alerts,
        agents: agents::tally(&sources),
        sources,
        dead_letters,
        outbox_depth: outbox.depth,
        outbox_oldest_at: outbox.oldest_created_at,
    };
    Ok((status, lanes))
}
