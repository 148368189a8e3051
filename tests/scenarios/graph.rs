//! The collector against the simulated Graph, which was written from the documents and not from
//! the collector: every way to sign in, every way to break, and every row once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_collector::config::{
    IdentityKind, ManagedIdentitySection, TenantConfig, TenantSection,
};
use syncwatch_collector::{Collector, Parts, live};
use syncwatch_domain::clock::{Clock, ScriptedClock, SystemClock};
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::secret::Secret;
use syncwatch_domain::source::{Poll, ReadFailure, SourceState};
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::{Action, DownMode, JobRef, Ports, Running, SimClock, Simulator, Story};
use syncwatch_store::{LaneFilter, Store, StoreOptions};
use syncwatch_tests::install_crypto;

const TENANT: &str = "spreewerk";
const CLIENT: &str = "6a1f3c58-90d7-4b2e-8e44-17c5d2f0a963";
const DOMAIN: &str = "ad.spreewerk.example";
const MINUTE: Duration = Duration::from_secs(60);
const KEYS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../collector/src/auth/fixtures"
);

/// A tenant with one configuration of both jobs, a Connect server and agents.
fn story(client: &str, more: &str) -> Story {
    Story::parse(&format!(
        r#"
seed = 99
start = "2026-10-12T05:00:00Z"
[settings]
duplicate_share = 0.1
late_share = 0.1
late_by = "5m"
empty_page_share = 0.2
failure_share = 0.05
[[tenant]]
name = "{TENANT}"
id = "c7d40b19-2e85-4f6a-a1b3-58e90d7c6f24"
display_name = "Spreewerk AG"
prefix = "spreewerk"
domains = ["spreewerk.example"]
[[tenant.client]]
id = "{CLIENT}"
roles = ["Application.Read.All", "AuditLog.Read.All", "Organization.Read.All", "Synchronization.Read.All"]
{client}
[[tenant.configuration]]
domain = "{DOMAIN}"
[[tenant.configuration.job]]
template = "AD2AADProvisioning"
interval = "20m"
cadence = "2m"
takes = "5s"
objects = 3
rows = 3
[[tenant.configuration.job]]
template = "AD2AADPasswordHash"
interval = "20m"
cadence = "2m"
takes = "2s"
objects = 2
[tenant.connect]
server = "SPW-SYNC01"
interval = "30m"
password_interval = "2m"
audits = 2
{more}
"#
    ))
    .expect("a story")
}

const BY_SECRET: &str = "secret = \"by~secret\"";

struct Shared(Arc<ScriptedClock>);

impl SimClock for Shared {
    fn now_ms(&self) -> i64 {
        self.0.now().as_millis()
    }
}

/// A collector that looks at a simulated tenant.
struct Eye {
    sim: Running,
    clock: Arc<ScriptedClock>,
    store: Store,
    collector: Collector,
    _folder: tempfile::TempDir,
}

fn section(sim: &Running) -> TenantSection {
    let login = sim.credentials().into_iter().next().expect("a client");
    TenantSection {
        name: login.tenant,
        id: login.tenant_id,
        client_id: Some(login.client_id),
        client_secret: login.client_secret.map(Secret::new),
        graph_url: Some(login.graph_url),
        login_url: Some(login.login_url),
        ..TenantSection::default()
    }
}

fn checked(section: &TenantSection) -> TenantConfig {
    section
        .check()
        .unwrap_or_else(|problems| panic!("{problems:?}"))
}

async fn simulate(story: Story) -> (Running, Arc<ScriptedClock>) {
    install_crypto();
    let clock = Arc::new(ScriptedClock::new(Timestamp::from_millis(story.start_ms())));
    let shared = Arc::new(Shared(Arc::clone(&clock)));
    let sim = Simulator::start(story, shared, Ports::free())
        .await
        .expect("a simulator");
    (sim, clock)
}

async fn eye(story: Story) -> Eye {
    eye_with(story, |_| ()).await
}

async fn eye_with(story: Story, change: impl FnOnce(&mut TenantSection)) -> Eye {
    let (sim, clock) = simulate(story).await;
    let mut section = section(&sim);
    change(&mut section);
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("graph.db").display());
    let store = Store::open_and_migrate(&StoreOptions::new(url, "graph"))
        .await
        .expect("a store");
    let collector = Collector::new(Parts {
        store: store.clone(),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        tenants: vec![checked(&section)],
        policy: LanePolicy::default(),
        registry: &prometheus::Registry::new(),
    })
    .expect("a collector");
    Eye {
        sim,
        clock,
        store,
        collector,
        _folder: folder,
    }
}

