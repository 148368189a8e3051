//! Detectors: from facts to conditions. Pure: facts, an instant and settings in, conditions out.
//!
//! A detector says what holds and what was seen to be over. Where nothing can be said, because
//! the source was not read, it stays silent, and the alert stays what it is. Every sentence an
//! alert carries is written here and held by snapshots.

pub mod causes;
pub mod credentials;
pub mod jobs;
pub mod lanes;
pub mod object_errors;
pub mod rights;
pub mod servers;
pub mod sources;
pub mod unwatched;
mod words;

#[cfg(test)]
pub(crate) mod testing;

/// Name of the evidence that says when an alert was last reported. A condition that brings
/// another value than the alert on record is news, and is told even if nothing else changed.
pub const LAST_REPORTED: &str = "last reported";

/// Name of the evidence that says how many objects were last reported.
pub const OBJECTS_REPORTED: &str = "objects";
