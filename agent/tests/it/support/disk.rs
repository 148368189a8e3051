//! A disk that is pulled out, or full, when a test says so.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use syncwatch_agent::spool::{Disk, SystemDisk};

use super::Dice;

/// How the disk misbehaves; shared between a test and its disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fault(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Calls until the process is killed.
    left: Option<u64>,
    dice: Option<Dice>,
    killed: bool,
    full: bool,
    /// Removing a file makes room.
    until_removed: bool,
    calls: u64,
}

impl Fault {
    /// Kills the process within the call after so many, at a point of it that the seed decides.
    pub(crate) fn kill_after(&self, calls: u64, seed: u64) {
        let mut state = self.0.lock().unwrap();
        state.left = Some(calls);
        state.dice = Some(Dice(seed));
    }

    /// Whether it was killed.
    pub(crate) fn is_killed(&self) -> bool {
        self.0.lock().unwrap().killed
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.0.lock().unwrap().calls
    }

    /// There is no space left, or there is again.
    pub(crate) fn full(&self, full: bool) {
        self.0.lock().unwrap().full = full;
    }

    /// There is no space left until a file is removed.
    pub(crate) fn full_until_removed(&self) {
        let mut state = self.0.lock().unwrap();
        state.full = true;
        state.until_removed = true;
    }

    /// A disk that misbehaves so. It never flushes: what a killed process wrote is there.
    pub(crate) fn disk(&self) -> Box<dyn Disk> {
        Box::new(Faulty {
            fault: self.clone(),
            disk: SystemDisk,
        })
    }
}

#[derive(Debug)]
struct Faulty {
    fault: Fault,
    disk: SystemDisk,
}

/// What becomes of a call.
enum Fate {
    Passes,
    /// Killed in it: so many thousandths of it were done.
    Killed(u64),
    Full,
}

fn dead() -> io::Error {
    io::Error::other("killed")
}

impl Faulty {
    fn fate(&self, needs_space: bool) -> io::Result<Fate> {
        let mut state = self.fault.0.lock().unwrap();
        state.calls += 1;
        if state.killed {
            return Err(dead());
        }
        if let Some(left) = &mut state.left {
            if *left == 0 {
                state.killed = true;
                let share = state.dice.as_mut().map_or(0, |dice| dice.roll(1001));
                return Ok(Fate::Killed(share));
            }
            *left -= 1;
        }
        Ok(if state.full && needs_space {
            Fate::Full
        } else {
            Fate::Passes
        })
    }

    /// A call that is done as a whole or not at all.
    fn whole<T>(
        &mut self,
        needs_space: bool,
        call: impl FnOnce(&mut SystemDisk) -> io::Result<T>,
    ) -> io::Result<T> {
        match self.fate(needs_space)? {
            Fate::Passes => call(&mut self.disk),
            Fate::Killed(share) => {
                if share >= 500 {
                    call(&mut self.disk)?;
                }
                Err(dead())
            }
            Fate::Full => Err(io::ErrorKind::StorageFull.into()),
        }
    }
}

impl Disk for Faulty {
    fn create(&mut self, path: &Path) -> io::Result<File> {
        self.whole(false, |disk| disk.create(path))
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let share = match self.fate(true)? {
            Fate::Passes => return self.disk.write(file, bytes),
            Fate::Killed(share) => share,
            Fate::Full => 300,
        };
        let done = bytes.len() * usize::try_from(share).unwrap() / 1000;
        file.write_all(&bytes[..done])?;
        Err(if self.fault.is_killed() {
            dead()
        } else {
            io::ErrorKind::StorageFull.into()
        })
    }

    fn sync(&mut self, _file: &File) -> io::Result<()> {
        self.whole(false, |_| Ok(()))
    }

    fn sync_folder(&mut self, _folder: &Path) -> io::Result<()> {
        self.whole(false, |_| Ok(()))
    }

    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        self.whole(false, |_| file.set_len(bytes))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.whole(false, |disk| disk.rename(from, to))
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.whole(false, |disk| disk.remove(path))?;
        let mut state = self.fault.0.lock().unwrap();
        if state.until_removed {
            state.full = false;
        }
        Ok(())
    }
}
