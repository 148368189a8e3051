//! Reads events as the agent's text does: per log, behind a bookmark, so many at a time.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::at::At;
use super::events::{count_row, events};
use super::forms::Forms;
use super::log::{APPLICATION, DIRECTORY_SYNC, Event, Numbered, SYSTEM, records, row};

/// Written so often that they are counted.
const COUNTED: [u32; 5] = [104, 105, 117, 656, 657];
/// They name users.
const ABOUT_USERS: [u32; 2] = [656, 657];

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    arguments: &'a Value,
}

impl<'a> Wanted<'a> {
    pub(super) const fn new(arguments: &'a Value) -> Self {
        Self { arguments }
    }

    fn most(&self) -> usize {
        let most = self.arguments["most"].as_u64();
        most.and_then(|most| usize::try_from(most).ok())
            .unwrap_or(0)
    }

    fn user_names(&self) -> bool {
        self.arguments["userNames"] == true
    }

    fn bookmark(&self, log: &str) -> Option<u64> {
        let mut all = self.arguments["bookmarks"].as_array()?.iter();
        all.find(|one| one["LogName"] == log)?["RecordId"].as_u64()
    }

    /// Since when a log without a bookmark is read.
    fn since(&self, now: i64) -> i64 {
        now - self.arguments["hours"].as_i64().unwrap_or(0) * 3_600_000
    }
}

/// Events of all logs, with bookmarks.
pub(super) fn rows(at: &At<'_>, forms: Forms, wanted: Wanted<'_>) -> Vec<Value> {
    let written = events(at);
    let mut room = wanted.most();
    let mut rows = Vec::new();
    for log in [APPLICATION, SYSTEM] {
        if room == 0 {
            break;
        }
        let records = records(at, log, written.clone());
        room -= of_log(at, forms, wanted, log, &records, room, &mut rows);
    }
    rows
}

/// Reads a log; gives how many events were told.
fn of_log(
    at: &At<'_>,
    forms: Forms,
    wanted: Wanted<'_>,
    log: &str,
    records: &[Numbered],
    room: usize,
    rows: &mut Vec<Value>,
) -> usize {
    let (Some(oldest), Some(newest)) = (records.first(), records.last()) else {
        return 0;
    };
    let bookmark = wanted.bookmark(log);
    let mut after = bookmark.unwrap_or(0);
    if let Some(bookmark) = bookmark
        && (newest.record < bookmark || is_gap(at, oldest, bookmark))
    {
        rows.push(json!({
            "Kind": "Gap",
            "LogName": log,
            "BookmarkRecordId": bookmark,
            "OldestRecordId": oldest.record,
            "OldestAt": forms.marked(oldest.event.at),
        }));
        after = oldest.record - 1;
    }
    let since = bookmark.map_or_else(|| wanted.since(at.now), |_| i64::MIN);
    let mut told = 0;
    let mut last = newest;
    let mut more = false;
    let mut counts = BTreeMap::<u32, Vec<&Event>>::new();
    let unread = records.iter();
    for one in unread.filter(|one| one.record > after && one.event.at >= since) {
        if is_counted(&one.event, wanted.user_names()) {
            counts.entry(one.event.id).or_default().push(&one.event);
            continue;
        }
        rows.push(row(at.server, forms, one));
        told += 1;
        if told == room {
            (last, more) = (one, true);
            break;
        }
    }
    rows.extend(
        counts
            .iter()
            .map(|(id, found)| count_row(forms, log, *id, found)),
    );
    rows.push(json!({
        "Kind": "Bookmark",
        "LogName": log,
        "RecordId": last.record,
        "TimeCreated": forms.marked(last.event.at),
        "More": more,
    }));
    told
}

/// Whether records between the bookmark and the oldest one are gone. Others write to the log too:
/// only a log that is full or was cleared has lost any.
fn is_gap(at: &At<'_>, oldest: &Numbered, bookmark: u64) -> bool {
    oldest.record > bookmark + 1 && oldest.record > at.server.log.first_record + 3
}

fn is_counted(event: &Event, user_names: bool) -> bool {
    event.provider == DIRECTORY_SYNC
        && COUNTED.contains(&event.id)
        && !(user_names && ABOUT_USERS.contains(&event.id))
}
