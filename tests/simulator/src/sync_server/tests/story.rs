//! What troubles look like from the inside.

use super::*;

fn next_start(server: &SyncServer, now: i64) -> i64 {
    let row = row(server, now, "scheduler");
    parse_ms(row["NextSyncCycleStartTimeInUTC"].as_str().unwrap()).unwrap()
}

fn messages(server: &SyncServer, now: i64, id: i64) -> Vec<String> {
    let rows = rows(server, now, "events");
    let found = rows
        .iter()
        .filter(|row| row["Id"] == id && row["Kind"].is_null());
    found
        .map(|row| row["Message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_healthy_server_runs_a_cycle_every_half_hour() {
    let server = server();
    let cycle = &server.connect.as_ref().unwrap().interval;
    for minute in [0, 7, 29, 31, 400] {
        let row = row(&server, after(minute), "scheduler");
        let wait = next_start(&server, after(minute)) - after(minute);
        assert!((0..=cycle.as_ms()).contains(&wait), "{minute}: {wait}");
        assert_eq!(row["SyncCycleEnabled"], true);
        assert_eq!(row["SchedulerSuspended"], false);
        assert_eq!(row["AllowedSyncCycleInterval"], "00:30:00");
    }
    // Two forests and Entra ID: three imports, three synchronizations, three exports.
    let runs = rows(&server, after(29), "runs");
    let newest: Vec<_> = runs[..9]
        .iter()
        .map(|run| run["RunProfileName"].as_str().unwrap())
        .collect();
    assert_eq!(newest[..3], ["Export"; 3]);
    assert_eq!(newest[3..6], ["Delta Synchronization"; 3]);
    assert_eq!(newest[6..], ["Delta Import"; 3]);
    assert!(runs.iter().all(|run| run["Result"] == "success"));
    let completed = messages(&server, after(29), 904);
    let completed = completed
        .iter()
        .filter(|text| text.ends_with("cycle completed (Delta)."));
    assert_eq!(completed.count(), 48, "those of a day");
}

#[test]
fn an_open_wizard_stops_the_scheduler_without_a_word_to_the_cloud() {
    let server = server().with(Span::mins(10), Trouble::WizardOpen);
    let now = after(10 + 125);
    let row = row(&server, now, "scheduler");
    assert_eq!(row["SchedulerSuspended"], true);
    assert_eq!(row["SyncCycleEnabled"], true);
    assert_eq!(row["SyncCycleInProgress"], false);
    assert_eq!(next_start(&server, now), after(30), "hours in the past");
    let words = messages(&server, now, 904);
    let stuck = words.iter().filter(|text| text.contains("wizard is open"));
    assert_eq!(stuck.count(), 4, "whenever a cycle would have begun");
    // It goes on as soon as the wizard is closed.
    let mut closed = server.clone();
    closed.troubles[0].until = Some(Span::mins(140));
    let wait = next_start(&closed, after(145)) - after(140);
    assert_eq!(wait, 30 * 60_000);
}

#[test]
fn a_scheduler_that_is_off_keeps_its_last_plan() {
    let server = server().with(Span::mins(10), Trouble::SchedulerDisabled);
    let row = row(&server, after(600), "scheduler");
    assert_eq!(row["SyncCycleEnabled"], false);
    assert_eq!(row["SchedulerSuspended"], false);
    assert_eq!(next_start(&server, after(600)), after(30));
    let passes = rows(&server, after(600), "password_sync");
    let last = passes[0]["PasswordSyncLastSuccessfulCycleEndTimestamp"]
        .as_str()
        .unwrap();
    assert!(parse_ms(last).unwrap() > after(596), "passwords go on");
}

#[test]
fn passwords_of_one_domain_are_lost_and_those_of_the_other_are_not() {
    let lost = Trouble::PasswordSyncLost {
        domain: "nordwall.example".to_owned(),
    };
    let server = server().with(Span::mins(10), lost);
    let now = after(130);
    let rows = rows(&server, now, "password_sync");
    let of = |dn: &str| rows.iter().find(|row| row["DN"] == dn).unwrap();
    let ended = |row: &Value, which: &str| {
        parse_ms(
            row[format!("PasswordSyncLast{which}CycleEndTimestamp")]
                .as_str()
                .unwrap(),
        )
        .unwrap()
    };
    let (well, ill) = (
        of("DC=ad,DC=hauser,DC=example"),
        of("DC=nordwall,DC=example"),
    );
    assert!(ended(well, "Successful") > now - 4 * 60_000);
    assert_eq!(well["PasswordSyncLastCycleStatus"], "Successful");
    assert!(ended(ill, "Successful") < after(11));
    assert!(ended(ill, "") > now - 4 * 60_000, "it still tries");
    assert_eq!(ill["PasswordSyncLastCycleStatus"], "Failed");
    assert_eq!(
        of("default")["PasswordSyncLastCycleEndTimestamp"],
        Value::Null
    );
    let failures = messages(&server, now, 611);
    assert!(failures.len() > 50, "{}", failures.len());
    let id = ill["ConnectorId"].as_str().unwrap();
    for text in failures {
        assert!(text.contains("domain: nordwall.example,"), "{text}");
        assert!(
            text.ends_with("</forest-info>") && text.contains(id),
            "{text}"
        );
    }
}

#[test]
fn a_staging_server_exports_from_its_promotion_on() {
    let server = server().in_staging().with(Span::mins(40), Trouble::Active);
    let exports = |now: i64| {
        let rows = rows(&server, now, "runs");
        rows.iter()
            .filter(|run| run["RunProfileName"] == "Export")
            .count()
    };
    let staging = |now| row(&server, now, "scheduler")["StagingModeEnabled"] == true;
    assert_eq!((staging(after(39)), exports(after(39))), (true, 0));
    let waits = rows(&server, after(39), "pending_exports");
    assert_eq!(waits.last().unwrap()["ExportUpdates"], 14);
    let passes = rows(&server, after(39), "password_sync");
    assert_eq!(passes[0]["PasswordSyncLastCycleStatus"], "None");
    assert_eq!((staging(after(70)), exports(after(70))), (false, 3));
    assert_eq!(
        rows(&server, after(70), "pending_exports").last().unwrap()["ExportUpdates"],
        0
    );
}

#[test]
fn a_cycle_that_hangs_keeps_its_connector_busy() {
    let server = server().with(Span::mins(10), Trouble::CycleHung);
    let now = after(30 + 300);
    let scheduler = row(&server, now, "scheduler");
    assert_eq!(scheduler["SyncCycleInProgress"], true);
    let busy = row(&server, now, "connector_status");
    assert_eq!(
        busy,
        json!({ "RunState": "Busy", "ConnectorName": "hauser.onmicrosoft.com - AAD" })
    );
    let newest = &rows(&server, now, "runs")[0];
    assert_eq!(newest["IsRunComplete"], false);
    assert_eq!(newest["Result"], "in-progress");
    assert_eq!(newest["EndDate"], Value::Null);
    let started = parse_ms(newest["StartDate"].as_str().unwrap()).unwrap();
    assert!((after(30)..after(34)).contains(&started));
}

#[test]
fn too_many_deletes_stop_the_export_and_wait() {
    let deletes = Trouble::TooManyDeletes {
        pending: 812,
        limit: 500,
    };
    let server = server().with(Span::mins(10), deletes);
    let runs = rows(&server, after(45), "runs");
    let export = runs
        .iter()
        .find(|run| run["ConnectorName"] == "hauser.onmicrosoft.com - AAD");
    assert_eq!(
        export.unwrap()["Result"],
        "stopped-deletion-threshold-exceeded"
    );
    let words = messages(&server, after(45), 116);
    assert_eq!(words.len(), 1);
    assert!(
        words[0]
            .contains("(812 pending deletes) has exceeded the current threshold of 500 objects")
    );
    assert_eq!(
        rows(&server, after(45), "pending_exports").last().unwrap()["ExportDeletes"],
        812
    );
}

#[test]
fn export_errors_name_their_objects_only_where_that_is_wanted() {
    let server = server().with(Span::mins(10), Trouble::ExportErrors { count: 3 });
    let errors = |user_names: bool| {
        let arguments = json!({ "most": 20, "userNames": user_names });
        let runs = ask(&server, after(45), "runs", &arguments).rows;
        let run = runs
            .into_iter()
            .find(|run| run["Result"] == "completed-export-errors")
            .unwrap();
        run["RunStepResults"][0]["SyncErrors"]["SyncErrorsList"]
            .as_array()
            .unwrap()
            .clone()
    };
    assert_eq!(errors(false).len(), 3);
    assert_eq!(errors(false)[0].get("ObjectDn"), None);
    assert!(errors(true)[0]["ObjectDisplayName"].is_string());
    assert_eq!(messages(&server, after(45), 6941).len(), 3);
}

#[test]
fn an_unreachable_forest_fails_alone() {
    let forest = "nordwall.example".to_owned();
    let server = server().with(Span::mins(10), Trouble::ForestUnreachable { forest });
    let reach = rows(&server, after(45), "reachability");
    assert_eq!(
        (&reach[0]["IsReachable"], &reach[1]["IsReachable"]),
        (&json!(true), &json!(false))
    );
    let runs = rows(&server, after(45), "runs");
    let failed: BTreeSet<_> = runs[..9]
        .iter()
        .filter(|run| run["Result"] == "no-start-connection")
        .map(|run| run["ConnectorName"].as_str().unwrap())
        .collect();
    assert_eq!(failed, BTreeSet::from(["nordwall.example"]));
    assert_eq!(
        messages(&server, after(45), 6001).len(),
        2,
        "import and export"
    );
}

#[test]
fn a_stopped_service_is_told_by_windows_and_answers_nothing() {
    let name = "ADSync".to_owned();
    let server = server().with(Span::mins(10), Trouble::ServiceStopped { name });
    let services = rows(&server, after(20), "services");
    assert_eq!(
        (&services[0]["Name"], &services[0]["Status"]),
        (&json!("ADSync"), &json!("Stopped"))
    );
    let printed = ask(&server, after(20), "scheduler", &json!({}));
    assert!(printed.rows.is_empty() && printed.errors.len() == 1);
    assert_eq!(
        messages(&server, after(20), 7036),
        ["The Microsoft Azure AD Sync service entered the stopped state."]
    );
}

#[test]
fn containers_are_found_by_name_and_then_by_id() {
    let to = "OU=People,DC=ad,DC=hauser,DC=example".to_owned();
    let dn = STAFF.to_owned();
    let renamed = server().with(
        Span::mins(10),
        Trouble::ContainerRenamed {
            dn: dn.clone(),
            to: to.clone(),
        },
    );
    let deleted = server().with(Span::mins(10), Trouble::ContainerDeleted { dn });
    let id = "0b6f3c52-74ce-4d0c-9a53-0a4b5f3c1d01";
    let look = |server: &SyncServer, now, dn: &str, id: Option<&str>| {
        let arguments = json!({ "containers": [{ "DistinguishedName": dn, "ObjectGuid": id }] });
        ask(server, now, "containers", &arguments)
    };
    let found = |exists: bool, id: Option<&str>, moved: Option<&str>| {
        let row = json!({ "DistinguishedName": STAFF, "Exists": exists, "ObjectGuid": id, "MovedTo": moved });
        vec![row]
    };
    assert_eq!(
        look(&renamed, after(9), STAFF, None).rows,
        found(true, Some(id), None)
    );
    assert_eq!(
        look(&renamed, after(11), STAFF, Some(id)).rows,
        found(false, Some(id), Some(&to))
    );
    assert_eq!(
        look(&renamed, after(11), STAFF, None).rows,
        found(false, None, None)
    );
    assert_eq!(
        look(&deleted, after(11), STAFF, Some(id)).rows,
        found(false, Some(id), None)
    );
    let foreign = look(
        &renamed,
        after(11),
        "OU=Staff,DC=elsewhere,DC=example",
        None,
    );
    assert!(foreign.rows.is_empty() && foreign.errors.len() == 1);
}

#[test]
fn the_rest_of_the_troubles_show_where_they_belong() {
    let server = server()
        .with(Span::mins(10), Trouble::DatabaseFull { used_mb: 9_612.5 })
        .with(Span::mins(10), Trouble::CloudFlagOff)
        .with(Span::mins(10), Trouble::CertificateEnding)
        .with(Span::mins(11), Trouble::CertificateExpired)
        .with(Span::mins(10), Trouble::RuleChanged)
        .with(Span::mins(10), Trouble::FilterChanged);
    assert_eq!(row(&server, after(9), "database")["UsedSpaceInMb"], 2_340.5);
    assert_eq!(
        row(&server, after(12), "database")["UsedSpaceInMb"],
        9_612.5
    );
    assert_eq!(
        row(&server, after(12), "company_features")["PasswordHashSync"],
        false
    );
    for id in [1011, 1012, 2510, 2512] {
        assert_eq!(messages(&server, after(12), id).len(), 1, "{id}");
        assert_eq!(messages(&server, after(9), id).len(), 0, "{id}");
    }
}