impl Eye {
    /// Runs everything due in the next minutes at the instants it is due.
    async fn minutes(&mut self, minutes: u32) {
        let end = self.clock.now() + MINUTE * minutes;
        loop {
            let now = self.clock.now();
            match self.collector.run_once(now).await.expect("a run").next_due {
                Some(due) if due <= end => self.clock.set(due.max(now)),
                _ => break,
            }
        }
        self.clock.set(end);
    }

    async fn sources(&self) -> Vec<SourceState> {
        let sources = self.store.sources(None).await.expect("sources");
        sources.into_iter().map(|source| source.state).collect()
    }

    async fn source(&self, poll: Poll) -> SourceState {
        self.sources()
            .await
            .into_iter()
            .find(|state| state.key.poll == poll)
            .expect("the source")
    }

    fn apply(&self, action: &Action) {
        self.sim.apply(action).expect("applied");
    }
}

/// Signs in with what is left of a section after `change`.
async fn sign_in(
    client: &str,
    change: impl FnOnce(&mut TenantSection, &Running),
) -> live::LiveFinding {
    let (sim, clock) = simulate(story(client, "")).await;
    let mut section = section(&sim);
    change(&mut section, &sim);
    live::check(&checked(&section), &(clock as Arc<dyn Clock>)).await
}

#[tokio::test]
async fn every_kind_of_credential_is_accepted_and_tells_its_rights() {
    let certificate =
        std::fs::read_to_string(Path::new(KEYS).join("rsa.cert.pem")).expect("a certificate");
    let by_certificate = format!("certificate_pem = '''\n{certificate}'''");
    let token = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(token.path(), "outside-token\n").expect("written");
    let file = token.path().display().to_string();
    let findings = [
        sign_in(BY_SECRET, |_, _| ()).await,
        sign_in(&by_certificate, |section, _| {
            section.certificate_file = Some(format!("{KEYS}/rsa.cert.pem"));
            section.private_key_file = Some(format!("{KEYS}/rsa.pkcs8.pem"));
        })
        .await,
        sign_in(
            "federated = [{ token = \"outside-token\" }]",
            |section, _| {
                section.federated_token_file = Some(file.clone());
            },
        )
        .await,
        sign_in("managed_identity = true", |section, sim| {
            section.client_id = None;
            section.managed_identity = Some(ManagedIdentitySection {
                kind: IdentityKind::Vm,
                client_id: Some(CLIENT.to_owned()),
                endpoint: Some(sim.imds_url()),
            });
        })
        .await,
    ];
    for (index, finding) in findings.iter().enumerate() {
        assert_eq!(finding.sign_in, Ok(()), "{index}");
        let held = |poll| {
            finding
                .rights
                .iter()
                .find(|right| right.poll == poll)
                .and_then(|right| right.held_by)
        };
        assert_eq!(
            held(Poll::Jobs),
            Some("Synchronization.Read.All"),
            "{index}: {finding:?}"
        );
        assert_eq!(held(Poll::Agents), None, "{index}");
    }
}

#[tokio::test]
async fn a_wrong_proof_is_refused_with_a_hint() {
    let certificate =
        std::fs::read_to_string(Path::new(KEYS).join("other.cert.pem")).expect("a certificate");
    let other = format!("certificate_pem = '''\n{certificate}'''");
    for (finding, hint) in [
        (
            sign_in(BY_SECRET, |section, _| {
                section.client_secret = Some(Secret::new("guess".into()))
            })
            .await,
            "AADSTS7000215",
        ),
        (
            sign_in(&other, |section, _| {
                section.certificate_file = Some(format!("{KEYS}/rsa.cert.pem"));
                section.private_key_file = Some(format!("{KEYS}/rsa.pkcs8.pem"));
            })
            .await,
            "AADSTS700027",
        ),
        (
            sign_in(BY_SECRET, |section, _| {
                section.client_id = Some("00000000-1111-4222-8333-444444444444".into())
            })
            .await,
            "AADSTS700016",
        ),
    ] {
        let text = finding.sign_in.expect_err(hint);
        assert!(text.contains(hint) && !text.contains("guess"), "{text}");
    }
}

