//! Every way to break, and every row once.

use super::*;

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
        section.provisioning_page_size = 100;
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
