//! Section `events`: events of the Windows event logs (`Get-WinEvent`).
//!
//! Three kinds of objects. An event, with the cmdlet's own properties and the texts of its data:
//!
//! ```json
//! {
//!   "LogName": "Application",
//!   "ProviderName": "Directory Synchronization",
//!   "Id": 654,
//!   "Level": 4,
//!   "RecordId": 884391,
//!   "TimeCreated": "2026-11-17T10:02:26.9100000Z",
//!   "Message": null,
//!   "Properties": ["Provision credentials ping end.  TrackingID : 4b3d0f8e-2c43-4c5d-8e35-5d9c2f7f0002"]
//! }
//! ```
//!
//! A number of events of a chatty kind that stay on the server:
//!
//! ```json
//! {
//!   "Kind": "Count",
//!   "LogName": "Application",
//!   "ProviderName": "Directory Synchronization",
//!   "Id": 657,
//!   "Count": 12,
//!   "FirstAt": "2026-11-17T09:32:25.3070000Z",
//!   "LastAt": "2026-11-17T09:58:01.1000000Z"
//! }
//! ```
//!
//! Events that are lost, because the log was overwritten before they were read:
//!
//! ```json
//! {
//!   "Kind": "Gap",
//!   "LogName": "Application",
//!   "BookmarkRecordId": 884402,
//!   "OldestRecordId": 891000,
//!   "OldestAt": "2026-11-17T09:00:00.0000000Z"
//! }
//! ```
//!
//! An object without `Kind` is an event; those of another kind are left out. Of an event all but
//! `Level`, `Message` and `Properties` must be there. `Message` is in the language of the server
//! and `null` when its texts are gone; where it says nothing, the data of `Properties` is read. The
//! scripts leave the text of 656 and 657 on the server unless personal data is switched on.

mod cycle;
mod meaning;

pub use cycle::{CycleWord, Stage};
pub use meaning::{DomainWord, Meaning};

use serde_json::Value;

use super::forms::{Forms, Kind, Row, ShapeError, Texts, rows};
use crate::time::Timestamp;

/// Provider of the scheduler, of password hash sync and of the connector to Entra ID.
pub const DIRECTORY_SYNCHRONIZATION: &str = "Directory Synchronization";

/// Provider of the engine.
pub const ADSYNC: &str = "ADSync";

/// Provider of the audit of administrators' actions.
pub const ADMIN_ACTIONS: &str = "Entra Connect Admin Actions";

/// What the section holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Events.
    pub events: Vec<Event>,
    /// Numbers of events that stayed on the server.
    pub counts: Vec<EventCount>,
    /// Events that are lost.
    pub gaps: Vec<EventGap>,
}

/// An event. It is told by provider and id; the same id means other things elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Name of the log.
    pub log: String,
    /// Name of the provider.
    pub provider: String,
    /// Id.
    pub id: i64,
    /// Level: critical 1, error 2, warning 3, information 4. Events are judged by id, not by it.
    pub level: Option<i64>,
    /// Number within the log.
    pub record_id: i64,
    /// When it was written.
    pub at: Timestamp,
    /// Its text: the message, or its data where there is no message.
    pub text: String,
    /// Its data, in order; many events have their whole text in the first of them.
    pub data: Vec<String>,
    /// What it means.
    pub meaning: Meaning,
}

/// A number of events of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// Name of the log.
    pub log: String,
    /// Name of the provider.
    pub provider: String,
    /// Id.
    pub id: i64,
    /// How many.
    pub count: i64,
    /// When the first one was written.
    pub first_at: Timestamp,
    /// When the last one was written.
    pub last_at: Timestamp,
}

/// Events that are lost: the log begins after what was read last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventGap {
    /// Name of the log.
    pub log: String,
    /// Number of the last event that was read.
    pub read_until: i64,
    /// Number of the oldest event that is there.
    pub oldest_record_id: i64,
    /// When that was written; `None` when the log is empty.
    pub oldest_at: Option<Timestamp>,
}

impl Event {
    /// It is of this provider and has this id.
    #[must_use]
    pub fn is(&self, provider: &str, id: i64) -> bool {
        self.id == id && self.provider.eq_ignore_ascii_case(provider)
    }

    /// Its text or data names this identifier, e.g. that of a connector.
    #[must_use]
    pub fn mentions(&self, identifier: &str) -> bool {
        let identifier = identifier.to_ascii_lowercase();
        let names = |text: &String| text.to_ascii_lowercase().contains(&identifier);
        !identifier.is_empty() && (names(&self.text) || self.data.iter().any(names))
    }

    /// It shows that password hash sync is alive.
    #[must_use]
    pub fn shows_password_sync(&self) -> bool {
        shows_password_sync(&self.provider, self.id)
    }
}

impl EventCount {
    /// They show that password hash sync was alive, last at [`Self::last_at`].
    #[must_use]
    pub fn shows_password_sync(&self) -> bool {
        shows_password_sync(&self.provider, self.id)
    }
}

/// End of a batch (651), end of a ping (654), results of a batch (657).
fn shows_password_sync(provider: &str, id: i64) -> bool {
    provider.eq_ignore_ascii_case(DIRECTORY_SYNCHRONIZATION) && matches!(id, 651 | 654 | 657)
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<Events, ShapeError> {
    let mut all = Events::default();
    for row in rows(data, forms)? {
        match row.optional_text("Kind")?.as_deref() {
            None | Some("Event") => all.events.push(event(&row)?),
            Some("Count") => all.counts.push(count(&row)?),
            Some("Gap") => all.gaps.push(gap(&row)?),
            Some(_) => {}
        }
    }
    Ok(all)
}

fn event(row: &Row<'_>) -> Result<Event, ShapeError> {
    let provider = row.text("ProviderName")?;
    let id = row.number("Id")?;
    let data = row.texts("Properties", Texts::Free)?;
    let message = row.optional_text("Message")?;
    let joined = data.join("\n");
    let meaning = meaning::of(
        &provider,
        id,
        message.as_deref().unwrap_or_default(),
        &joined,
    );
    Ok(Event {
        log: row.text("LogName")?,
        level: row.optional_number("Level")?,
        record_id: row.number("RecordId")?,
        at: row.instant("TimeCreated", Kind::Marked)?,
        meaning,
        provider,
        id,
        text: message.unwrap_or(joined),
        data,
    })
}

fn count(row: &Row<'_>) -> Result<EventCount, ShapeError> {
    Ok(EventCount {
        log: row.text("LogName")?,
        provider: row.text("ProviderName")?,
        id: row.number("Id")?,
        count: row.number("Count")?,
        first_at: row.instant("FirstAt", Kind::Marked)?,
        last_at: row.instant("LastAt", Kind::Marked)?,
    })
}

fn gap(row: &Row<'_>) -> Result<EventGap, ShapeError> {
    Ok(EventGap {
        log: row.text("LogName")?,
        read_until: row.number("BookmarkRecordId")?,
        oldest_record_id: row.number("OldestRecordId")?,
        oldest_at: row.optional_instant("OldestAt", Kind::Marked)?,
    })
}