#[tokio::test]
async fn a_healthy_tenant_is_seen_as_it_is() {
    let mut eye = eye(story(BY_SECRET, "")).await;
    eye.minutes(20).await;
    for state in eye.sources().await {
        let expected = (state.key.poll == Poll::Agents).then_some(ReadFailure::RightMissing);
        assert_eq!(
            state.failure, expected,
            "{}: {:?}",
            state.key, state.failure_text
        );
    }
    for (kind, job) in [
        (LaneKind::Objects, JobRef::objects(TENANT, DOMAIN)),
        (
            LaneKind::PasswordHash,
            JobRef::password_hash(TENANT, DOMAIN),
        ),
    ] {
        let lanes = eye
            .store
            .lanes(&LaneFilter {
                kind: Some(kind),
                ..LaneFilter::default()
            })
            .await
            .expect("lanes");
        let lane = lanes
            .iter()
            .find(|lane| lane.key.engine == Engine::Cloud)
            .expect("the lane");
        assert_eq!(lane.key.partition, DOMAIN);
        let told = eye
            .sim
            .last_success_ms(&job)
            .map(Timestamp::from_millis)
            .expect("a success");
        let seen = lane.facts.last_success_at.expect("a success");
        assert!(
            seen <= told && told.since(seen) <= 2 * MINUTE,
            "{kind}: {seen} of {told}"
        );
        let learned = lane
            .intervals
            .learned
            .expect("eight cycles teach the cadence");
        assert!(
            learned.abs_diff(2 * MINUTE) < Duration::from_secs(5),
            "{kind}: {learned:?}"
        );
    }
    let connect = LaneFilter {
        engine: Some(Engine::Connect),
        ..LaneFilter::default()
    };
    let connect = eye.store.lanes(&connect).await.expect("lanes");
    assert!(
        !connect.is_empty() && connect.iter().all(|lane| lane.facts.deadline_at.is_none()),
        "{connect:#?}"
    );
    let facts = eye.store.facts(Some(TENANT)).await.expect("facts");
    for name in [
        "organization",
        "organization_beta",
        "last_write/connect/objects",
        "last_write/connect/password_hash",
    ] {
        assert!(
            facts
                .iter()
                .any(|fact| fact.name == name && !fact.value.is_null()),
            "{name}"
        );
    }
}

#[tokio::test]
async fn graph_may_break_in_any_way_and_nothing_on_record_is_harmed() {
    use DownMode as M;
    for mode in [
        M::Refuse,
        M::Unavailable,
        M::GatewayTimeout,
        M::Html,
        M::Portal,
        M::Cut,
        M::Garbage,
        M::WrongTypes,
        M::HugeNumbers,
        M::WrongEncoding,
    ] {
        let mut eye = eye(story(BY_SECRET, "")).await;
        eye.minutes(6).await;
        let (before, rows) = (
            eye.store.jobs().await.expect("jobs"),
            eye.store.log_row_count().await.expect("rows"),
        );
        let lost_at = eye.clock.now();
        eye.apply(&Action::GraphDown {
            tenant: TENANT.into(),
            mode,
        });
        eye.minutes(6).await;
        for poll in [
            Poll::Jobs,
            Poll::Organization,
            Poll::ProvisioningLogs,
            Poll::DirectoryAudits,
        ] {
            let state = eye.source(poll).await;
            let failure = state
                .failure
                .unwrap_or_else(|| panic!("{mode:?} {poll}: not noticed"));
            assert!(failure.is_outage(), "{mode:?} {poll}: {failure}");
            assert!(
                state
                    .failure_text
                    .is_some_and(|text| text.len() > 20 && text.len() < 1_000),
                "{mode:?} {poll}"
            );
            assert!(state.read_at <= Some(lost_at), "{mode:?} {poll}");
        }
        assert_eq!(eye.store.jobs().await.expect("jobs"), before, "{mode:?}");
        assert_eq!(
            eye.store.log_row_count().await.expect("rows"),
            rows,
            "{mode:?}"
        );
        eye.apply(&Action::GraphUp {
            tenant: TENANT.into(),
        });
        eye.minutes(4).await;
        for state in eye
            .sources()
            .await
            .iter()
            .filter(|state| state.key.poll != Poll::Agents)
        {
            assert_eq!(
                state.failure, None,
                "{mode:?} {}: {:?}",
                state.key, state.failure_text
            );
        }
        assert!(
            eye.store.log_row_count().await.expect("rows") > rows,
            "{mode:?}"
        );
    }
}

