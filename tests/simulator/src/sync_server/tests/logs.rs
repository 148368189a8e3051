//! Event logs: numbers, bookmarks, counts, gaps.

use super::*;

fn read(server: &SyncServer, now: i64, most: u64, bookmarks: &[Value], names: bool) -> Vec<Value> {
    let arguments =
        json!({ "most": most, "hours": 24, "userNames": names, "bookmarks": bookmarks });
    ask(server, now, "events", &arguments).rows
}

fn of_kind<'a>(rows: &'a [Value], kind: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["Kind"] == kind).collect()
}

fn records(rows: &[Value]) -> Vec<u64> {
    let events = rows
        .iter()
        .filter(|row| row["Kind"].is_null() && row["LogName"] == "Application");
    events
        .map(|row| row["RecordId"].as_u64().unwrap())
        .collect()
}

fn bookmark(record: u64) -> Value {
    json!({ "LogName": "Application", "RecordId": record })
}

#[test]
fn every_event_is_read_once_however_few_at_a_time() {
    let server = server();
    let whole = records(&read(&server, after(90), 100_000, &[], false));
    assert!(whole.len() > 1_000 && whole.is_sorted());
    let mut found = Vec::new();
    let mut bookmarks = Vec::new();
    for minute in 0..=90 {
        loop {
            let rows = read(&server, after(minute), 37, &bookmarks, false);
            found.extend(records(&rows));
            let told = of_kind(&rows, "Bookmark");
            assert_eq!(told.len(), 1, "the other log is empty");
            bookmarks = vec![told[0].clone()];
            if told[0]["More"] == false {
                break;
            }
        }
    }
    // Read an hour and a half earlier, the first reading reached further back.
    let missed = found.len() - whole.len();
    assert_eq!(found[missed..], whole[..]);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
}

#[test]
fn chatty_events_are_counted_and_users_stay_on_the_server() {
    let server = server();
    let rows = read(&server, after(5), 100_000, &[], false);
    let counted: BTreeSet<_> = of_kind(&rows, "Count")
        .iter()
        .map(|row| row["Id"].as_u64().unwrap())
        .collect();
    assert_eq!(counted, BTreeSet::from([104, 105, 117, 656, 657]));
    let printed = serde_json::to_string(&rows).unwrap();
    assert!(!printed.contains("Nora Lind"), "a name of a user");
    let named = read(&server, after(5), 100_000, &[], true);
    let single = |id: u64| {
        named
            .iter()
            .filter(|row| row["Id"] == id && row["Kind"].is_null())
            .count()
    };
    let count = |id: u64| {
        let all = of_kind(&rows, "Count");
        all.iter().find(|row| row["Id"] == id).unwrap()["Count"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(single(657) as u64, count(657));
    assert!(single(104) == 0 && serde_json::to_string(&named).unwrap().contains("Nora Lind"));
}

#[test]
fn a_log_that_turned_over_has_a_gap_and_a_quiet_one_has_none() {
    let mut server = server();
    let read_until = records(&read(&server, after(5), 100_000, &[], false))
        .pop()
        .unwrap();
    let again = read(&server, after(40), 100_000, &[bookmark(read_until)], false);
    assert!(of_kind(&again, "Gap").is_empty());
    server.log.keeps = 50;
    let late = read(&server, after(600), 100_000, &[bookmark(read_until)], false);
    let gaps = of_kind(&late, "Gap");
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0]["BookmarkRecordId"], read_until);
    let oldest = gaps[0]["OldestRecordId"].as_u64().unwrap();
    assert!(oldest > read_until + 1);
    assert_eq!(records(&late).first().copied(), Some(oldest));
}

#[test]
fn a_log_that_was_cleared_counts_anew_and_has_a_gap() {
    let log = "Application".to_owned();
    let server = server().with(Span::mins(20), Trouble::LogCleared { log });
    let read_until = records(&read(&server, after(19), 100_000, &[], false))
        .pop()
        .unwrap();
    let rows = read(&server, after(60), 100_000, &[bookmark(read_until)], false);
    assert_eq!(of_kind(&rows, "Gap")[0]["BookmarkRecordId"], read_until);
    assert!(records(&rows)[0] < 10);
    // From there on it is read like any other.
    let after_it = records(&rows).pop().unwrap();
    let more = read(&server, after(95), 100_000, &[bookmark(after_it)], false);
    assert!(of_kind(&more, "Gap").is_empty() && records(&more)[0] > after_it);
}

#[test]
fn signs_of_life_come_every_half_hour_at_least() {
    let server = server();
    let rows = read(&server, after(5), 100_000, &[], true);
    let alive = rows.iter().filter(|row| {
        row["Kind"].is_null() && [651, 654, 657].contains(&row["Id"].as_i64().unwrap())
    });
    let alive: Vec<_> = alive
        .map(|row| parse_ms(row["TimeCreated"].as_str().unwrap()).unwrap())
        .collect();
    let longest = alive
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .max()
        .unwrap();
    assert!(longest <= 34 * 60_000, "{longest} ms of silence");
}
