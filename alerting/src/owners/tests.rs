#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use syncwatch_domain::job::{Job, JobStatus, Quarantine, ScheduleState};
use syncwatch_domain::object::{Life, ObjectChange, Told, ToldFacts};
use syncwatch_domain::owner::{ObjectType, Owner};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::report::{AgentIdentity, Elapsed, Outcome, Record};
use syncwatch_domain::scope::cloud::{self, CloudRule, CloudScope, ObjectMapping};
use syncwatch_domain::source::{Poll, SourceKey};
use syncwatch_domain::sync_server::{self, Part};
use syncwatch_store::{
    AgentRecord, Fact, ListedPage, ObjectList, ObjectPage, PollCommit, PollOutcome, ReportCommit,
    SourceId, StoreOptions,
};

use super::*;

const TENANT: &str = "orchard";
const AGENT: &str = "agent-1";
const FOREST: &str = "11111111-0000-4000-8000-000000000001";
const CLOUD: &str = "b891884f-051e-4a83-95af-2544101c9083";
const PILOT: &str = "OU=Pilot,DC=orchard,DC=example";
const STAFF: &str = "OU=Staff,DC=orchard,DC=example";
const JOB: &str = "AD2AADProvisioning.0a.0b";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + seconds * 1_000)
}

struct Bench {
    store: Store,
    source: SourceId,
    keeper: OwnerKeeper,
    _folder: tempfile::TempDir,
}

fn job(runs: bool) -> Job {
    Job {
        tenant: TENANT.into(),
        service_principal_id: "sp".into(),
        job_id: JOB.into(),
        template: "AD2AADProvisioning".into(),
        domain: "orchard.example".into(),
        status: JobStatus::Active,
        schedule: ScheduleState::Active,
        interval: None,
        quarantine: (!runs).then(|| Quarantine {
            reason: "TooManyDeletes".into(),
            began_at: None,
            next_attempt_at: None,
            series_began_at: None,
        }),
        error: None,
        successive_failures: 0,
        steady_first_at: None,
        steady_last_at: None,
        read_at: at(0),
    }
}

/// A fact about the scope of the job: these containers, users alone.
fn scope(containers: &[&str]) -> Fact {
    let mapping = ObjectMapping {
        source: "user".into(),
        target: "User".into(),
        enabled: true,
        adds: true,
        updates: true,
        deletes: true,
        password_hashes: false,
        filters: Vec::new(),
        input_filters: Vec::new(),
        has_category_filters: false,
    };
    let rule = CloudRule {
        name: String::new(),
        containers: containers.iter().map(|name| (*name).to_owned()).collect(),
        groups: Vec::new(),
        mappings: vec![mapping],
    };
    let scope = CloudScope {
        rules: vec![rule],
        ..CloudScope::default()
    };
    Fact {
        name: cloud::fact_name("sp", JOB),
        value: serde_json::to_value(scope).unwrap(),
    }
}

fn user(id: &str, container: &str) -> ObjectChange {
    ObjectChange {
        id: id.to_owned(),
        kind: ObjectType::User,
        life: Life::Present,
        facts: ToldFacts {
            dn: Told::Value(Some(format!("CN={id},{container}"))),
            synced: Told::Value(Some(true)),
            ..ToldFacts::default()
        },
    }
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("t.db").display());
        let options = StoreOptions::new(url, "t");
        let store = Store::open_and_migrate(&options).await.unwrap();
        let key = SourceKey {
            tenant: TENANT.into(),
            poll: Poll::Jobs,
            instance: "sp".into(),
        };
        let source = store.ensure_source(&key, at(0)).await.unwrap().id;
        Self {
            keeper: OwnerKeeper::new(store.clone(), [TENANT.to_owned()]),
            store,
            source,
            _folder: folder,
        }
    }

    async fn commit(&self, change: impl FnOnce(&mut PollCommit<'_>)) {
        let mut commit = PollCommit::bare(self.source, at(1), at(2), PollOutcome::Read);
        change(&mut commit);
        let policy = LanePolicy::default();
        self.store.commit_poll(&commit, &policy).await.unwrap();
    }

    async fn users(&self, users: Vec<ObjectChange>) {
        self.commit(|commit| {
            commit.objects = Some(ObjectPage {
                kind: ObjectType::User,
                round: 1,
                ends_round: false,
                asked: Vec::new(),
                changes: users,
            });
        })
        .await;
    }

    /// The agent on the Connect server says these sections.
    async fn report(&self, number: u64, sections: &[(&str, Value)]) {
        let records: Vec<Record> = sections
            .iter()
            .zip(number..)
            .map(|((section, data), seq)| Record {
                seq,
                section: (*section).to_owned(),
                collected_at: at(0),
                elapsed: Elapsed {
                    run: "r".into(),
                    ms: 1,
                },
                took_ms: 1,
                utc_offset_minutes: Some(0),
                outcome: Outcome::Read,
                failure: None,
                failure_text: None,
                data: data.as_array().cloned().unwrap_or_default(),
            })
            .collect();
        let agent = AgentIdentity {
            id: AGENT.into(),
            host: "SYNC01".into(),
            version: "0.1.0".into(),
            system: String::new(),
            roles: BTreeSet::new(),
        };
        let report = ReportCommit {
            tenant: TENANT,
            agent: &agent,
            spool: "s",
            acknowledged: number - 1,
            acknowledges: records.last().unwrap().seq,
            lost: 0,
            waiting: 0,
            received_at: at(3),
            clock_ahead_ms: 0,
            records: records
                .iter()
                .map(|record| AgentRecord {
                    record,
                    read_at: at(i64::try_from(record.seq).unwrap()),
                })
                .collect(),
            polls: Vec::new(),
        };
        let policy = LanePolicy::default();
        assert!(self.store.commit_report(&report, &policy).await.unwrap());
    }

    async fn round(&mut self, seconds: i64) -> OwnerReport {
        self.keeper.run_once(at(seconds)).await.unwrap()
    }

    async fn counts(&self) -> Vec<(Owner, i64)> {
        let counts = self.store.owner_counts(Some(TENANT)).await.unwrap();
        let counts = counts.into_iter();
        counts.map(|count| (count.owner, count.objects)).collect()
    }
}

