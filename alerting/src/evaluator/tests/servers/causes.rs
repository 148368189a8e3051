//! What fails on a server hangs under its cause.

use super::*;

/// Password hashes of a domain that has failed every two minutes since minute 100.
async fn hashes(world: &World, at: i64) {
    let failed = (100..=at).step_by(2).map(minute).collect::<Vec<_>>();
    let newest = failed.len().saturating_sub(10);
    let domain = |name: &str, failed_at, alive| PasswordDomain {
        domain: name.into(),
        connector_id: "d3f0".into(),
        enabled: Some(true),
        alive_at: Some(minute(alive)),
        failed_at,
        failure_text: Some("RPC error 1722".into()),
        state_as_told: None,
        counted_at: None,
        state_not_stored_at: None,
    };
    let hashes = PasswordSync {
        domains: vec![
            domain("ad.orchard.example", Vec::new(), at),
            domain("branch.orchard.example", failed[newest..].to_vec(), 98),
        ],
    };
    let lane = |partition, success| {
        let mut lane = connect_lane(LaneKind::PasswordHash, partition, success);
        lane.promised = Some(Duration::from_secs(120));
        lane
    };
    commit(
        world,
        agent_read("SYNC01", at).part("SYNC01", Part::Agent, &agent("SYNC01")),
    )
    .await;
    commit(world, agent_read("SYNC01/events", at)).await;
    let read = agent_read("SYNC01/password_sync", at)
        .part("SYNC01", Part::PasswordSync, &hashes)
        .lane(lane("ad.orchard.example", at))
        .lane(lane("branch.orchard.example", 98));
    commit(world, read).await;
}

#[tokio::test]
async fn password_hashes_of_one_of_two_domains_are_one_message_with_their_window() {
    let mut world = World::new().await;
    let mut told = Vec::new();
    for at in (100..=300).step_by(2) {
        hashes(&world, at).await;
        let news = world.told(at).await;
        told.extend(news.into_iter().map(|line| format!("{at}: {line}")));
    }
    assert_eq!(
        told,
        ["108: firing PasswordHashFailing server/SYNC01/domain/branch.orchard.example"]
    );
    let missed = world.firing(Rule::WindowMissed).await.remove(0);
    assert!(missed.cause.is_some(), "its window hangs under it");
}

#[tokio::test]
async fn a_domain_out_of_reach_speaks_for_its_hashes_and_becomes_as_grave() {
    let mut world = World::new().await;
    let reach = Reachability {
        domains: vec![DomainReach {
            domain: "branch.orchard.example".into(),
            reachable: false,
            since: minute(100),
            message: None,
        }],
    };
    let mut told = Vec::new();
    for at in (100..=130).step_by(2) {
        let read = agent_read("SYNC01/reachability", at);
        commit(&world, read.part("SYNC01", Part::Reachability, &reach)).await;
        hashes(&world, at).await;
        told.extend(world.told(at).await);
    }
    let domain = "DomainUnreachable server/SYNC01/domain/branch.orchard.example";
    assert_eq!(
        told,
        [format!("firing {domain}"), format!("changed {domain}")]
    );
}

#[tokio::test]
async fn a_stopped_service_speaks_for_every_section_that_needs_it() {
    let mut world = World::new().await;
    let sections = ["scheduler", "runs", "password_sync", "database"];
    let mut told = Vec::new();
    for at in 0..=15 {
        commit(
            &world,
            agent_read("SYNC01", at).part("SYNC01", Part::Agent, &agent("SYNC01")),
        )
        .await;
        let state = if at == 0 {
            ServiceState::Running
        } else {
            ServiceState::Stopped
        };
        let services = Services {
            services: vec![service(ServiceKind::Connect, state, at.min(1))],
        };
        let read = agent_read("SYNC01/services", at);
        commit(&world, read.part("SYNC01", Part::Services, &services)).await;
        for section in sections {
            let section = format!("SYNC01/{section}");
            let read = agent_read(&section, at);
            let read = if at == 0 {
                read
            } else {
                read.failed(ReadFailure::Refused)
            };
            commit(&world, read).await;
        }
        told.extend(world.told(at).await);
    }
    assert_eq!(
        told,
        ["firing ServiceStopped server/SYNC01/service/connect"]
    );
    assert_eq!(world.firing(Rule::SourceUnreachable).await.len(), 5);
}
