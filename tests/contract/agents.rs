//! Reports of agents: each record once, whatever comes how often.

use std::collections::BTreeSet;

use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::report::{AgentIdentity, Elapsed, Outcome, Record, Role};
use syncwatch_domain::source::Poll;
use syncwatch_store::{
    AgentRecord, Fact, PollCommit, PollOutcome, ReportCommit, SpoolProgress, Store,
};

use crate::bench::{Bench, at};

crate::on_both!(
    records_come_back_as_they_were,
    a_batch_that_was_looked_at_too_early_changes_nothing,
    another_spool_begins_anew,
    what_waits_and_what_was_lost_is_kept_with_the_spool,
    facts_are_found_by_how_their_names_begin_and_end,
    what_a_report_says_is_committed_with_it,
    old_records_are_forgotten,
);

const TENANT: &str = "hauser";
const SPOOL: &str = "spool-a";

fn agent(host: &str) -> AgentIdentity {
    AgentIdentity {
        id: "agent-1".into(),
        host: host.into(),
        version: "0.1.0".into(),
        system: "Windows Server 2022".into(),
        roles: BTreeSet::from([Role::ConnectActive]),
    }
}

fn record(seq: u64) -> Record {
    Record {
        seq,
        section: "scheduler".into(),
        collected_at: at(i64::try_from(seq).unwrap_or_default()),
        elapsed: Elapsed {
            run: "run-1".into(),
            ms: seq * 1000,
        },
        took_ms: 40,
        utc_offset_minutes: Some(120),
        outcome: Outcome::Read,
        failure: None,
        failure_text: None,
        data: vec![serde_json::json!({"SyncCycleEnabled": true, "note": "grün", "seq": seq})],
    }
}

async fn commit(store: &Store, spool: &str, from: u64, records: &[Record]) -> bool {
    let agent = agent("SYNC01");
    let report = ReportCommit {
        tenant: TENANT,
        agent: &agent,
        spool,
        acknowledged: from,
        acknowledges: records.last().map_or(from, |record| record.seq),
        lost: 2,
        waiting: 7,
        received_at: at(1000),
        clock_ahead_ms: -250,
        records: records
            .iter()
            .map(|record| AgentRecord {
                record,
                read_at: record.collected_at,
            })
            .collect(),
        polls: Vec::new(),
    };
    store
        .commit_report(&report, &LanePolicy::default())
        .await
        .expect("a commit")
}

async fn acknowledged(store: &Store, spool: &str) -> u64 {
    store
        .acknowledged(TENANT, "agent-1", spool)
        .await
        .expect("a number")
}

async fn records_come_back_as_they_were(bench: Bench) {
    let store = bench.store.clone();
    let records: Vec<Record> = (1..=230).map(record).collect();
    assert!(commit(&store, SPOOL, 0, &records).await);
    assert_eq!(acknowledged(&store, SPOOL).await, 230);
    assert_eq!(store.agent_record_count().await.expect("a count"), 230);
    let stored = store
        .agent_records(TENANT, "agent-1", "scheduler", 2)
        .await
        .expect("records");
    assert_eq!(stored.len(), 2);
    assert_eq!(stored[0].record, records[229]);
    assert_eq!(stored[1].record, records[228]);
    let agents = store.agents(Some(TENANT)).await.expect("agents");
    assert_eq!(agents.len(), 1);
    assert_eq!(agents[0].identity, agent("SYNC01"));
    assert_eq!(agents[0].clock_ahead_ms, -250);
}

async fn a_batch_that_was_looked_at_too_early_changes_nothing(bench: Bench) {
    let store = bench.store.clone();
    assert!(commit(&store, SPOOL, 0, &[record(1), record(2)]).await);
    assert!(!commit(&store, SPOOL, 0, &[record(1), record(2), record(3)]).await);
    assert_eq!(acknowledged(&store, SPOOL).await, 2);
    assert_eq!(store.agent_record_count().await.expect("a count"), 2);
    assert!(commit(&store, SPOOL, 2, &[record(3)]).await);
    assert_eq!(store.agent_record_count().await.expect("a count"), 3);
}

async fn another_spool_begins_anew(bench: Bench) {
    let store = bench.store.clone();
    assert!(commit(&store, SPOOL, 0, &[record(1), record(2)]).await);
    assert_eq!(acknowledged(&store, "spool-b").await, 0);
    assert!(commit(&store, "spool-b", 0, &[record(1)]).await);
    assert_eq!(acknowledged(&store, SPOOL).await, 2);
    assert_eq!(acknowledged(&store, "spool-b").await, 1);
    assert_eq!(store.agents(None).await.expect("agents").len(), 1);
}

