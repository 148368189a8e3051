//! The other way home: the service asks agents at their door, over TLS with a private authority.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use syncwatch_domain::clock::{Clock, ScriptedClock, SystemClock};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::report::Section;
use syncwatch_domain::scope::cloud::{self, CloudRule, CloudScope};
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey, SourceState};
use syncwatch_domain::sync_server::{Container, Containers, Part, of_fact_name};
use syncwatch_simulator::Span;
use syncwatch_simulator::sync_server::{Entry, SyncServer, Trouble};
use syncwatch_store::{Fact, LaneFilter, PollCommit, PollOutcome};
use syncwatch_tests::peers::Port;
use syncwatch_tests::tls::Authority;
use syncwatch_tests::wait::until;

use crate::drain::{copy, fill, no_sections, start};
use crate::post::Post;
use crate::site::{Site, TENANT};

const PATIENCE: Duration = Duration::from_secs(60);
const HOST: &str = "SYNC01";
const STAFF: &str = "OU=Staff,DC=ad,DC=hauser,DC=example";
const STAFF_ID: &str = "0b6f3c52-74ce-4d0c-9a53-0a4b5f3c1d01";
/// Where the container is after it was renamed.
const PEOPLE: &str = "OU=People,DC=ad,DC=hauser,DC=example";

/// An agent that listens, and the files that both sides know.
struct Door {
    post: Post,
    authority: Authority,
    port: Port,
    folder: tempfile::TempDir,
}

impl Door {
    /// Certificates are made, nothing is started; `more` stands behind the agent's `[listen]`.
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new().expect("an authority");
        let port = Port::claim().expect("a port");
        let listen = format!(
            "[listen]\naddr = \"{}\"\ncert_file = \"agent.pem\"\nkey_file = \"agent.key\"\ntoken_file = \"token\"\n{more}",
            port.addr()
        );
        let post = Post::with(&folder.path().join("agent"), HOST, &listen);
        let issued = authority.issue(&["127.0.0.1"]).expect("a certificate");
        let door = Self {
            post,
            authority,
            port,
            folder,
        };
        door.write("agent/agent.pem", &issued.cert_pem);
        door.write("agent/agent.key", &issued.key_pem);
        door.write("ca.pem", door.authority.ca_pem());
        door
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    /// How the service is told to ask: `[[tenant.agent]]`.
    fn section(&self, token: &Path) -> String {
        format!(
            "[[tenant.agent]]\nhost = \"{HOST}\"\nurl = \"https://{}\"\nevery = \"1s\"\nsilent_after = \"2s\"\n\
             ca_file = \"{}\"\ntoken_file = \"{}\"\n",
            self.port.addr(),
            self.path("ca.pem").display(),
            token.display()
        )
    }

    /// The agent's own file with the token.
    fn token(&self) -> PathBuf {
        self.path("agent/token")
    }
}

/// Waits until the service has so many records.
async fn reach(site: &Site, door: &Door, records: u64) {
    let reached = until("records to come home", PATIENCE, async || {
        let stored = site.stored().await;
        if stored >= records {
            return Ok(());
        }
        let heard = site.heard(HOST).await;
        Err(format!(
            "{stored} of {records}; {heard:?}; the agent: {}",
            door.post.log()
        ))
    });
    reached.await.expect("the records");
}

/// Watches closely until the service has so many records, to cut it off in their midst; gives how
/// many there are.
async fn pass(site: &Site, records: u64) -> u64 {
    let passed = async {
        loop {
            let stored = site.stored().await;
            if stored >= records {
                return stored;
            }
            tokio::task::yield_now().await;
        }
    };
    let passed = tokio::time::timeout(PATIENCE, passed).await;
    passed.expect("records come in time")
}

/// Files with records that wait in the agent's spool.
fn segments(door: &Door) -> usize {
    let entries = std::fs::read_dir(door.post.spool()).expect("the spool");
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "records"))
        .count()
}

#[tokio::test]
async fn a_backlog_is_fetched_once_although_service_and_agent_are_cut_off_in_it() {
    let mut door = Door::new(&no_sections());
    let filled = door.path("filled");
    let written = fill(&filled);
    copy(&filled, &door.post.spool());
    door.post.start();
    let clock = Arc::new(ScriptedClock::new(start() + Duration::from_secs(24 * 3600)));
    let site = Site::with(clock, &door.section(&door.token())).await;

    assert!(pass(&site, 1000).await < written, "it was over too soon");
    let site = site.restart().await;
    let passed = pass(&site, written / 2).await;
    assert!(passed < written, "it was over too soon");
    door.post.kill();
    door.post.start();
    reach(&site, &door, written).await;

    // The last batch is acknowledged with the question after it; then nothing is left to send.
    let forgotten = until("the spool to be empty", PATIENCE, async || {
        let waiting = segments(&door);
        if waiting == 0 {
            return Ok(());
        }
        Err(format!("{waiting} files wait"))
    });
    forgotten.await.expect("an empty spool");
    assert_eq!(site.stored().await, written);
    door.post.kill();
    site.running.stop();
}

/// Waits until the agent is at fault in words that hold `said`.
pub(crate) async fn at_fault(site: &Site, failure: ReadFailure, said: &str) -> SourceState {
    let found = until("a fault that is seen", PATIENCE, async || {
        let heard = site.heard(HOST).await;
        let is_it = heard.as_ref().is_some_and(|state| {
            let text = state.failure_text.as_deref().unwrap_or_default();
            state.failure == Some(failure) && text.contains(said)
        });
        match heard {
            Some(state) if is_it => Ok(state),
            other => Err(format!("{other:?}")),
        }
    });
    found.await.expect("a fault")
}

