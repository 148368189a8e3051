//! `/`: the status page. Rendered on the server, no script, nothing from elsewhere.

mod agents;
mod rows;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use syncwatch_domain::alert::{Alert, Severity};
use syncwatch_domain::lane::LaneStatus;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::StoreError;

use self::agents::AgentRow;
use self::rows::{AlertRow, DeadRow, LaneRow, SourceRow, word_of};
use super::agents::behind;
use super::api::at_a_glance;
use super::shape::{Agent, AgentHealth, Lane, Source, SourceHealth, Status};
use super::stage::{Serving, Stage, Surface, opening};
use crate::words::{count, span};

/// Lanes shown; the rest is counted. Those in trouble come first.
const LANES_SHOWN: usize = 300;
/// Alerts shown; the rest is counted.
const ALERTS_SHOWN: usize = 100;

/// The page.
#[derive(Template)]
#[template(path = "status.html")]
struct Page {
    version: String,
    now: Timestamp,
    headline: Headline,
    not_ready: Vec<String>,
    counts: Vec<Count>,
    alerts: Vec<AlertRow>,
    more_alerts: usize,
    lanes: Vec<LaneRow>,
    more_lanes: usize,
    agents: Vec<AgentRow>,
    sources: Vec<SourceRow>,
    dead_letters: Vec<DeadRow>,
    outbox: String,
}

/// How things are, in one line that is read from across the room.
struct Headline {
    class: &'static str,
    text: String,
}

struct Count {
    class: &'static str,
    word: &'static str,
    n: usize,
}

pub(in crate::http) async fn status(State(surface): State<Surface>) -> Response {
    let stage = surface.stage.borrow().clone();
    let page = match &stage {
        Stage::Opening(reason) => Page::closed(surface.clock.now(), opening(reason.as_deref())),
        Stage::Serving(serving) => match look(&surface, serving).await {
            Ok(page) => page,
            Err(error) => Page::closed(surface.clock.now(), crate::chain(&error)),
        },
    };
    let code = if page.headline.class == "closed" {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    match page.render() {
        Ok(html) => (
            code,
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            html,
        )
            .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, crate::chain(&error)).into_response(),
    }
}

async fn look(surface: &Surface, serving: &Serving) -> Result<Page, StoreError> {
    let (status, lanes) = at_a_glance(surface, serving).await?;
    let agents = behind(serving, &status.sources).await?;
    Ok(Page::of(status, lanes, &agents))
}

impl Page {
    /// The page while there is no database to read.
    fn closed(now: Timestamp, reason: String) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now,
            headline: Headline {
                class: "closed",
                text: "Nothing can be told at present".to_owned(),
            },
            not_ready: vec![reason],
            counts: Vec::new(),
            alerts: Vec::new(),
            more_alerts: 0,
            lanes: Vec::new(),
            more_lanes: 0,
            agents: Vec::new(),
            sources: Vec::new(),
            dead_letters: Vec::new(),
            outbox: String::new(),
        }
    }

    fn of(status: Status, mut lanes: Vec<Lane>, agents: &[Agent]) -> Self {
        let now = status.now;
        let headline = headline(&status);
        let counts = LaneStatus::ALL.iter().map(|one| Count {
            class: one.as_str(),
            word: word_of(*one),
            n: status.lanes.get(one).copied().unwrap_or(0),
        });
        lanes.sort_by_key(|lane| std::cmp::Reverse(urgency(lane)));
        let more_lanes = lanes.len().saturating_sub(LANES_SHOWN);
        let mut alerts: Vec<&Alert> = status.alerts.iter().collect();
        alerts.sort_by_key(|alert| (alert.cause.is_some(), std::cmp::Reverse(alert.severity)));
        let mut agents: Vec<&Agent> = agents.iter().collect();
        agents.sort_by_key(|agent| agent.health != AgentHealth::Silent);
        let mut sources: Vec<&Source> = status.sources.iter().collect();
        sources.sort_by_key(|source| source.health != SourceHealth::Failing);
        Self {
            headline,
            counts: counts.filter(|count| count.n > 0).collect(),
            more_alerts: alerts.len().saturating_sub(ALERTS_SHOWN),
            alerts: alerts
                .into_iter()
                .take(ALERTS_SHOWN)
                .map(|alert| AlertRow::of(alert, now))
                .collect(),
            lanes: lanes
                .into_iter()
                .take(LANES_SHOWN)
                .map(|lane| LaneRow::of(lane, now))
                .collect(),
            more_lanes,
            agents: agents
                .into_iter()
                .map(|agent| AgentRow::of(agent, now))
                .collect(),
            sources: sources
                .into_iter()
                .map(|source| SourceRow::of(source, now))
                .collect(),
            outbox: outbox(&status),
            dead_letters: status
                .dead_letters
                .into_iter()
                .map(|dead| DeadRow::of(dead, now))
                .collect(),
            version: status.version,
            now,
            not_ready: status.readiness.reasons,
        }
    }
}

fn headline(status: &Status) -> Headline {
    let lanes = |wanted: LaneStatus| status.lanes.get(&wanted).copied().unwrap_or(0);
    let (missed, late, blind) = (
        lanes(LaneStatus::Missed),
        lanes(LaneStatus::Late),
        lanes(LaneStatus::Blind),
    );
    let on_time = lanes(LaneStatus::OnTime);
    let all: usize = status.lanes.values().sum();
    let critical = status
        .alerts
        .iter()
        .filter(|alert| alert.severity == Severity::Critical)
        .count();
    let (class, text) = if missed > 0 {
        (
            "missed",
            format!("{} missed the window", count(missed, "lane")),
        )
    } else if blind > 0 {
        ("blind", format!("{} cannot be seen", count(blind, "lane")))
    } else if critical > 0 {
        ("missed", count(critical, "critical alert"))
    } else if late > 0 {
        ("late", format!("{} late", count(late, "lane")))
    } else if !status.alerts.is_empty() {
        (
            "late",
            format!("{} firing", count(status.alerts.len(), "alert")),
        )
    } else if all == 0 {
        ("unknown", "No lane is known yet".to_owned())
    } else if on_time == 0 {
        ("unknown", "No lane has been seen to succeed".to_owned())
    } else {
        ("on_time", format!("{} on time", count(on_time, "lane")))
    };
    Headline { class, text }
}

fn outbox(status: &Status) -> String {
    match (status.outbox_depth, status.outbox_oldest_at) {
        (0, _) => "no message is waiting".to_owned(),
        (depth, Some(oldest)) => {
            let depth = count(usize::try_from(depth).unwrap_or(0), "message");
            format!(
                "{depth} waiting, the oldest for {}",
                span(status.now.since(oldest))
            )
        }
        (depth, None) => format!("{depth} waiting"),
    }
}

/// Lanes in trouble come first, those nothing is expected of come last.
const fn urgency(lane: &Lane) -> u8 {
    match lane.status {
        LaneStatus::Missed => 5,
        LaneStatus::Blind => 4,
        LaneStatus::Late => 3,
        LaneStatus::Unknown if lane.idle_reason.is_none() => 2,
        LaneStatus::OnTime => 1,
        LaneStatus::Unknown | LaneStatus::Paused => 0,
    }
}