async fn what_waits_and_what_was_lost_is_kept_with_the_spool(bench: Bench) {
    let store = bench.store.clone();
    assert!(commit(&store, SPOOL, 0, &[record(1), record(4)]).await);
    // Refused: it counts for nothing.
    assert!(!commit(&store, SPOOL, 0, &[record(4)]).await);
    assert!(commit(&store, SPOOL, 4, &[record(7)]).await);
    let known = store.agents(None).await.expect("agents");
    let progress = |spool: &str, acknowledged, lost| SpoolProgress {
        spool: spool.into(),
        acknowledged,
        waiting: 7,
        lost,
    };
    assert_eq!(known[0].spool, Some(progress(SPOOL, 7, 4)));
    // What the spool before it lost is lost all the same.
    assert!(commit(&store, "spool-b", 0, &[record(1)]).await);
    let known = store.agents(None).await.expect("agents");
    assert_eq!(known[0].spool, Some(progress("spool-b", 1, 6)));
}

async fn facts_are_found_by_how_their_names_begin_and_end(bench: Bench) {
    let store = bench.store.clone();
    let key = syncwatch_domain::source::SourceKey {
        tenant: TENANT.into(),
        poll: Poll::Agents,
        instance: String::new(),
    };
    let source = store.ensure_source(&key, at(0)).await.expect("a source");
    let mut poll = PollCommit::bare(source.id, at(5), at(6), PollOutcome::Read);
    let names = [
        "server/a/database",
        "server/a/runs",
        "agent/a",
        "Server/a/database",
        "server/grün/database",
    ];
    poll.facts = names
        .map(|name| Fact {
            name: name.into(),
            value: serde_json::json!(name),
        })
        .into();
    let policy = LanePolicy::default();
    store.commit_poll(&poll, &policy).await.expect("a commit");
    for (begins, ends, expected) in [
        (
            "server/",
            "/database",
            &["server/a/database", "server/grün/database"][..],
        ),
        ("agent/", "", &["agent/a"]),
        ("", "/runs", &["server/a/runs"]),
        ("", "a-longer-text-than-any-name-there-is", &[]),
        ("server/%", "", &[]),
    ] {
        let found = store.facts_named(begins, ends).await.expect("facts");
        let found: Vec<_> = found.iter().map(|fact| fact.name.as_str()).collect();
        assert_eq!(found, expected, "{begins}..{ends}");
    }
    assert_eq!(store.facts_named("", "").await.expect("facts").len(), 5);
}

async fn what_a_report_says_is_committed_with_it(bench: Bench) {
    let store = bench.store.clone();
    let key = syncwatch_domain::source::SourceKey {
        tenant: TENANT.into(),
        poll: Poll::Agents,
        instance: String::new(),
    };
    let source = store.ensure_source(&key, at(0)).await.expect("a source");
    let agent = agent("SYNC01");
    let report = |acknowledged| {
        let mut poll = PollCommit::bare(source.id, at(5), at(6), PollOutcome::Read);
        poll.facts.push(Fact {
            name: "server/agent-1/scheduler".into(),
            value: serde_json::json!({"cursor": acknowledged}),
        });
        ReportCommit {
            tenant: TENANT,
            agent: &agent,
            spool: SPOOL,
            acknowledged,
            acknowledges: 7,
            lost: 0,
            waiting: 0,
            received_at: at(10),
            clock_ahead_ms: 0,
            records: Vec::new(),
            polls: vec![poll],
        }
    };
    let policy = LanePolicy::default();
    // Refused as a whole: neither the fact nor the read is kept.
    assert!(!store.commit_report(&report(3), &policy).await.expect("ran"));
    assert!(store.facts(Some(TENANT)).await.expect("facts").is_empty());
    assert_eq!(store.last_read(&key).await.expect("a read"), Some(None));
    assert!(store.commit_report(&report(0), &policy).await.expect("ran"));
    assert_eq!(store.facts(Some(TENANT)).await.expect("facts").len(), 1);
    assert_eq!(
        store.last_read(&key).await.expect("a read"),
        Some(Some(at(5)))
    );
}

async fn old_records_are_forgotten(bench: Bench) {
    let store = bench.store.clone();
    assert!(commit(&store, SPOOL, 0, &[record(1), record(5000)]).await);
    let hour = std::time::Duration::from_secs(3600);
    let retention = syncwatch_store::Retention {
        observations: hour,
        cycles: hour,
        alerts: hour,
    };
    let pruned = store.prune(at(4000), &retention).await.expect("pruned");
    assert_eq!(pruned.observations, 1);
    assert_eq!(store.agent_record_count().await.expect("a count"), 1);
    assert_eq!(acknowledged(&store, SPOOL).await, 5000);
}
