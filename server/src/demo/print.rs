//! What the demo says.

use std::path::Path;
use std::time::Duration;

use syncwatch_domain::alert::{NotificationEvent, Rule};
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::{Running, Span, Step, Story};

use super::arrival::{Arrival, Told};
use super::expect::{EXPECTED, Record};
use super::servers::parts;
use crate::words::plain;

/// Where everything is.
pub(super) fn addresses(sim: &Running, url: &str, folder: &Path) {
    println!("syncwatch demo: a simulated migration, watched by the real service\n");
    println!("  status page   {url}/");
    println!("  metrics       {url}/metrics");
    for tenant in &sim.story().tenants {
        println!(
            "  Graph         {}  ({})",
            sim.graph_url(&tenant.name),
            tenant.display_name
        );
    }
    println!("  login         {}", sim.login_url());
    println!("  mail sink     {}", sim.smtp_addr());
    println!(
        "  Teams sink    {}",
        sim.teams_url()
            .split("/powerautomate")
            .next()
            .unwrap_or_default()
    );
    println!("  webhook sink  {}", sim.webhook_url());
    println!("  files         {}", folder.display());
}

/// How long it takes.
pub(super) fn steps_ahead(story: &Story) {
    let seconds = story.length.map_or(0, Span::as_ms) / 1_000;
    println!("\nThe story takes {seconds} s. Times are counted from its beginning.\n");
}

/// What happens when, in its order.
#[derive(Debug)]
pub(super) struct Steps(Vec<(Duration, String)>);

impl Steps {
    /// The steps of the story, and what befalls its sync servers.
    pub(super) fn of(story: &Story) -> Self {
        let steps = story
            .steps
            .iter()
            .map(|step| (after(step.at), describe(step)));
        let mut all: Vec<(Duration, String)> = steps.collect();
        for (_, server) in parts(story) {
            for trouble in &server.troubles {
                let what = fields(&trouble.what, "kind");
                all.push((after(trouble.from), format!("{}: {what}", server.host)));
                let until = trouble.until.map(after);
                all.extend(until.map(|until| (until, format!("{}: no more {what}", server.host))));
            }
        }
        all.sort_by_key(|(at, _)| *at);
        Self(all)
    }

    /// When the step with this number comes.
    pub(super) fn at(&self, number: usize) -> Option<Duration> {
        self.0.get(number).map(|(at, _)| *at)
    }

    /// Tells the steps that have come since `told` of them; returns how many have.
    pub(super) fn tell(&self, told: usize, elapsed: Duration) -> usize {
        let due = self
            .0
            .iter()
            .skip(told)
            .take_while(|(at, _)| *at <= elapsed);
        told + due
            .inspect(|(at, what)| println!("{}  -- {what}", offset(*at)))
            .count()
    }
}

fn after(span: Span) -> Duration {
    Duration::from_millis(span.as_ms().unsigned_abs())
}

/// A step as `job stop, job nordwall/...`.
fn describe(step: &Step) -> String {
    fields(step, "do")
}

/// What `word` names, then every other field but the instant.
fn fields(of: &(impl serde::Serialize + std::fmt::Debug), word: &str) -> String {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(of) else {
        return format!("{of:?}");
    };
    let text = |value: &serde_json::Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let what = fields
        .get(word)
        .map(text)
        .unwrap_or_default()
        .replace('_', " ");
    let mut parts = vec![what];
    for (name, value) in fields
        .iter()
        .filter(|(name, value)| *name != word && *name != "at" && !value.is_null())
    {
        parts.push(format!("{} {}", name.replace('_', " "), text(value)));
    }
    parts.join(", ")
}

/// A message that arrived.
pub(super) fn told(told: &Told, origin: Timestamp) {
    let Told {
        arrival,
        notification,
    } = told;
    let alert = &notification.alert;
    let fate = if arrival.accepted() {
        String::new()
    } else {
        format!("  REFUSED with {}", arrival.status)
    };
    println!(
        "{}  {:<8}{:<9}{:<9}{:<18} [{}] {}  {}{fate}",
        offset(arrival.at.since(origin)),
        arrival.via.receiver(),
        notification.event.as_str(),
        alert.severity.as_str(),
        alert.rule.as_str(),
        alert.subject.tenant,
        plain(&alert.subject.title),
        latency(told),
    );
}

/// How long after its deadline, or after it was decided, a message arrived.
fn latency(told: &Told) -> String {
    let alert = &told.notification.alert;
    let has_deadline = matches!(alert.rule, Rule::LaneLate | Rule::WindowMissed);
    let (since, what) = if has_deadline && told.notification.event == NotificationEvent::Firing {
        (alert.occurred_at, "deadline")
    } else {
        (told.notification.decided_at, "decision")
    };
    format!(
        "+{} ms from {what}",
        told.arrival.at.since(since).as_millis()
    )
}

/// A message nobody can explain.
pub(super) fn stranger(arrival: &Arrival, origin: Timestamp) {
    println!(
        "{}  {:<8}a message that speaks of no known alert, answered {}",
        offset(arrival.at.since(origin)),
        arrival.via.receiver(),
        arrival.status
    );
}

/// What was expected and what is missing; whether nothing is.
pub(super) fn verdict(record: &Record) -> bool {
    println!("\nThe story is told. Expected:\n");
    let mut complete = true;
    for expected in EXPECTED {
        match expected.missing(record) {
            None => println!("  ok       {}", expected.what),
            Some(why) => {
                complete = false;
                println!("  MISSING  {}: {why}", expected.what);
            }
        }
    }
    println!(
        "\n{}",
        if complete {
            "Everything arrived."
        } else {
            "Something is missing."
        }
    );
    complete
}

/// That it goes on.
pub(super) fn serving(url: &str) {
    println!("The service goes on watching; see {url}/ and stop it with Ctrl-C.");
}

fn offset(since: Duration) -> String {
    format!("{:>4}.{:03} s", since.as_secs(), since.subsec_millis())
}
