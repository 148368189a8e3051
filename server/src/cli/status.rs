//! `syncwatch status`.

use clap::Args;
use syncwatch_domain::alert::Severity;
use syncwatch_domain::lane::LaneStatus;

use super::client::{Client, ClientArgs};
use super::table::Table;
use super::{Failed, Output, alerts, output};
use crate::http::shape::{AgentHealth, Source, SourceHealth, Status};
use crate::words::{count, distance_or, plain};

/// How to tell how things are.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    client: ClientArgs,
    /// One line with performance data, and the exit codes of a Nagios plugin: 0 OK, 1 WARNING,
    /// 2 CRITICAL, 3 UNKNOWN.
    #[arg(long, conflicts_with = "output")]
    nagios: bool,
}

/// How things are, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Warning,
    Critical,
    Unknown,
}

/// Tells how things are.
pub(super) async fn run(args: &StatusArgs) -> Result<(), Failed> {
    if args.nagios {
        return nagios(&args.client).await;
    }
    let client = args.client.client()?;
    let status: Status = client.get("/api/v1/status", &[]).await?;
    match args.client.output {
        Output::Json => output::json(&status)?,
        Output::Text => output::text(&text(&client, &status))?,
    }
    match verdict(&status) {
        Verdict::Good => Ok(()),
        Verdict::Unknown => Err(Failed::CannotTell(unknown_because(&status))),
        Verdict::Warning | Verdict::Critical => Err(Failed::Findings),
    }
}

/// What the facts add up to. Lanes that are seen to be in trouble outweigh those that are not
/// seen at all.
fn verdict(status: &Status) -> Verdict {
    let lanes = |wanted: LaneStatus| status.lanes.get(&wanted).copied().unwrap_or(0);
    let firing = |severity: Severity| status.alerts.iter().any(|alert| alert.severity == severity);
    if !status.readiness.ready {
        Verdict::Unknown
    } else if lanes(LaneStatus::Missed) > 0 || firing(Severity::Critical) {
        Verdict::Critical
    } else if lanes(LaneStatus::Late) > 0
        || firing(Severity::Warning)
        || !status.dead_letters.is_empty()
    {
        Verdict::Warning
    } else if lanes(LaneStatus::Blind) > 0
        || status.lanes.values().sum::<usize>() == lanes(LaneStatus::Unknown)
    {
        Verdict::Unknown
    } else {
        Verdict::Good
    }
}

fn unknown_because(status: &Status) -> String {
    if !status.readiness.ready {
        return format!(
            "the service does not do its work: {}",
            status.readiness.reasons.join("; ")
        );
    }
    let blind = status.lanes.get(&LaneStatus::Blind).copied().unwrap_or(0);
    if blind > 0 {
        return format!("{} cannot be seen", count(blind, "lane"));
    }
    "no lane has been seen to succeed yet".to_owned()
}

fn text(client: &Client, status: &Status) -> String {
    let ready = if status.readiness.ready {
        "ready".to_owned()
    } else {
        format!("NOT READY: {}", status.readiness.reasons.join("; "))
    };
    let mut text = format!(
        "syncwatch {} at {}: {ready}\n",
        status.version,
        client.url()
    );
    let all: usize = status.lanes.values().sum();
    text.push_str(&format!(
        "lanes    {}\n",
        tally(
            all,
            status.lanes.iter().map(|(status, n)| (status.as_str(), *n))
        )
    ));
    let severities = Severity::ALL.iter().rev().map(|severity| {
        (
            severity.as_str(),
            status
                .alerts
                .iter()
                .filter(|alert| alert.severity == *severity)
                .count(),
        )
    });
    text.push_str(&format!(
        "alerts   {}\n",
        tally(status.alerts.len(), severities)
    ));
    let healths = [
        (SourceHealth::Up, "up"),
        (SourceHealth::Failing, "failing"),
        (SourceHealth::Off, "off"),
        (SourceHealth::Waiting, "waiting"),
    ];
    let sources = healths.map(|(health, word)| {
        (
            word,
            status
                .sources
                .iter()
                .filter(|one| one.health == health)
                .count(),
        )
    });
    text.push_str(&format!(
        "sources  {}\n",
        tally(status.sources.len(), sources.into_iter())
    ));
    let agents: usize = status.agents.values().sum();
    if agents > 0 {
        let healths = status.agents.iter();
        let healths = healths.map(|(health, n)| (health.as_str(), *n));
        text.push_str(&format!("agents   {}\n", tally(agents, healths)));
    }
    text.push_str(&format!(
        "outbox   {} waiting, {}\n",
        status.outbox_depth,
        count(status.dead_letters.len(), "dead letter")
    ));
    if !status.alerts.is_empty() {
        text.push_str(&format!(
            "\n{}",
            alerts::table(&status.alerts, status.now).render(0)
        ));
    }
    let troubled: Vec<&Source> = status
        .sources
        .iter()
        .filter(|one| matches!(one.health, SourceHealth::Failing | SourceHealth::Off))
        .collect();
    if !troubled.is_empty() {
        text.push_str(&format!("\n{}", sources_table(&troubled, status).render(0)));
    }
    text
}

