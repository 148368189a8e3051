//! Every row exactly once: the collector reads a simulated log three times, with pages that overlap, rows that come
//! late and twice, and page tokens that expire under way.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use rusqlite::Connection;
use syncwatch_collector::config::{PollSection, PollsSection, TenantConfig, TenantSection};
use syncwatch_collector::{Collector, Did, Parts, RunEnd};
use syncwatch_domain::clock::{Clock, ScriptedClock};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::secret::Secret;
use syncwatch_domain::source::Poll;
use syncwatch_domain::span::Span;
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::{Action, Ports, Running, SimClock, Simulator, Story};
use syncwatch_store::{Store, StoreOptions};
use syncwatch_tests::install_crypto;

use super::ours::TENANT;
use crate::report::Report;

/// How often the whole log is read.
const READS: usize = 3;
/// Between two reads. The collector reads back the whole overlap once in 15 minutes.
const EVERY: Span = Span::minutes(16);
/// All page tokens expire when the reading was interrupted by the request budget so many times.
const EXPIRY_EVERY: usize = 3;
/// More steps than the reads can take.
const STEPS_MOST: usize = 5_000;

pub(super) async fn prove(report: &Report, rows: u32) -> anyhow::Result<()> {
    report.heading("every row exactly once");
    install_crypto();
    let story = story(rows)?;
    let clock = Arc::new(ScriptedClock::new(Timestamp::from_millis(story.start_ms())));
    let sim = Simulator::start(story, Arc::new(Shared(Arc::clone(&clock))), Ports::free()).await?;
    let folder = tempfile::tempdir().context("a folder")?;
    let file = folder.path().join("exact.db");
    let store = Store::open_and_migrate(&StoreOptions::new(
        format!("sqlite:{}", file.display()),
        "bench",
    ))
    .await?;
    let registry = prometheus::Registry::new();
    let mut collector = Collector::new(Parts {
        store: store.clone(),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        tenants: vec![tenant(&sim, rows)?],
        policy: LanePolicy::default(),
        registry: &registry,
    })?;
    read_repeatedly(&mut collector, &clock, &sim).await?;
    store.close().await;

    let pages: Vec<u16> = sim
        .requests()
        .iter()
        .filter(|seen| seen.path.ends_with("auditLogs/provisioning"))
        .map(|seen| seen.status)
        .collect();
    let served = pages.iter().filter(|status| **status == 200).count();
    let expired = pages.iter().filter(|status| **status == 400).count();
    let (stored, ids) = stored(&file)?;
    report.say(format!(
        "{rows} events read {READS} times through the collector over HTTP: {served} pages, {expired} expired page tokens,\n\
         2 % late rows, 3 % rows served twice, 10 % empty pages: {stored} rows with {} ids are stored",
        ids.len()
    ));
    ensure!(expired > 0, "no page token expired");
    ensure!(
        stored == u64::from(rows) && ids.len() as u64 == stored,
        "{rows} rows should be stored"
    );
    report.say(format!("held: exactly {rows} rows"));
    Ok(())
}

/// Steps the clock from one due instant to the next until the log was read often enough.
async fn read_repeatedly(
    collector: &mut Collector,
    clock: &ScriptedClock,
    sim: &Running,
) -> anyhow::Result<()> {
    let (mut reads, mut pauses) = (0, 0);
    for _ in 0..STEPS_MOST {
        let report = collector.run_once(clock.now()).await?;
        let is_read =
            |did: &&Did| did.source.poll == Poll::ProvisioningLogs && did.end == RunEnd::Read;
        reads += report.did.iter().filter(is_read).count();
        if reads >= READS {
            return Ok(());
        }
        if report.did.iter().any(|did| did.end == RunEnd::Paused) {
            pauses += 1;
            if pauses % EXPIRY_EVERY == 1 {
                sim.apply(&Action::ExpirePageTokens {
                    tenant: TENANT.into(),
                })?;
            }
        }
        let due = report.next_due.context("nothing is due any more")?;
        clock.set(due.max(clock.now() + Duration::from_millis(1)));
    }
    Err(anyhow!(
        "the log was read {reads} times in {STEPS_MOST} steps"
    ))
}

/// The collector's clock, as the simulator sees it.
struct Shared(Arc<ScriptedClock>);

impl SimClock for Shared {
    fn now_ms(&self) -> i64 {
        self.0.now().as_millis()
    }
}

fn story(rows: u32) -> anyhow::Result<Story> {
    let text = format!(
        r#"
        seed = 20261122
        start = "2026-09-14T06:00:00Z"
        length = "4h"
        settings = {{ late_by = "10m" }}
        [[tenant]]
        name = "{TENANT}"
        id = "3b0d4a52-6f7e-4c19-9a1d-52d6f0c8b741"
        display_name = "Nordwall Werke AG"
        prefix = "nordwallwerke"
        domains = ["nordwall.example"]
        bulk = {{ domain = "werke.example", rows = {rows}, over = "24h" }}
        [tenant.directory]
        users = 2000
        [[tenant.client]]
        id = "8d1c0f3e-2a6b-4f57-b0d9-41c7e95a6b02"
        secret = "bench~Nordwall.Secret-2026"
        roles = ["Application.Read.All", "AuditLog.Read.All", "Synchronization.Read.All"]
        [[tenant.configuration]]
        domain = "werke.example"
        [[tenant.configuration.job]]
        template = "AD2AADProvisioning"
        interval = "20m"
        cadence = "2m"
        state = "paused"
        "#
    );
    Story::parse(&text).context("the story")
}

fn tenant(sim: &Running, rows: u32) -> anyhow::Result<TenantConfig> {
    let login = sim.credentials().into_iter().next().context("a login")?;
    let off = || PollSection {
        schedule: None,
        enabled: false,
    };
    let section = TenantSection {
        name: login.tenant,
        id: login.tenant_id,
        client_id: Some(login.client_id),
        client_secret: login.client_secret.map(Secret::new),
        graph_url: Some(login.graph_url),
        login_url: Some(login.login_url),
        // Many pages also of a small log.
        provisioning_page_size: (rows / 25).min(1000),
        log_first_read: Span::minutes(25 * 60),
        log_overlap: Span::minutes(25 * 60),
        polls: PollsSection {
            provisioning_logs: PollSection {
                schedule: Some(EVERY.to_string().parse()?),
                enabled: true,
            },
            directory_audits: off(),
            organization: off(),
            organization_beta: off(),
            agents: off(),
            credentials: off(),
            ..PollsSection::default()
        },
        ..TenantSection::default()
    };
    section
        .check()
        .map_err(|problems| anyhow!("the tenant section: {problems:?}"))
}

/// How many rows are stored, and their ids.
fn stored(file: &Path) -> anyhow::Result<(u64, HashSet<Vec<u8>>)> {
    let connection = Connection::open(file).context("open the database")?;
    let mut statement = connection
        .prepare("select id from observation")
        .context("read ids")?;
    let ids = statement
        .query_map([], |row| row.get::<_, Vec<u8>>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    Ok((ids.len() as u64, ids.into_iter().collect()))
}
