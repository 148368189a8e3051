//! The words and rules of syncwatch.
//!
//! Pure: no I/O, no clock of its own, nothing of the other crates. Everyone may speak these
//! words; they depend on nobody. Start reading at [`window::judge`] (is a lane late?),
//! [`cadence::Timing`] (what does late mean for it?) and [`alert::Alert`] (what is said about it?).

pub mod alert;
pub mod backoff;
pub mod cadence;
pub mod clock;
pub mod cycle;
pub mod delivery;
pub mod digest;
pub mod dn;
pub mod job;
pub mod lane;
pub mod ledger;
pub mod log;
pub mod object;
pub mod owner;
pub mod policy;
pub mod report;
pub mod schedule;
pub mod scope;
pub mod secret;
pub mod source;
pub mod span;
pub mod sync_server;
pub mod time;
pub mod window;
