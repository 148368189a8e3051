//! One reading of everything, without spool or network: to see what would leave the server.

use syncwatch_domain::report::{
    AgentIdentity, Batch, Outcome, Record, SCHEMA, Section, SpoolState,
};

use crate::config::Config;
use crate::count::Times;
use crate::host::{Asked, Bookmarks, Host};
use crate::privacy;
use crate::reader::{MOST_EVENTS, ask, record};
use crate::roles::Found;

/// Name of the spool in such a report: no service takes it for one.
const NO_SPOOL: &str = "once";

/// Reads every section that the server has and the configuration does not switch off.
pub async fn once(
    config: &Config,
    host: &mut dyn Host,
    times: &Times,
    mut agent: AgentIdentity,
) -> Batch {
    let mut found = Found::default();
    let mut records: Vec<Record> = Vec::new();
    // Services come first: they say what else there is.
    let others = Section::ALL.iter().filter(|one| **one != Section::Services);
    for section in std::iter::once(&Section::Services).chain(others) {
        let schedule = config.schedule(*section);
        let is_wanted = schedule.enabled.unwrap_or_else(|| found.have(*section));
        if !is_wanted || *section == Section::Containers {
            continue;
        }
        let asked = Asked {
            timeout: schedule.timeout,
            containers: Vec::new(),
            bookmarks: Bookmarks::default(),
            most_events: MOST_EVENTS,
            user_names: config.user_names,
        };
        let began = times.elapsed();
        let mut reading = ask(host, *section, &asked).await;
        if reading.outcome != Outcome::Failed {
            found.learn(*section, &reading.data);
        }
        privacy::clean(*section, &mut reading, config.user_names);
        let took = times.elapsed().saturating_sub(began);
        let mut record = record(times, *section, reading, took);
        record.seq = records.len() as u64 + 1;
        records.push(record);
    }
    agent.roles = found.roles();
    Batch {
        schema: SCHEMA,
        agent,
        sent_at: times.now(),
        elapsed: times.mark(),
        spool: SpoolState {
            id: NO_SPOOL.to_owned(),
            first: 1,
            next: records.len() as u64 + 1,
            gaps: Vec::new(),
        },
        records,
    }
}