fn scheduler(staging: bool) -> Fact {
    let value = json!({
        "effective_interval_ms": 1_800_000, "allowed_interval_ms": 1_800_000, "next_policy": "delta",
        "next_start_at": null, "sync_cycle_enabled": true, "maintenance_enabled": true, "staging_mode": staging,
        "suspended": false, "in_progress": false,
    });
    Fact {
        name: sync_server::fact_name(AGENT, Part::Scheduler),
        value,
    }
}

fn connectors() -> Value {
    json!([{
        "Identifier": FOREST, "Name": "orchard.example", "Type": "AD", "Subtype": "", "Version": 1,
        "ObjectInclusionList": ["user", "group"],
        "Partitions": [{
            "Identifier": "11111111-0000-4000-8000-000000000002", "DN": "DC=orchard,DC=example", "Name": "orchard.example",
            "Selected": true, "IsDomain": true,
            "ConnectorPartitionScope": {
                "IsDefault": false, "ObjectClasses": [], "ContainerInclusionList": ["DC=orchard,DC=example"],
                "ContainerExclusionList": ["OU=Out,DC=orchard,DC=example"]
            }
        }]
    }])
}

/// The pair of rules that silences the pilot.
fn rules(outbound: bool) -> Value {
    let rule = |direction: &str, source: &str, target: &str, connector: &str, link: &str| {
        json!({
            "Identifier": format!("3f9d0b61-7d0e-4a0b-9d27-5a50a1f0{}", if direction == "Inbound" { "0001" } else { "0002" }),
            "Name": direction, "Connector": connector, "Direction": direction, "Disabled": false,
            "SourceObjectType": source, "TargetObjectType": target, "Precedence": 50, "LinkType": link,
            "JoinFilter": [], "ScopeFilter": [], "AttributeFlowMappings": [], "IsStandardRule": false, "ImmutableTag": null,
        })
    };
    let condition = |attribute: &str, operator: &str, value: &str| json!([{"ScopeConditionList": [{"Attribute": attribute, "ComparisonOperator": operator, "ComparisonValue": value}]}]);
    let mut inbound = rule("Inbound", "user", "person", FOREST, "Join");
    inbound["ScopeFilter"] = condition("dn", "ENDSWITH", PILOT);
    inbound["AttributeFlowMappings"] =
        json!([{"Source": ["True"], "Destination": "cloudNoFlow", "FlowType": "Constant"}]);
    let mut silence = rule("Outbound", "person", "user", CLOUD, "JoinNoFlow");
    silence["ScopeFilter"] = condition("cloudNoFlow", "EQUAL", "True");
    silence["Disabled"] = json!(!outbound);
    json!([inbound, silence])
}

