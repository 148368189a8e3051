use syncwatch_store::AlertFilter;

use super::*;

#[tokio::test]
async fn one_call_discovers_configurations_and_makes_their_lanes() {
    let mut world = world(|_| ()).await;
    let caught_up = world.collector.caught_up();
    assert!(!*caught_up.borrow());
    let did = world.run_to(0).await;
    assert_eq!(ends(&did, Poll::ServicePrincipals), [RunEnd::Read]);
    assert_eq!(ends(&did, Poll::Jobs), [RunEnd::Read]);
    assert_eq!(
        ends(&did, Poll::Agents),
        [RunEnd::Failed(ReadFailure::RightMissing)]
    );
    assert!(*caught_up.borrow());
    for kind in [LaneKind::Objects, LaneKind::PasswordHash] {
        let lane = world.lane(Engine::Cloud, kind).await.unwrap();
        assert_eq!(lane.key.partition, "ad.rowan.example");
        assert_eq!(lane.facts.last_success_at, Some(START));
        assert_eq!(lane.facts.deadline_at, Some(START + 10 * MINUTE));
        assert_eq!(lane.intervals.promised, Some(4 * MINUTE));
    }
    assert!(
        world
            .store
            .alerts(&AlertFilter::default())
            .await
            .unwrap()
            .is_empty(),
        "the collector judges nothing"
    );
}

#[tokio::test]
async fn a_source_is_read_at_the_very_instant_a_lane_closes_its_window() {
    let mut world = world(|config| {
        config.polls.get_mut(&Poll::Jobs).unwrap().schedule = "1h".parse().unwrap();
    })
    .await;
    world.run_to(0).await;
    world.graph.take_asked();
    world.run_to(20).await;
    assert_eq!(
        world.graph.count(JOBS),
        2,
        "once when late, once at the deadline, and not before the hour"
    );
    let lane = world.lane(Engine::Cloud, LaneKind::Objects).await.unwrap();
    assert_eq!(lane.facts.read_at, lane.facts.deadline_at);
}

#[tokio::test]
async fn a_success_moves_the_next_confirm_read() {
    let mut world = world(|config| {
        config.polls.get_mut(&Poll::Jobs).unwrap().schedule = "1h".parse().unwrap();
    })
    .await;
    world.run_to(0).await;
    world.succeed(OBJECTS, START + 5 * MINUTE);
    world.succeed(HASHES, START + 5 * MINUTE);
    world.run_to(6).await;
    let lane = world
        .lane(Engine::Cloud, LaneKind::PasswordHash)
        .await
        .unwrap();
    assert_eq!(lane.facts.deadline_at, Some(START + 15 * MINUTE));
    world.graph.take_asked();
    world.run_to(10).await;
    assert_eq!(
        world.graph.count(JOBS),
        0,
        "the old deadline is none any more"
    );
    world.run_to(11).await;
    assert_eq!(world.graph.count(JOBS), 1);
}

#[tokio::test]
async fn one_due_lane_among_many_is_asked_for_alone() {
    let mut world = world(|config| {
        config.polls.get_mut(&Poll::Jobs).unwrap().schedule = "1h".parse().unwrap();
    })
    .await;
    let ids: Vec<String> = (1..=6)
        .map(|n| format!("AD2AADProvisioning.0123456789abcdef0123456789abcdef.{n:08}"))
        .collect();
    let listed = ids.clone();
    world.graph.on(JOBS, move |_| {
        let jobs: Vec<_> = (0_u32..)
            .zip(&listed)
            .map(|(n, id)| job(id, START - n * Duration::from_secs(1)))
            .collect();
        page(&jobs)
    });
    let single = format!("{JOBS}/{}", ids[5]);
    let id = ids[5].clone();
    world.graph.on(&single, move |_| {
        raw(200, &job(&id, START + 5 * MINUTE).to_string())
    });
    world.run_to(0).await;
    world.graph.take_asked();
    let due = START + 6 * MINUTE - Duration::from_secs(5);
    world.clock.set(due);
    let report = world.collector.run_once(due).await.unwrap();
    assert_eq!(ends(&report.did, Poll::Jobs), [RunEnd::Confirmed]);
    assert_eq!(
        (world.graph.count(&single), world.graph.count(JOBS)),
        (1, 0)
    );
    let lanes = world.store.lanes(&LaneFilter::default()).await.unwrap();
    let newest = lanes
        .iter()
        .filter_map(|lane| lane.facts.last_success_at)
        .max();
    assert_eq!(newest, Some(START + 5 * MINUTE));
    assert_eq!(
        world.source(Poll::Jobs).await.read_at,
        Some(START),
        "the others were not read"
    );
    assert_eq!(
        report.next_due,
        Some(due + Duration::from_secs(1)),
        "the next lane"
    );
}

