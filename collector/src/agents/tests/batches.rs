//! Batches as a whole: clocks, failures, silence.

use super::*;

#[tokio::test]
async fn agents_are_given_time_after_a_start() {
    let desk = Desk::new().await;
    let policy = watch::Sender::new(Arc::new(LanePolicy::default())).subscribe();
    desk.report("SYNC01", 1, &[scheduler(false, true)]).await;
    // The service was down for an hour and listens again since a minute.
    desk.clock.advance(minutes(61));
    let agents: &[Enrolled] = &desk.agents.enrolled;
    let since = start() + minutes(60);
    let troubles = desk.intake.troubles();
    let times = (since, desk.clock.now());
    let next = look(agents, &desk.store, &policy, troubles, times)
        .await
        .unwrap();
    assert_eq!(next, Some(since + minutes(10)));
    let heard = desk.source(Poll::AgentReports, "SYNC01").await.unwrap();
    assert_eq!(heard.state.failing_since, None);
}

#[tokio::test]
async fn the_clock_of_a_server_is_corrected() {
    let desk = Desk::new().await;
    // The server is an hour ahead; it read half an hour before it sent, as its own count shows.
    let sent_at = start() + minutes(60);
    let record = json!({
        "seq": 1, "section": "password_sync", "collected_at": sent_at - minutes(30),
        "elapsed": {"run": "r", "ms": 10_000}, "outcome": "read",
        "data": password_state("2026-11-17T09:28:00Z").1,
    });
    let (_, data) = scheduler(false, true);
    let scheduler = json!({
        "seq": 2, "section": "scheduler", "collected_at": sent_at - minutes(30),
        "elapsed": {"run": "r", "ms": 10_000}, "outcome": "read", "data": data,
    });
    desk.take("SYNC01", sent_at, vec![record, scheduler]).await;
    let lane = desk.lane(LaneKind::PasswordHash, FOREST).await.unwrap();
    // By the count it was read this moment, so 09:28 of a clock that shows 09:30 was two minutes ago.
    assert_eq!(lane.facts.last_success_at, Some(start() - minutes(2)));
    let agent: sync_server::Agent = desk.part("SYNC01", Part::Agent).await.unwrap();
    assert_eq!(agent.clock_ahead_ms, 3_600_000);
}

#[tokio::test]
async fn a_section_that_fails_hides_no_other() {
    let desk = Desk::new().await;
    let failed = json!({
        "seq": 1, "section": "runs", "collected_at": start(), "elapsed": {"run": "r", "ms": 9000},
        "outcome": "failed", "failure": "access_denied", "failure_text": "access is denied", "data": [],
    });
    let odd = json!({
        "seq": 2, "section": "scheduler", "collected_at": start(), "elapsed": {"run": "r", "ms": 9000},
        "outcome": "read", "data": [{"SyncCycleEnabled": "perhaps"}],
    });
    let good = json!({
        "seq": 3, "section": "database", "collected_at": start(), "elapsed": {"run": "r", "ms": 9000},
        "outcome": "read", "data": [{"IsLocalDBInstalled": true, "UsedSpaceInMb": 8100.5}],
    });
    assert_eq!(
        desk.take("SYNC01", start(), vec![failed, odd, good]).await,
        3
    );
    let runs = desk
        .source(Poll::AgentSection, "SYNC01/runs")
        .await
        .unwrap();
    assert_eq!(runs.state.failure, Some(ReadFailure::Refused));
    assert_eq!(runs.state.failure_text.as_deref(), Some("access is denied"));
    let scheduler = desk
        .source(Poll::AgentSection, "SYNC01/scheduler")
        .await
        .unwrap();
    assert_eq!(scheduler.state.failure, Some(ReadFailure::BadAnswer));
    let database: sync_server::Database = desk.part("SYNC01", Part::Database).await.unwrap();
    assert!(database.local_db);
    let heard = desk.source(Poll::AgentReports, "SYNC01").await.unwrap();
    assert_eq!(heard.state.failing_since, None);
}

#[tokio::test]
async fn an_agent_is_silent_when_no_report_came_for_too_long() {
    let desk = Desk::new().await;
    let policy = watch::Sender::new(Arc::new(LanePolicy::default())).subscribe();
    let look = async || {
        let agents: &[Enrolled] = &desk.agents.enrolled;
        let troubles = desk.intake.troubles();
        let times = (start(), desk.clock.now());
        look(agents, &desk.store, &policy, troubles, times)
            .await
            .unwrap()
    };
    assert_eq!(look().await, Some(start() + minutes(10)));
    desk.clock.advance(minutes(9));
    desk.report("SYNC01", 1, &[scheduler(false, true)]).await;
    desk.clock.advance(minutes(1));
    assert_eq!(look().await, Some(start() + minutes(19)));
    let silent = desk.source(Poll::AgentReports, "SYNC02").await.unwrap();
    assert_eq!(silent.state.failure, Some(ReadFailure::Timeout));
    let heard = desk.source(Poll::AgentReports, "SYNC01").await.unwrap();
    assert_eq!(heard.state.failure, None);
    desk.report("SYNC02", 1, &[scheduler(true, true)]).await;
    let silent = desk.source(Poll::AgentReports, "SYNC02").await.unwrap();
    assert_eq!(silent.state.failing_since, None);
}

