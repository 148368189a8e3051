//! What syncwatch shows to Prometheus and its kin.
//!
//! Guarantees: every family is in the [`catalogue`] with its labels and their closed sets; a page shows what the store
//! knows at that moment and never waits for anything outside; a value that does not exist is left out, not zero; a
//! store that cannot be read leaves out the fleet and says so.
//!
//! Must never: put a user, an object or a secret into a label, read Microsoft Graph, or bind a socket (`server` mounts
//! the page).
//!
//! Entry points: [`Exporter::render`], [`catalogue::FAMILIES`], [`reference()`].

pub mod catalogue;
mod exporter;
mod fleet;
mod format;
mod labels;
mod page;
mod process;
mod reference;
mod registry;
mod value;

pub use exporter::{Exporter, Rendered, Wanted};
pub use format::{Format, wants_gzip};
pub use reference::reference;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