/// `3: 2 up, 1 failing`; what is zero is left out.
fn tally<'a>(all: usize, parts: impl Iterator<Item = (&'a str, usize)>) -> String {
    let parts: Vec<String> = parts
        .filter(|(_, n)| *n > 0)
        .map(|(word, n)| format!("{n} {word}"))
        .collect();
    if parts.is_empty() {
        all.to_string()
    } else {
        format!("{all}: {}", parts.join(", "))
    }
}

fn sources_table(sources: &[&Source], status: &Status) -> Table {
    let mut table = Table::new(&["SOURCE", "LAST READ", "FAILING", "WHY"]);
    for source in sources {
        let instance = if source.instance.is_empty() {
            String::new()
        } else {
            format!("/{}", source.instance)
        };
        table.row(vec![
            format!("{}/{}{instance}", source.tenant, source.poll),
            distance_or(source.read_at, status.now, "never"),
            distance_or(source.failing_since, status.now, "-"),
            source.error.clone().unwrap_or_default(),
        ]);
    }
    table
}

async fn nagios(args: &ClientArgs) -> Result<(), Failed> {
    let status = match args.client() {
        Ok(client) => client.get::<Status>("/api/v1/status", &[]).await,
        Err(failed) => Err(failed),
    };
    let (verdict, line) = match status {
        Ok(status) => (verdict(&status), nagios_line(&status)),
        Err(Failed::CannotTell(sentence)) => (Verdict::Unknown, sentence),
        Err(Failed::Failure(error)) => (Verdict::Unknown, format!("{error:#}")),
        Err(Failed::Config(report)) => (
            Verdict::Unknown,
            format!(
                "{} has {}",
                report.file,
                count(report.problems.len(), "problem")
            ),
        ),
        Err(other) => return Err(other),
    };
    let (word, code) = match verdict {
        Verdict::Good => ("OK", 0),
        Verdict::Warning => ("WARNING", 1),
        Verdict::Critical => ("CRITICAL", 2),
        Verdict::Unknown => ("UNKNOWN", 3),
    };
    // A bar would start performance data in the middle of a sentence.
    let (words, data) = line.split_once(PERFDATA).unwrap_or((&line, ""));
    let data = if data.is_empty() {
        String::new()
    } else {
        format!(" | {data}")
    };
    output::text(&format!(
        "SYNCWATCH {word} - {}{data}\n",
        plain(words).replace('|', "/")
    ))?;
    if code == 0 {
        Ok(())
    } else {
        Err(Failed::Code(code))
    }
}

/// Parts the sentence from the performance data until both are printed.
const PERFDATA: char = '\u{1f}';

fn nagios_line(status: &Status) -> String {
    let all: usize = status.lanes.values().sum();
    let mut words = match verdict(status) {
        Verdict::Unknown => unknown_because(status),
        _ => format!(
            "lanes {}",
            tally(
                all,
                status.lanes.iter().map(|(status, n)| (status.as_str(), *n))
            )
        ),
    };
    if let Some(worst) = status
        .alerts
        .iter()
        .max_by_key(|alert| (alert.severity, std::cmp::Reverse(alert.occurred_at)))
    {
        words.push_str(&format!(
            "; {}: {}",
            count(status.alerts.len(), "alert"),
            worst.summary
        ));
    }
    let firing = |severity: Severity| {
        status
            .alerts
            .iter()
            .filter(|alert| alert.severity == severity)
            .count()
    };
    let mut data: Vec<String> = status
        .lanes
        .iter()
        .map(|(status, n)| format!("{status}={n}"))
        .collect();
    data.push(format!("alerts_critical={}", firing(Severity::Critical)));
    data.push(format!("alerts_warning={}", firing(Severity::Warning)));
    data.push(format!(
        "sources_failing={}",
        status
            .sources
            .iter()
            .filter(|one| one.health == SourceHealth::Failing)
            .count()
    ));
    let silent = status.agents.get(&AgentHealth::Silent);
    data.push(format!("agents_silent={}", silent.unwrap_or(&0)));
    data.push(format!("outbox={}", status.outbox_depth));
    data.push(format!("dead_letters={}", status.dead_letters.len()));
    format!("{words}{PERFDATA}{}", data.join(" "))
}