#[tokio::test]
async fn every_row_is_kept_once_through_throttling_and_ended_page_tokens() {
    let bulk = format!("[tenant.bulk]\ndomain = \"{DOMAIN}\"\nrows = 2500\nover = \"20h\"");
    // Small pages, so that tokens end in the middle of windows.
    let mut eye = eye_with(story(BY_SECRET, &bulk), |section| {
        section.provisioning_page_size = 100
    })
    .await;
    let start = eye.clock.now();
    for round in 0_u32..16 {
        // Reading takes over a minute: in the middle of it a token ends.
        eye.minutes(1).await;
        if round % 3 == 0 {
            eye.apply(&Action::ExpirePageTokens {
                tenant: TENANT.into(),
            });
        }
        if round % 4 == 1 {
            let (endpoint, retry_after) = ("auditLogs".into(), (round % 8 == 1).then_some(20));
            eye.apply(&Action::Throttle {
                tenant: TENANT.into(),
                endpoint,
                retry_after,
                count: 2,
            });
        }
    }
    eye.minutes(15).await;
    let state = eye.source(Poll::ProvisioningLogs).await;
    assert_eq!(state.failure, None, "{:?}", state.failure_text);
    let job_id = eye
        .sim
        .job_id(&JobRef::objects(TENANT, DOMAIN))
        .expect("a job");
    let rows = eye
        .store
        .log_rows(TENANT, &job_id, 100_000)
        .await
        .expect("rows");
    let old = rows.iter().filter(|row| row.occurred_at < start).count();
    assert!(old >= 2_500, "{old}");
    let ids: std::collections::BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), rows.len());
    let ended = eye
        .sim
        .requests()
        .into_iter()
        .filter(|request| request.query.contains("skiptoken") && request.status == 400);
    assert!(ended.count() > 0, "page tokens ended while they were used");
    let reports = eye
        .sim
        .requests()
        .into_iter()
        .filter(|request| request.path.contains("/auditLogs/"));
    let told = reports.filter(|request| request.status == 429).count();
    assert!(
        told <= 25,
        "the own budget keeps the service from refusing: {told}"
    );
}

#[tokio::test]
async fn a_right_that_is_taken_away_switches_off_one_poll_until_it_is_back() {
    let mut eye = eye(story(BY_SECRET, "")).await;
    eye.minutes(3).await;
    let role = || ("AuditLog.Read.All".to_owned(), TENANT.to_owned());
    let (revoked, tenant) = role();
    eye.apply(&Action::RevokeRole {
        tenant,
        role: revoked,
    });
    eye.apply(&Action::ExpireTokens {
        tenant: TENANT.into(),
    });
    eye.minutes(5).await;
    for (poll, failure) in [
        (Poll::ProvisioningLogs, Some(ReadFailure::RightMissing)),
        (Poll::DirectoryAudits, Some(ReadFailure::RightMissing)),
        (Poll::Jobs, None),
        (Poll::Organization, None),
    ] {
        let state = eye.source(poll).await;
        assert_eq!(state.failure, failure, "{poll}: {:?}", state.failure_text);
    }
    let (granted, tenant) = role();
    eye.apply(&Action::GrantRole {
        tenant,
        role: granted,
    });
    eye.minutes(62).await;
    assert_eq!(eye.source(Poll::ProvisioningLogs).await.failure, None);
}

#[tokio::test]
async fn words_of_tomorrow_absent_fields_and_stale_copies_do_no_harm() {
    let mut eye = eye(story(BY_SECRET, "")).await;
    eye.minutes(5).await;
    eye.apply(&Action::UnknownEnumMembers {
        tenant: TENANT.into(),
        on: true,
    });
    eye.apply(&Action::NullFields {
        tenant: TENANT.into(),
        on: true,
    });
    eye.apply(&Action::StaleReplica {
        tenant: TENANT.into(),
        reads: 6,
        cycles: 3,
    });
    let newest = |lanes: &[syncwatch_store::LaneView]| {
        lanes
            .iter()
            .map(|lane| (lane.key.clone(), lane.facts.last_success_at))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let before = newest(
        &eye.store
            .lanes(&LaneFilter::default())
            .await
            .expect("lanes"),
    );
    eye.minutes(10).await;
    for state in eye
        .sources()
        .await
        .iter()
        .filter(|state| state.key.poll != Poll::Agents)
    {
        assert_eq!(
            state.failure, None,
            "{}: {:?}",
            state.key, state.failure_text
        );
    }
    let after = newest(
        &eye.store
            .lanes(&LaneFilter::default())
            .await
            .expect("lanes"),
    );
    assert!(
        before.iter().all(|(key, at)| after[key] >= *at),
        "no success moves back"
    );
}

#[tokio::test]
async fn a_sign_in_service_that_is_gone_is_an_outage_with_one_cause() {
    let (sim, _clock) = simulate(story(BY_SECRET, "")).await;
    sim.apply(&Action::LoginDown {
        mode: DownMode::Unavailable,
    })
    .expect("applied");
    let finding = live::check(
        &checked(&section(&sim)),
        &(Arc::new(SystemClock) as Arc<dyn Clock>),
    )
    .await;
    let text = finding.sign_in.expect_err("no token");
    assert!(text.contains("sign-in failed (HTTP 503"), "{text}");
}