#[tokio::test]
async fn records_of_one_batch_are_understood_together_and_in_order() {
    let desk = Desk::new().await;
    let record = |seq: u64, ago: u64, suspended: bool| {
        let (_, mut data) = scheduler(false, true);
        data[0]["SchedulerSuspended"] = json!(suspended);
        json!({
            "seq": seq, "section": "scheduler", "collected_at": start() - minutes(ago),
            "elapsed": {"run": "r", "ms": 600_000 - ago * 60_000}, "outcome": "read", "data": data,
        })
    };
    let batch = json!({
        "schema": 1, "agent": {"id": "agent-SYNC01", "host": "SYNC01", "version": "0.1.0"},
        "sent_at": start(), "elapsed": {"run": "r", "ms": 600_000},
        "spool": {"id": "spool-1", "first": 4, "next": 8,
                  "gaps": [{"from": 1, "to": 3, "oldest_at": start() - minutes(20), "newest_at": start() - minutes(15)}]},
        "records": [record(4, 9, true), record(5, 8, false), record(6, 7, true), record(7, 6, true)],
    });
    desk.intake
        .take(&desk.who("SYNC01"), batch.to_string().as_bytes())
        .await
        .unwrap();
    let scheduler: sync_server::Scheduler = desk.part("SYNC01", Part::Scheduler).await.unwrap();
    assert_eq!(scheduler.suspended_since, Some(start() - minutes(7)));
    let agent: sync_server::Agent = desk.part("SYNC01", Part::Agent).await.unwrap();
    let gap = agent.newest_gap.unwrap();
    assert_eq!((gap.records, gap.to), (3, start() - minutes(15)));
    let source = desk
        .source(Poll::AgentSection, "SYNC01/scheduler")
        .await
        .unwrap();
    assert_eq!(source.state.read_at, Some(start() - minutes(6)));
}

#[tokio::test]
async fn what_was_removed_from_a_server_is_known_no_more() {
    let desk = Desk::new().await;
    desk.report("SYNC01", 1, &[scheduler(false, true)]).await;
    let known: Option<sync_server::Scheduler> = desk.part("SYNC01", Part::Scheduler).await;
    assert!(known.is_some());
    let absent = json!({
        "seq": 2, "section": "scheduler", "collected_at": start(), "elapsed": {"run": "r", "ms": 9500},
        "outcome": "absent", "data": [],
    });
    desk.take("SYNC01", start(), vec![absent]).await;
    let known: Option<Option<sync_server::Scheduler>> = desk.part("SYNC01", Part::Scheduler).await;
    assert_eq!(known, Some(None));
}

#[tokio::test]
async fn agents_are_asked_for_what_scopes_name() {
    use syncwatch_domain::scope::cloud::{self, CloudRule, CloudScope};

    let desk = Desk::new().await;
    let scope = |containers: &[&str], groups: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let rule = CloudRule {
            containers: owned(containers),
            groups: owned(groups),
            ..CloudRule::default()
        };
        let scope = CloudScope {
            rules: vec![rule],
            ..CloudScope::default()
        };
        serde_json::to_value(scope).unwrap()
    };
    let key = |tenant: &str| SourceKey {
        tenant: tenant.to_owned(),
        poll: Poll::JobSchemas,
        instance: "sp".to_owned(),
    };
    for (tenant, facts) in [
        (
            "rowan",
            vec![
                ("a", scope(&["OU=Staff,DC=x", "OU=Both,DC=x"], &[])),
                ("b", scope(&["OU=Both,DC=x"], &["CN=Pilot,DC=x"])),
                ("gone", Value::Null),
            ],
        ),
        ("other", vec![("c", scope(&["OU=Theirs,DC=y"], &[]))]),
    ] {
        let source = desk
            .store
            .ensure_source(&key(tenant), start())
            .await
            .unwrap();
        let facts = facts.into_iter().map(|(job, value)| syncwatch_store::Fact {
            name: cloud::fact_name("sp", job),
            value,
        });
        let commit = syncwatch_store::PollCommit {
            facts: facts.collect(),
            ..syncwatch_store::PollCommit::bare(
                source.id,
                start(),
                start(),
                syncwatch_store::PollOutcome::Read,
            )
        };
        let policy = LanePolicy::default();
        desk.store.commit_poll(&commit, &policy).await.unwrap();
    }
    let batch = json!({
        "schema": 1, "agent": {"id": "agent-1", "host": "SYNC01", "version": "0.1.0"},
        "sent_at": start(), "elapsed": {"run": "r", "ms": 10}, "spool": {"id": "s", "first": 1, "next": 1}, "records": [],
    });
    let body = batch.to_string();
    let answer = desk.intake.take(&desk.who("SYNC01"), body.as_bytes()).await;
    assert_eq!(
        answer.unwrap().wishes.containers,
        ["CN=Pilot,DC=x", "OU=Both,DC=x", "OU=Staff,DC=x"]
    );
}

