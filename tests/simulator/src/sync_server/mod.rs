//! A scripted Connect server, or an agent host of Cloud Sync, as its own PowerShell sees it.
//!
//! A [`SyncServer`] describes what the server is and what befalls it when. What it answers at an
//! instant is a function of the two and of nothing else: the same file and the same time give the
//! same cycles, runs, events and record numbers. The program `syncwatch-fake-powershell` reads the
//! description from the file that the environment variable [`STATE_FILE`] names (without it, from
//! [`STATE_FILE_BESIDE`] where the program was started from), before every answer, so whoever plays
//! the story changes the server by writing that file anew ([`SyncServer::save`]).
//!
//! Like everything here it is written from what is known of the product and shares no code with
//! those who read its answers. What the program makes of its standard input is in [`run_shell`].

mod at;
mod connectors;
mod cycles;
mod events;
mod fault;
mod file;
mod forms;
mod history;
mod log;
mod model;
mod operation;
mod passwords;
mod reader;
mod rules;
mod runs;
mod scheduler_events;
mod sections;
mod settings;
mod shell;
mod status;
mod trouble;

pub use fault::{Fault, FaultKind};
pub use file::{STATE_FILE, STATE_FILE_BESIDE, StateError};
pub use model::{CloudAgent, ConnectSync, Domain, Entry, Forest, Happening, LogSize, SyncServer};
pub use shell::run_shell;
pub use trouble::Trouble;

#[cfg(test)]
mod tests;
