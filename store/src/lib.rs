//! The only SQL of syncwatch: SQLite and PostgreSQL behind one face.
//!
//! Guarantees: what is accepted is committed before anything is announced; a change and its
//! consequences are one transaction, guarded by compare-and-set on what was read; deadlines only
//! move forward. Never makes a network call inside a transaction, never hands a transaction out,
//! never decides whether a lane is late: that is the domain's.
//!
//! Five ways in: [`Store::commit_poll`] and [`Store::commit_report`] (the collector),
//! [`Store::commit_judgement`] and [`Store::commit_owners`] (the evaluators) and [`Store::claim_deliveries`] (the
//! deliverer). Everything else reads.

mod agent;
mod codec;
mod delivery;
mod error;
mod feed;
mod fold;
mod judgement;
mod lane;
mod ledger;
mod listed;
mod log;
mod log_bulk;
mod log_page;
mod log_write;
mod model;
mod object;
mod object_error;
mod owner;
mod poll;
mod pools;
mod read;
mod retention;
mod source;
mod store;
mod unseen;
mod view;

pub use agent::StoredRecord;
pub use error::{StoreError, Trouble};
pub use feed::{Feed, StoreEvent, Topic, Wake};
pub use log::StoredLogRow;
pub use log_page::LogPage;
pub use model::*;
pub use object::{ObjectPage, StoredObject};
pub use owner::{CountedOwner, Owned, OwnerChange, OwnerCount, OwnerVerdict};
pub use store::{CommitProbe, Store, StoreOptions};
pub use view::*;