#[tokio::test]
async fn a_job_that_is_gone_pauses_its_lane_and_a_paused_job_too() {
    let mut world = world(|_| ()).await;
    world.run_to(0).await;
    world.successes.lock().unwrap().remove(HASHES);
    world.run_to(1).await;
    let lane = world
        .lane(Engine::Cloud, LaneKind::PasswordHash)
        .await
        .unwrap();
    assert_eq!(lane.idle_reason.as_deref(), Some("its job is gone"));
    world.graph.on(JOBS, |_| {
        let mut paused = job(OBJECTS, START);
        paused["schedule"]["state"] = json!("Paused");
        page(&[paused])
    });
    world.run_to(2).await;
    let lane = world.lane(Engine::Cloud, LaneKind::Objects).await.unwrap();
    assert_eq!(
        (lane.idle_reason.as_deref(), lane.facts.deadline_at),
        (Some("the job is paused"), None)
    );
}

#[tokio::test]
async fn a_configuration_that_is_gone_retires_its_source() {
    let mut world = world(|_| ()).await;
    world.run_to(0).await;
    world.graph.on("/v1.0/servicePrincipals", |_| page(&[]));
    world.run_to(15).await;
    let sources = world.store.sources(None).await.unwrap();
    assert!(
        !sources
            .iter()
            .any(|source| source.state.key.poll == Poll::Jobs)
    );
    world.graph.take_asked();
    world.run_to(20).await;
    assert_eq!(world.graph.count(JOBS), 0);
}

#[tokio::test]
async fn polls_that_were_switched_off_are_not_left_behind_as_unread() {
    let mut world = world(|_| ()).await;
    world.run_to(0).await;
    world.config.polls.get_mut(&Poll::Agents).unwrap().enabled = false;
    world.restart();
    world.run_to(1).await;
    let sources = world.store.sources(None).await.unwrap();
    assert!(
        !sources
            .iter()
            .any(|source| source.state.key.poll == Poll::Agents)
    );
}

#[tokio::test]
async fn a_missing_right_switches_off_one_poll_and_names_itself() {
    let mut world = world(|_| ()).await;
    world.graph.on(AUDITS, |_| {
        refusal(403, "Authentication_MSGraphPermissionMissing", "x")
    });
    world.run_to(30).await;
    let source = world.source(Poll::DirectoryAudits).await;
    assert_eq!(source.failure, Some(ReadFailure::RightMissing));
    let text = source.failure_text.unwrap();
    assert!(
        text.contains("AuditLog.Read.All") && text.contains("which engine wrote what"),
        "{text}"
    );
    assert_eq!(world.graph.count(AUDITS), 1, "it is not asked again soon");
    assert_eq!(world.source(Poll::Jobs).await.failure, None);
    assert_eq!(world.source(Poll::ProvisioningLogs).await.failure, None);
    world.graph.on(AUDITS, |_| page(&[]));
    world.run_to(61).await;
    assert_eq!(
        world.source(Poll::DirectoryAudits).await.failure,
        None,
        "but hourly, with a new token"
    );
}

#[tokio::test]
async fn connect_is_judged_by_the_tenant_stamps_only_while_cloud_sync_rests() {
    let mut world = world(|_| ()).await;
    let stamp = START + MINUTE;
    world.graph.on("/v1.0/organization", move |_| {
        page(&[json!({"id": "t", "onPremisesSyncEnabled": true, "onPremisesLastSyncDateTime": stamp.to_string()})])
    });
    world.run_to(1).await;
    assert!(
        world
            .lane(Engine::Connect, LaneKind::Objects)
            .await
            .is_none(),
        "nothing shows a Connect server"
    );

    let wrote = START + Duration::from_secs(90);
    world.graph.on(AUDITS, move |_| {
        page(&[json!({"id": "Directory_1", "activityDateTime": wrote.to_string(), "activityDisplayName": "Update user",
            "category": "UserManagement", "operationType": "Update", "result": "success",
            "initiatedBy": {"user": {"userPrincipalName": "Sync_RWN1_0011223344ff@rowan.example"}},
            "targetResources": [{"id": "o-1"}]})])
    });
    world.run_to(5).await;
    let lane = world
        .lane(Engine::Connect, LaneKind::Objects)
        .await
        .unwrap();
    assert!(
        lane.idle_reason
            .as_deref()
            .unwrap()
            .contains("masked by Cloud Sync"),
        "{:?}",
        lane.idle_reason
    );
    assert_eq!(
        (lane.facts.last_success_at, lane.facts.deadline_at),
        (Some(wrote), None)
    );

    world.graph.on(JOBS, |_| page(&[]));
    world.run_to(7).await;
    let lane = world
        .lane(Engine::Connect, LaneKind::Objects)
        .await
        .unwrap();
    assert_eq!(lane.idle_reason, None);
    assert!(lane.facts.deadline_at.is_some());
}
