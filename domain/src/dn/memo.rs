//! Objects share their ancestors: what was found for one is remembered.

use super::tree::{Tree, Walk, hash};
use super::{DnError, split};

/// Slots for ancestors; a power of two.
const SLOTS: usize = 1 << 14;
/// Slots that may be taken before everything is forgotten: beyond that, looking for a free one takes long.
const MOST: usize = SLOTS / 4 * 3;
/// Most bytes of ancestors that are kept, over all slots.
const KEPT: usize = 1 << 20;
/// Lookups after which it is asked whether remembering pays.
const SPELL: u32 = 4096;
/// Spells before the nearest ancestor is tried again.
const REST: u32 = 15;
/// Parts of a name that are left out at most to get to an ancestor that comes again.
const FARTHEST: u32 = 3;

/// Lookups in a [`Tree`] that remember what was found for ancestors, in about 1.5 MiB at most.
///
/// As a rule the parent is remembered; where hardly a parent comes twice, what stands above it.
#[derive(Debug)]
pub struct Memo<'t, T, A, F> {
    tree: &'t Tree<T>,
    start: A,
    step: F,
    slots: Vec<Slot<A>>,
    taken: usize,
    /// The ancestors that slots know, one behind the other.
    kept: Vec<u8>,
    /// Parts left out beyond the first.
    above: u32,
    seen: u32,
    hits: u32,
    rest: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot<A> {
    hash: u64,
    begin: u32,
    /// 0 while the slot is free.
    length: u32,
    walk: Walk<A>,
}

impl<'t, T, A: Copy, F: Fn(&mut A, &T)> Memo<'t, T, A, F> {
    /// Lookups that start from `start` and take in values with `step`, as [`Tree::fold`] does.
    pub const fn new(tree: &'t Tree<T>, start: A, step: F) -> Self {
        Self {
            tree,
            start,
            step,
            slots: Vec::new(),
            taken: 0,
            kept: Vec::new(),
            above: 0,
            seen: 0,
            hits: 0,
            rest: 0,
        }
    }

    /// What [`Tree::fold`] finds for the name.
    ///
    /// # Errors
    /// When a part of the name that has to be compared is not one.
    pub fn find(&mut self, dn: &str) -> Result<A, DnError> {
        self.seen += 1;
        if self.seen == SPELL {
            self.take_stock();
        }
        self.below(dn, self.above).map(|walk| walk.sum)
    }

    /// The walk to a name, whose ancestor is remembered after `more` parts more.
    fn below(&mut self, dn: &str, more: u32) -> Result<Walk<A>, DnError> {
        let (rdn, Some(parent)) = split(dn) else {
            return self.tree.walk(dn, self.start, &self.step);
        };
        let mut walk = if more == 0 {
            self.remembered(parent)?
        } else {
            self.below(parent, more - 1)?
        };
        self.tree.one_down(&mut walk, rdn, &self.step)?;
        Ok(walk)
    }

    fn remembered(&mut self, ancestor: &str) -> Result<Walk<A>, DnError> {
        let bytes = ancestor.as_bytes();
        let hash = hash(bytes);
        // The low bits choose the slot.
        let mut at = usize::try_from(hash % SLOTS as u64).unwrap_or_default();
        while let Some(slot) = self.slots.get(at).filter(|slot| slot.length > 0) {
            if slot.hash == hash && self.text(slot) == bytes {
                self.hits += 1;
                return Ok(slot.walk);
            }
            at = (at + 1) % SLOTS;
        }
        let walk = self.tree.walk(ancestor, self.start, &self.step)?;
        self.remember(at, hash, bytes, walk);
        Ok(walk)
    }

    fn text(&self, slot: &Slot<A>) -> &[u8] {
        let begin = slot.begin as usize;
        &self.kept[begin..begin + slot.length as usize]
    }

    fn remember(&mut self, at: usize, hash: u64, ancestor: &[u8], walk: Walk<A>) {
        // One that is very long is not worth the place of many.
        if ancestor.is_empty() || ancestor.len() > KEPT / 16 {
            return;
        }
        let mut at = at;
        if self.taken == self.most() || self.kept.len() + ancestor.len() > KEPT {
            self.forget(walk);
            at = usize::try_from(hash % SLOTS as u64).unwrap_or_default();
        }
        let (Ok(begin), Ok(length)) = (
            u32::try_from(self.kept.len()),
            u32::try_from(ancestor.len()),
        ) else {
            return;
        };
        self.kept.extend_from_slice(ancestor);
        self.taken += 1;
        self.slots[at] = Slot {
            hash,
            begin,
            length,
            walk,
        };
    }

    /// None before the slots are there.
    const fn most(&self) -> usize {
        if self.slots.is_empty() { 0 } else { MOST }
    }

    fn forget(&mut self, walk: Walk<A>) {
        let free = Slot {
            hash: 0,
            begin: 0,
            length: 0,
            walk,
        };
        self.slots.clear();
        self.slots.reserve_exact(SLOTS);
        self.slots.resize(SLOTS, free);
        self.kept.clear();
        self.kept.reserve_exact(KEPT);
        self.taken = 0;
    }

    /// Goes one part further up when fewer than one lookup in eight was a hit, and comes back to the
    /// parent after a while.
    const fn take_stock(&mut self) {
        if self.rest > 0 {
            self.rest -= 1;
            if self.rest == 0 {
                self.above = 0;
            }
        }
        if self.hits < SPELL / 8 && self.above < FARTHEST {
            self.above += 1;
            self.rest = REST;
        }
        self.seen = 0;
        self.hits = 0;
    }
}