#[tokio::test]
async fn without_connect_the_scope_of_cloud_sync_decides_alone() {
    let mut bench = Bench::new().await;
    bench
        .commit(|commit| {
            commit.jobs = vec![job(true)];
            commit.facts = vec![scope(&[PILOT])];
        })
        .await;
    bench
        .users(vec![user("a", PILOT), user("b", PILOT), user("c", STAFF)])
        .await;
    let first = bench.round(10).await;
    assert_eq!((first.judged, first.changed), (3, 3));
    assert_eq!(bench.counts().await, [(Owner::Cloud, 2), (Owner::None, 1)]);
    assert_eq!(
        bench.round(11).await,
        OwnerReport::default(),
        "nothing changed"
    );

    bench.users(vec![user("a", STAFF)]).await;
    assert_eq!(bench.round(12).await.judged, 1);
    assert_eq!(bench.counts().await, [(Owner::Cloud, 1), (Owner::None, 2)]);
    bench
        .commit(|commit| commit.facts = vec![scope(&[PILOT, STAFF])])
        .await;
    let third = bench.round(13).await;
    assert_eq!((third.judged, third.changed), (3, 2));
    assert_eq!(bench.counts().await, [(Owner::Cloud, 3)]);

    bench.commit(|commit| commit.jobs = vec![job(false)]).await;
    bench.round(14).await;
    assert_eq!(
        bench.counts().await,
        [(Owner::None, 3)],
        "a quarantined job owns nothing"
    );
    let changes = bench.store.owner_changes(TENANT, 100).await.unwrap();
    let causes: BTreeSet<&str> = changes.iter().map(|change| change.cause.as_str()).collect();
    assert_eq!(
        causes,
        BTreeSet::from([
            "the object changed",
            "the scope of Cloud Sync changed, or whether its jobs run"
        ])
    );
    assert_eq!(changes.len(), 6);

    let mut after_a_restart = OwnerKeeper::new(bench.store.clone(), [TENANT.to_owned()]);
    let report = after_a_restart.run_once(at(20)).await.unwrap();
    assert_eq!((report.judged, report.changed), (3, 0));
}

#[tokio::test]
async fn both_engines_are_put_together_from_graph_and_the_agent() {
    let mut bench = Bench::new().await;
    bench
        .commit(|commit| {
            commit.jobs = vec![job(true)];
            commit.facts = vec![scope(&[PILOT]), scheduler(false)];
        })
        .await;
    bench
        .users(vec![
            user("a", PILOT),
            user("b", STAFF),
            user("c", "OU=Out,DC=orchard,DC=example"),
        ])
        .await;
    bench.round(10).await;
    assert_eq!(
        bench.counts().await,
        [(Owner::Unknown, 3)],
        "nobody tells what Connect is told"
    );

    bench
        .report(1, &[("connectors", connectors()), ("rules", rules(true))])
        .await;
    bench.round(11).await;
    let guarded = [
        (Owner::BothBlocked, 1),
        (Owner::Connect, 1),
        (Owner::None, 1),
    ];
    assert_eq!(bench.counts().await, guarded);

    bench.report(3, &[("rules", rules(false))]).await;
    bench.round(12).await;
    let open = [(Owner::BothOpen, 1), (Owner::Connect, 1), (Owner::None, 1)];
    assert_eq!(bench.counts().await, open);
    let changes = bench.store.owner_changes(TENANT, 1).await.unwrap();
    assert_eq!(changes[0].cause, "the rules of Connect Sync changed");
    assert_eq!(
        (changes[0].from, changes[0].to),
        (Some(Owner::BothBlocked), Some(Owner::BothOpen))
    );

    bench
        .commit(|commit| commit.facts = vec![scheduler(true)])
        .await;
    bench.round(13).await;
    let asleep = [(Owner::Cloud, 1), (Owner::Connect, 1), (Owner::None, 1)];
    assert_eq!(bench.counts().await, asleep);
}

#[tokio::test]
async fn members_of_a_group_count_once_they_are_known() {
    let mut bench = Bench::new().await;
    let mut scope = scope(&[]);
    scope.value["rules"][0]["groups"] = json!(["CN=Pilot Group,DC=orchard,DC=example"]);
    bench
        .commit(|commit| {
            commit.jobs = vec![job(true)];
            commit.facts = vec![scope];
        })
        .await;
    bench.users(vec![user("a", STAFF), user("b", STAFF)]).await;
    bench.round(10).await;
    assert_eq!(bench.counts().await, [(Owner::Unknown, 2)]);
    let list = |reading, ids: &[&str]| ListedPage {
        list: ObjectList::Members("cn=pilot group,dc=orchard,dc=example".to_owned()),
        reading,
        ends: true,
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    bench
        .commit(|commit| commit.listed = Some(list(1, &["a"])))
        .await;
    assert_eq!(bench.round(11).await.judged, 2);
    assert_eq!(bench.counts().await, [(Owner::Cloud, 1), (Owner::None, 1)]);
    bench
        .commit(|commit| commit.listed = Some(list(2, &["a", "b"])))
        .await;
    assert_eq!(bench.round(12).await.judged, 1);
    assert_eq!(bench.counts().await, [(Owner::Cloud, 2)]);
    bench.store.forget_group_members(TENANT, &[]).await.unwrap();
    bench.round(13).await;
    assert_eq!(bench.counts().await, [(Owner::Unknown, 2)]);
    let changes = bench.store.owner_changes(TENANT, 2).await.unwrap();
    let known = "members of a group became known, or cannot be told any more";
    assert!(changes.iter().all(|change| change.cause == known));
}
