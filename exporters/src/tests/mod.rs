//! The whole page: both formats, against a fleet that has one of everything.

mod boards;
mod documents;
mod fleet;
mod page;
mod store;
mod writer;
