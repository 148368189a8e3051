//! The agent itself: a wrong clock, and records that were lost on their way home.

use std::time::Duration;

use syncwatch_domain::alert::{Condition, Rule, Severity};
use syncwatch_domain::span::Span;
use syncwatch_domain::sync_server::{Agent, LostRecords, Part};
use syncwatch_domain::time::Timestamp;

use super::super::LAST_REPORTED;
use super::super::words::{clear, counted, evidence, holds, labels, named};
use super::look::{Look, subject};
use super::view::Server;

pub(super) fn conditions(look: &mut Look<'_>, server: &Server<'_>) -> Vec<Condition> {
    let Some((agent, heard_at)) = server
        .part::<Agent>(Part::Agent)
        .and_then(|seen| Some((seen.value?, seen.read_at)))
    else {
        return Vec::new();
    };
    let mut found = vec![clock(look, server, &agent, heard_at)];
    if let Some(gap) = &agent.newest_gap {
        found.extend(lost(look, server, gap, heard_at));
    }
    found
}

fn clock(look: &Look<'_>, server: &Server<'_>, agent: &Agent, heard_at: Timestamp) -> Condition {
    const RULE: Rule = Rule::AgentClockWrong;
    let off = Duration::from_millis(agent.clock_ahead_ms.unsigned_abs());
    let subject = subject(server);
    let said = Span(Duration::from_secs(off.as_secs()));
    if off <= look.settings().clock_off {
        let summary = format!("{}: its clock is right again", named(&subject));
        return Condition {
            labels: labels_of(server),
            ..clear(RULE, subject, heard_at, summary)
        };
    }
    let way = if agent.clock_ahead_ms > 0 {
        "ahead"
    } else {
        "behind"
    };
    Condition {
        summary: format!(
            "{}: its clock is {said} {way}; what it reports is corrected",
            named(&subject)
        ),
        mend: format!(
            "Set the clock of {} right; if it is right, look at the clock of this machine.",
            server.host
        ),
        evidence: vec![
            evidence(&format!("clock {way} by"), said),
            evidence("newest report", heard_at),
        ],
        labels: labels_of(server),
        ..holds(RULE, subject, Severity::Warning, heard_at)
    }
}

/// A loss is known when the agent is heard again, which may be long after it. It is over when
/// nothing was lost for a while since; what was lost stays on record.
fn lost(
    look: &mut Look<'_>,
    server: &Server<'_>,
    gap: &LostRecords,
    heard_at: Timestamp,
) -> Option<Condition> {
    const RULE: Rule = Rule::AgentGap;
    let subject = subject(server);
    match look.firing(server, &[RULE]).first() {
        Some(alert) => {
            let told_at = alert.detected_at.max(gap.to);
            if look.reached(heard_at, told_at + look.settings().gap_over_after) {
                let summary = format!(
                    "{}: no more records were lost; what was read from {} to {} is gone",
                    named(&subject),
                    gap.from,
                    gap.to
                );
                return Some(Condition {
                    labels: labels_of(server),
                    ..clear(RULE, subject, heard_at, summary)
                });
            }
        }
        None => {
            let ended_at = look.beyond.gaps_over.get(server.host);
            if ended_at.is_some_and(|ended_at| *ended_at >= gap.to) {
                return None;
            }
        }
    }
    let records = i64::try_from(gap.records).unwrap_or(i64::MAX);
    let (was, records) = if records == 1 {
        ("was", counted(1, "record"))
    } else {
        ("were", counted(records, "record"))
    };
    Some(Condition {
        summary: format!(
            "{}: {records} {was} lost, read from {} to {}; what happened in between is not known here",
            named(&subject),
            gap.from,
            gap.to
        ),
        mend: format!(
            "The line was down for longer than the spool of the agent on {} can hold, or something on the way takes no report of their size: the log of the agent tells which. Give the spool more room, and look why nothing came home.",
            server.host
        ),
        evidence: vec![
            evidence("records lost", gap.records),
            evidence("from", gap.from),
            evidence("to", gap.to),
            evidence(LAST_REPORTED, gap.to),
        ],
        labels: labels_of(server),
        ..holds(RULE, subject, Severity::Warning, gap.from)
    })
}

fn labels_of(server: &Server<'_>) -> std::collections::BTreeMap<String, String> {
    labels([("server", server.host), ("source", "agent_reports")])
}
