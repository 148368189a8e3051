//! Rows of a page made ready for their commit: what takes time and needs no database.

use std::collections::HashMap;
use std::ops::Range;

use syncwatch_domain::job::ErrorGroup;
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus, RowId};
use syncwatch_domain::time::Timestamp;

use crate::codec::Packer;
use crate::error::StoreError;
use crate::model::{LogRow, LogStream};
use crate::store::Store;

/// A part of a page with fewer rows than this is packed sooner than a thread is started.
const WORTH_A_THREAD: usize = 100;

/// Rows packed in one page of a log, in the order of the key; made by [`Store::prepare_log`].
///
/// It borrows nothing, so that it can be made on one thread while the page before is committed
/// on another. What is stored meanwhile is left out by the commit.
#[derive(Clone, Debug)]
pub struct LogPage {
    pub(crate) stream: LogStream,
    /// Ids of the jobs; rows name them by their places.
    pub(crate) jobs: Vec<String>,
    pub(crate) rows: Vec<PageRow>,
    /// The JSON of all rows, packed one by one.
    packed: Vec<u8>,
    pub(crate) repeated: u64,
    pub(crate) conflicting: u64,
}

/// A row ready to be written.
#[derive(Clone, Debug)]
pub(crate) struct PageRow {
    pub(crate) id: RowId,
    pub(crate) occurred_at: Timestamp,
    /// Place of its job.
    pub(crate) job: usize,
    pub(crate) action: ProvisioningAction,
    pub(crate) status: ProvisioningStatus,
    pub(crate) error_code: Option<Box<str>>,
    pub(crate) object_id: Option<Box<str>>,
    /// Where its JSON is.
    packed: Range<usize>,
}

impl PageRow {
    /// The group of the error of a row that failed.
    pub(crate) fn error_group(&self) -> Option<ErrorGroup> {
        (self.status == ProvisioningStatus::Failure)
            .then(|| ErrorGroup::of_code(self.error_code.as_deref().unwrap_or_default()))
    }
}

impl LogPage {
    /// Whether no row came with the page, not even one that is stored already.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.repeated == 0 && self.conflicting == 0
    }

    /// The JSON of a row, packed.
    pub(crate) fn packed(&self, row: &PageRow) -> &[u8] {
        &self.packed[row.packed.clone()]
    }

    fn add(&mut self, row: &LogRow<'_>, job: usize, packed: Range<usize>) {
        self.rows.push(PageRow {
            id: row.id,
            occurred_at: row.occurred_at,
            job,
            action: row.action,
            status: row.status,
            error_code: row.error_code.as_deref().map(Into::into),
            object_id: row.object_id.as_deref().map(Into::into),
            packed,
        });
    }
}

/// Rows packed one behind the other, and where each of them ends.
struct Packed {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Packs rows on two threads: packing takes longest of all that is done with a page, and a
/// database on another machine leaves both cores of a small one free for it.
fn pack(rows: &[&LogRow<'_>]) -> Result<Packed, StoreError> {
    let (first, second) = rows.split_at(rows.len() / 2);
    if second.len() < WORTH_A_THREAD {
        return pack_one_by_one(rows);
    }
    std::thread::scope(|scope| {
        let second = scope.spawn(|| pack_one_by_one(second));
        let mut packed = pack_one_by_one(first)?;
        let second = second
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let behind = packed.bytes.len();
        packed.bytes.extend(second.bytes);
        packed
            .ends
            .extend(second.ends.iter().map(|end| behind + end));
        Ok(packed)
    })
}

fn pack_one_by_one(rows: &[&LogRow<'_>]) -> Result<Packed, StoreError> {
    let mut packer = Packer::new()?;
    let mut packed = Packed {
        bytes: Vec::with_capacity(expected_size(rows)),
        ends: Vec::with_capacity(rows.len()),
    };
    for row in rows {
        packer.pack_into(row.raw, &mut packed.bytes)?;
        packed.ends.push(packed.bytes.len());
    }
    Ok(packed)
}

/// What rows are packed to, roughly: a buffer that does not grow need not be moved.
fn expected_size(rows: &[&LogRow<'_>]) -> usize {
    rows.iter().map(|row| row.raw.len()).sum::<usize>() / 3
}

impl Store {
    /// Makes the rows of a page ready for [`Store::commit_poll`]: sorts out what memory knows,
    /// packs the rest. It asks no database and takes milliseconds: keep it off the threads that
    /// serve others.
    ///
    /// # Errors
    /// When a row cannot be packed.
    pub fn prepare_log(
        &self,
        stream: LogStream,
        rows: &[LogRow<'_>],
    ) -> Result<LogPage, StoreError> {
        let (mut new, repeated, conflicting) = self.sort_out(rows);
        // Neighbours in time become neighbours in the key.
        new.sort_unstable_by_key(|row| (row.occurred_at, row.id));
        let Packed { bytes, ends } = pack(&new)?;
        let mut page = LogPage {
            stream,
            jobs: Vec::new(),
            rows: Vec::with_capacity(new.len()),
            packed: bytes,
            repeated,
            conflicting,
        };
        let mut places = HashMap::<&str, usize>::new();
        let mut start = 0;
        for (row, end) in new.into_iter().zip(ends) {
            let job = *places.entry(row.job_id.as_ref()).or_insert_with(|| {
                page.jobs.push(row.job_id.as_ref().to_owned());
                page.jobs.len() - 1
            });
            page.add(row, job, start..end);
            start = end;
        }
        Ok(page)
    }
}