#[tokio::test]
async fn a_door_that_stays_shut_is_a_fault_that_says_why_until_it_is_mended() {
    let mut door = Door::new(&no_sections());
    fill_little(&door);
    door.post.start();
    let stranger = Authority::new().expect("an authority");
    door.write("ca.pem", stranger.ca_pem());
    let token = door.path("asks.token");
    std::fs::write(&token, "a token of somebody else").expect("written");
    let site = Site::with(Arc::new(SystemClock), &door.section(&token)).await;

    let strange = at_fault(&site, ReadFailure::Network, "certificate").await;
    assert!(strange.failing_since.is_some());
    door.write("ca.pem", door.authority.ca_pem());
    let refused = at_fault(&site, ReadFailure::Refused, "401").await;
    let text = refused.failure_text.unwrap_or_default();
    assert!(text.contains("token_file"), "{text}");
    assert!(!text.contains("somebody else"), "{text}");
    assert_eq!(site.stored().await, 0);

    let right = std::fs::read(door.token()).expect("a token");
    std::fs::write(&token, right).expect("written");
    reach(&site, &door, LITTLE).await;
    let heard = site.heard(HOST).await.expect("a source");
    assert_eq!((heard.failing_since, heard.failure), (None, None));
    assert_eq!(site.stored().await, LITTLE);

    door.post.kill();
    at_fault(&site, ReadFailure::Network, "no connection").await;
    site.running.stop();
}

/// Records of a spool that is filled in no time.
const LITTLE: u64 = 3;

fn fill_little(door: &Door) {
    use syncwatch_agent::spool::Spool;
    let mut spool = Spool::open(&door.post.spool(), 1 << 30, start()).expect("a spool");
    for minute in 0..LITTLE {
        let mut record = crate::drain::record(Section::Scheduler, minute);
        spool.append(&mut record, None).expect("written");
    }
}

/// A server with a container that Cloud Sync looks after.
fn server() -> SyncServer {
    let begin_ms = SystemClock.now().as_millis();
    let domains = ["ad.hauser.example"];
    let mut server = SyncServer::connect(HOST, begin_ms, TENANT, &domains);
    server.history = Span::mins(60);
    server.directory = vec![Entry {
        dn: STAFF.to_owned(),
        id: STAFF_ID.to_owned(),
    }];
    server
}

/// A configuration of Cloud Sync names the container.
async fn wish(site: &Site) {
    let key = SourceKey {
        tenant: TENANT.to_owned(),
        poll: Poll::JobSchemas,
        instance: "a-configuration".to_owned(),
    };
    let now = SystemClock.now();
    let source = site.store.ensure_source(&key, now).await.expect("a source");
    let scope = CloudScope {
        rules: vec![CloudRule {
            containers: vec![STAFF.to_owned()],
            ..CloudRule::default()
        }],
        ..CloudScope::default()
    };
    let mut poll = PollCommit::bare(source.id, now, now, PollOutcome::Read);
    poll.facts = vec![Fact {
        name: cloud::fact_name("a-configuration", "AD2AADProvisioning.1"),
        value: serde_json::to_value(scope).expect("JSON"),
    }];
    let policy = LanePolicy::default();
    site.store.commit_poll(&poll, &policy).await.expect("kept");
}

/// The container as the agent saw it last.
async fn seen(site: &Site) -> Option<Container> {
    let facts = site.store.facts(Some(TENANT)).await.expect("facts");
    let mut facts = facts.into_iter();
    let fact = facts
        .find(|fact| of_fact_name(&fact.name).is_some_and(|(_, part)| part == Part::Containers))?;
    let seen: Containers = serde_json::from_value(fact.value).ok()?;
    seen.containers.into_iter().find(|one| one.dn == STAFF)
}

async fn sees(site: &Site, door: &Door, is_it: impl Fn(&Container) -> bool) -> Container {
    let found = until("a look at the container", PATIENCE, async || {
        match seen(site).await {
            Some(container) if is_it(&container) => Ok(container),
            other => Err(format!("{other:?}; the agent: {}", door.post.log())),
        }
    });
    found.await.expect("the container")
}

#[tokio::test]
async fn an_agent_that_is_asked_hears_wishes_and_knows_a_container_after_a_restart() {
    let sections: String = Section::ALL
        .iter()
        .map(|section| format!("[sections.{section}]\ninterval = \"5s\"\n"))
        .collect();
    let mut door = Door::new(&sections);
    door.post = door.post.on(&server());
    door.post.start();
    let site = Site::with(Arc::new(SystemClock), &door.section(&door.token())).await;
    wish(&site).await;
    let there = sees(&site, &door, |container| container.exists).await;
    assert_eq!(there.object_guid.as_deref(), Some(STAFF_ID));
    let lanes = site.store.lanes(&LaneFilter::default()).await;
    assert!(!lanes.expect("lanes").is_empty());

    // It is renamed while the agent is not there: only by its id it is found again.
    door.post.kill();
    let renamed = server().with(
        Span::secs(0),
        Trouble::ContainerRenamed {
            dn: STAFF.to_owned(),
            to: PEOPLE.to_owned(),
        },
    );
    door.post = door.post.on(&renamed);
    door.post.start();
    let moved = sees(&site, &door, |container| !container.exists).await;
    assert_eq!(moved.object_guid.as_deref(), Some(STAFF_ID));
    assert_eq!(moved.moved_to.as_deref(), Some(PEOPLE));
    door.post.kill();
    site.running.stop();
}