#[tokio::test]
async fn a_record_that_was_given_up_on_the_way_is_a_fault_and_lost_events_are_a_gap() {
    let desk = Desk::new().await;
    let given_up = |seq: u64, section: &str, ago: u64| {
        json!({
            "seq": seq, "section": section, "collected_at": start() - minutes(ago),
            "elapsed": {"run": "another run", "ms": 9000}, "outcome": "failed", "failure": "too_large",
            "failure_text": "too large to bring home (9000000 bytes)", "data": [],
        })
    };
    desk.take("SYNC01", start(), vec![given_up(1, "rules", 9)])
        .await;
    let rules = desk
        .source(Poll::AgentSection, "SYNC01/rules")
        .await
        .unwrap();
    assert_eq!(rules.state.failure, Some(ReadFailure::BadAnswer));
    let text = rules.state.failure_text.unwrap();
    assert!(text.contains("too large to bring home"), "{text}");
    let agent: sync_server::Agent = desk.part("SYNC01", Part::Agent).await.unwrap();
    assert_eq!(agent.newest_gap, None, "rules come again as a whole");
    let events = vec![given_up(2, "events", 8), given_up(3, "events", 7)];
    desk.take("SYNC01", start(), events).await;
    let agent: sync_server::Agent = desk.part("SYNC01", Part::Agent).await.unwrap();
    let gap = agent.newest_gap.unwrap();
    assert_eq!(gap.records, 2);
    assert_eq!(
        (gap.from, gap.to),
        (start() - minutes(8), start() - minutes(7))
    );
}

#[tokio::test]
async fn since_when_a_server_has_a_build_of_the_cloud_agent_is_kept() {
    let desk = Desk::new().await;
    let mut seen = Vec::new();
    for (seq, version) in [
        (1, "1.1.2334.0"),
        (2, "1.1.2334.0"),
        (3, "1.1.2505.0"),
        (4, "1.1.2505.0"),
    ] {
        desk.clock.advance(minutes(60));
        let data = json!([{"Product": "provisioning_agent", "Version": version}]);
        desk.report("SYNC01", seq, &[("versions", data)]).await;
        let known: sync_server::Versions = desk.part("SYNC01", Part::Versions).await.unwrap();
        seen.push(known.provisioning_agent_since.unwrap() + Duration::from_secs(1));
    }
    let hours = [1, 1, 3, 3].map(|hours| start() + minutes(hours * 60));
    assert_eq!(seen, hours);
}

#[tokio::test]
async fn a_silent_agent_whose_reports_were_refused_is_told_why() {
    let desk = Desk::new().await;
    let policy = watch::Sender::new(Arc::new(LanePolicy::default())).subscribe();
    let look = async || {
        let agents: &[Enrolled] = &desk.agents.enrolled;
        let times = (start(), desk.clock.now());
        look(agents, &desk.store, &policy, desk.intake.troubles(), times)
            .await
            .unwrap();
        let source = desk.source(Poll::AgentReports, "SYNC01").await.unwrap();
        (source.state.failure, source.state.failure_text)
    };
    let who = desk.who("SYNC01");
    desk.intake.take(&who, b"<html>").await.unwrap_err();
    assert_eq!(look().await, (None, None), "it may still report in time");
    desk.clock.advance(minutes(10));
    let (failure, text) = look().await;
    assert_eq!(failure, Some(ReadFailure::BadAnswer));
    let text = text.unwrap();
    assert!(text.contains("no report ever came from SYNC01"), "{text}");
    assert!(text.contains("not a report of an agent"), "{text}");
    desk.report("SYNC01", 1, &[scheduler(false, true)]).await;
    assert_eq!(look().await, (None, None));
    desk.clock.advance(minutes(10));
    let (failure, _) = look().await;
    assert_eq!(failure, Some(ReadFailure::Timeout), "that is over");
}
