//! Forms: the ways in which PowerShell writes the same value.
//!
//! One place for all of them, so that a section's reader names a property and says what it is.
//! Windows PowerShell 5.1, PowerShell 7 and the agent's own scripts are read alike:
//!
//! | What | Forms |
//! | --- | --- |
//! | instant | `/Date(ms)/`, `/Date(ms+zzzz)/`, ISO 8601 with `Z`, with an offset, with neither; each of them also as `{value, DisplayHint, DateTime}` |
//! | no instant | `null`, an empty text, any year before 1970 (`DateTime.MinValue` is year 1) |
//! | span | object of a `TimeSpan`, `hh:mm:ss`, `d.hh:mm:ss.fffffff`, ISO 8601 (`PT30M`) |
//! | member of an enumeration | number, number as text, name; one that nobody knows is kept as it came |
//! | number, truth value | itself, or as text |
//! | version | object, or text |
//! | list | array, `{value, Count}`, the only element alone, `null` or nothing for an empty one |
//!
//! Nothing is guessed. What a depth limit cut off ([`ShapeError::Truncated`]) is never read as
//! empty, and an instant that can be read in two ways ([`ShapeError::Ambiguous`]) is refused.
//!
//! # Kinds of instants
//!
//! A .NET `DateTime` carries a kind, which decides what becomes of it in JSON:
//!
//! | Kind | Fields | Windows PowerShell 5.1 | PowerShell 7 |
//! | --- | --- | --- | --- |
//! | UTC or local (marked) | `TimeCreated` of events | true | `Z` or offset: true |
//! | unspecified, holds UTC (a UTC reading) | `StartDate`, `EndDate` of runs and steps | taken for local time: off by the server's offset | neither `Z` nor offset: UTC |
//! | one of the two, nobody knows (unsure) | next start of the scheduler, partition state, dates in error lists | either | either |
//!
//! ISO 8601 with `Z`, which the agent's scripts write, is what it says under every kind.

mod data;
mod error;
mod instant;
mod list;
mod member;
mod names;
mod row;
mod scalar;
mod span;
mod version;

pub use error::ShapeError;
pub use member::Member;
pub use version::Version;

pub(super) use data::{only_row, rows};
pub(super) use error::Fault;
pub(super) use instant::Kind;
pub(super) use list::Texts;
pub(super) use member::{Numbered, numbered};
pub(super) use names::domain_of;
pub(super) use row::Row;
pub(super) use scalar::flag_of_text;
pub(super) use span::of_text as span_of_text;

use super::Record;
use crate::time::Timestamp;

/// What must be known to read a section beside its data: the clock of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forms {
    offset: Option<Offset>,
}

/// Offset of the server's local time from UTC, and when it was that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offset {
    minutes: i32,
    at: Timestamp,
}

impl Forms {
    /// Nothing is known of the server's clock: instants that need its offset are refused.
    #[must_use]
    pub const fn without_offset() -> Self {
        Self { offset: None }
    }

    /// The server's local time was `minutes` ahead of UTC at the instant `at`, by its own clock.
    #[must_use]
    pub const fn with_offset(minutes: i32, at: Timestamp) -> Self {
        Self {
            offset: Some(Offset { minutes, at }),
        }
    }

    /// What a record tells about the clock of its server.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        record
            .utc_offset_minutes
            .map_or_else(Self::without_offset, |minutes| {
                Self::with_offset(minutes, record.collected_at)
            })
    }
}
