//! The rules of the house that a compiler does not hold: which crate may import which, what lies where, and that the
//! documents speak of what exists.

#![expect(clippy::unwrap_used, reason = "tests")]

mod arrows;
mod dependencies;
mod documents;
mod rooms;
mod sizes;
mod workspace;
