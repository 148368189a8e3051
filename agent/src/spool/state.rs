//! What the spool must not forget: its name, how far it was acknowledged, what was dropped.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use syncwatch_domain::report::Gap;
use uuid::Uuid;

use super::disk::Disk;
use super::error::{SpoolError, at};
use crate::host::Bookmarks;

const NAME: &str = "state.json";
const UNFINISHED: &str = "state.json.new";
const DAMAGED: &str = "state.json.damaged";

/// No more gaps than this are kept apart; the newest ones grow together.
const MOST_GAPS: usize = 64;

/// The state as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// Name of the spool.
    pub(super) id: String,
    /// Every record up to this number is gone: acknowledged or dropped.
    pub(super) floor: u64,
    /// No record with this number or a larger one was written when the state was.
    pub(super) next: u64,
    /// What was dropped or damaged and is not acknowledged; ordered, apart from one another.
    pub(super) gaps: Vec<Gap>,
    /// How far the event logs had been read when the state was written.
    pub(super) bookmarks: Bookmarks,
}

impl State {
    /// The state of a spool that begins.
    pub(super) fn fresh() -> Self {
        Self {
            id: new_id(),
            floor: 0,
            next: 1,
            gaps: Vec::new(),
            bookmarks: Bookmarks::default(),
        }
    }

    /// Reads the state of a folder; `None` when there is none that can be read.
    pub(super) fn load(disk: &mut dyn Disk, folder: &Path) -> Result<Option<Self>, SpoolError> {
        let path = folder.join(NAME);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at("read", &path)(error)),
        };
        match serde_json::from_slice::<Self>(&text) {
            Ok(state) if state.next > state.floor => Ok(Some(state)),
            _ => {
                let aside = folder.join(DAMAGED);
                disk.rename(&path, &aside).map_err(at("rename", &path))?;
                tracing::warn!(
                    file = %aside.display(),
                    "the state of the spool is damaged: it was put aside, and the spool has a new name"
                );
                Ok(None)
            }
        }
    }

    /// Writes the state in one step: after a crash there is the old one or the new one.
    pub(super) fn save(&self, disk: &mut dyn Disk, folder: &Path) -> Result<(), SpoolError> {
        let (unfinished, path) = (folder.join(UNFINISHED), folder.join(NAME));
        let text = serde_json::to_vec(self).map_err(SpoolError::Write)?;
        write(disk, &unfinished, &text)?;
        disk.rename(&unfinished, &path)
            .map_err(at("rename", &unfinished))?;
        disk.sync_folder(folder).map_err(at("write", folder))
    }

    /// Notes that records are gone which nobody acknowledged.
    pub(super) fn add_gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
        self.gaps.sort_by_key(|gap| gap.from);
        let mut apart: Vec<Gap> = Vec::with_capacity(self.gaps.len());
        for gap in self.gaps.drain(..) {
            match apart.last_mut() {
                Some(before) if gap.from <= before.to.saturating_add(1) => join(before, &gap),
                _ => apart.push(gap),
            }
        }
        while apart.len() > MOST_GAPS {
            let Some(newest) = apart.pop() else { break };
            if let Some(before) = apart.last_mut() {
                join(before, &newest);
            }
        }
        self.gaps = apart;
    }

    /// Forgets what lies in gaps up to a number that was acknowledged: it was told, or it came
    /// home before it was dropped. Whether there was any.
    pub(super) fn close_gaps(&mut self, acknowledged: u64) -> bool {
        let before = self.gaps.clone();
        self.gaps.retain(|gap| gap.to > acknowledged);
        for gap in &mut self.gaps {
            gap.from = gap.from.max(acknowledged + 1);
        }
        self.gaps != before
    }
}

/// A name for a spool.
pub(super) fn new_id() -> String {
    Uuid::new_v4().to_string()
}

fn join(gap: &mut Gap, other: &Gap) {
    gap.to = gap.to.max(other.to);
    gap.oldest_at = gap.oldest_at.min(other.oldest_at);
    gap.newest_at = gap.newest_at.max(other.newest_at);
}

fn write(disk: &mut dyn Disk, path: &Path, text: &[u8]) -> Result<(), SpoolError> {
    let mut file = disk.create(path).map_err(at("create", path))?;
    disk.write(&mut file, text).map_err(at("write", path))?;
    disk.sync(&file).map_err(at("write", path))
}

#[cfg(test)]
mod tests {
    use syncwatch_domain::time::Timestamp;

    use super::*;

    fn gap(from: u64, to: u64) -> Gap {
        let at = |number: u64| Timestamp::from_millis(i64::try_from(number).unwrap_or(0) * 1000);
        Gap {
            from,
            to,
            oldest_at: at(from),
            newest_at: at(to),
        }
    }

    fn with(gaps: &[(u64, u64)]) -> State {
        let mut state = State::fresh();
        for (from, to) in gaps {
            state.add_gap(gap(*from, *to));
        }
        state
    }

    fn ranges(state: &State) -> Vec<(u64, u64)> {
        state.gaps.iter().map(|gap| (gap.from, gap.to)).collect()
    }

    #[test]
    fn gaps_that_touch_or_overlap_are_one() {
        assert_eq!(ranges(&with(&[(1, 5), (6, 9)])), [(1, 9)]);
        assert_eq!(
            ranges(&with(&[(7, 8), (20, 30), (1, 25)])),
            [(1, 30)],
            "in any order"
        );
        assert_eq!(ranges(&with(&[(1, 5), (7, 9)])), [(1, 5), (7, 9)]);
        assert_eq!(with(&[(6, 9), (1, 5)]).gaps, [gap(1, 9)]);
    }

    #[test]
    fn no_number_of_gaps_makes_the_state_large() {
        let many: Vec<(u64, u64)> = (0..1000).map(|number| (number * 2, number * 2)).collect();
        let state = with(&many);
        assert_eq!(state.gaps.len(), MOST_GAPS);
        assert_eq!(state.gaps.first().map(|gap| gap.from), Some(0));
        assert_eq!(state.gaps.last().map(|gap| gap.to), Some(1998));
    }

    #[test]
    fn a_gap_is_told_until_its_last_number_is_acknowledged() {
        let mut state = with(&[(1, 5), (7, 9)]);
        assert!(!state.close_gaps(0));
        assert!(state.close_gaps(7));
        assert_eq!(ranges(&state), [(8, 9)]);
        assert!(state.close_gaps(9));
        assert_eq!(ranges(&state), []);
    }
}
