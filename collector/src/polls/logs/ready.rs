//! Pages of logs, read and packed off the threads that serve others: all that takes time between
//! an answer and its commit.

use std::sync::Arc;

use syncwatch_store::{LogPage, LogStream, Store, StoreError};
use thiserror::Error;

use super::actors::Actors;
use super::audits::{self, Newest};
use super::provisioning::Cycles;
use crate::parse::ParseError;
use crate::parse::provisioning::{Row, wanted};

/// A page of which nothing but the commit is left to do. It borrows nothing from the answer.
#[derive(Debug)]
pub struct ReadyPage {
    /// Where the next page is; `None` on the last page.
    pub next_link: Option<String>,
    /// The rows for the store.
    pub log: LogPage,
    pub(super) lesson: Lesson,
}

/// What the rows of a page tell beside being kept.
#[derive(Debug)]
pub(super) enum Lesson {
    Cycles(Cycles),
    Writes(Newest),
}

/// An answer that could not be made ready.
#[derive(Debug, Error)]
#[error("a page of a log cannot be made ready")]
pub struct NotReady {
    /// The answer, for the debug log.
    pub body: Vec<u8>,
    /// Why.
    #[source]
    pub error: LogPageError,
}

/// Why an answer could not be made ready.
#[derive(Debug, Error)]
pub enum LogPageError {
    /// It cannot be read.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// Its rows cannot be packed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes an answer of the provisioning log ready. It has at most `most` rows; those that are not
/// wanted are left out.
///
/// # Errors
/// When it cannot be read or packed.
pub async fn ready_provisioning(
    store: &Store,
    body: Vec<u8>,
    most: usize,
    is_wanted: impl Fn(&Row<'_>) -> bool + Send + 'static,
) -> Result<ReadyPage, NotReady> {
    let store = store.clone();
    off_thread(body, move |body| {
        let page = wanted(body, most, is_wanted)?;
        Ok(ReadyPage {
            log: store.prepare_log(LogStream::Provisioning, &page.rows)?,
            lesson: Lesson::Cycles(Cycles::of(&page.rows)),
            next_link: page.next_link,
        })
    })
    .await
}

/// Makes an answer of the directory audits ready.
pub(super) async fn ready_audits(
    store: &Store,
    body: Vec<u8>,
    actors: Arc<Actors>,
) -> Result<ReadyPage, NotReady> {
    let store = store.clone();
    off_thread(body, move |body| {
        let page = audits::page(&actors, body)?;
        Ok(ReadyPage {
            log: store.prepare_log(LogStream::Audit, &page.log_rows())?,
            lesson: Lesson::Writes(page.newest()),
            next_link: page.next_link,
        })
    })
    .await
}

/// A page is milliseconds of work, which the loops that share the runtime's threads should not
/// wait for; and the commit of the page before can go on beside it.
async fn off_thread(
    body: Vec<u8>,
    work: impl FnOnce(&[u8]) -> Result<ReadyPage, LogPageError> + Send + 'static,
) -> Result<ReadyPage, NotReady> {
    let work = move || work(&body).map_err(|error| NotReady { body, error });
    tokio::task::spawn_blocking(work)
        .await
        .expect("reading a page does not panic and is not cancelled")
}
