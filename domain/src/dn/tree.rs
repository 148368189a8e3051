//! Names with something attached, found again from any name at or below them.

use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use super::{DnError, rdn, rdns};

/// Parts of a name whose places are kept without asking for memory.
const PARTS: usize = 32;
/// A part that is this short, in bytes, is brought to lower case without asking for memory.
const SHORT: usize = 128;
/// The place above all names.
const ROOT: u32 = 0;

/// Names as a tree of their parts, the root on top; each with a value.
///
/// A lookup goes from the root down as far as the tree knows the way and compares part by part, so
/// what it finds does not hang on the quality of a hash.
#[derive(Clone, Debug)]
pub struct Tree<T> {
    nodes: Vec<Node<T>>,
    /// Places by the place above and the hash of the part; those that share a hash are chained.
    places: HashMap<(u32, u64), u32, FixedState>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    /// The part in its only spelling.
    rdn: Box<str>,
    value: T,
    has_children: bool,
    /// Another part below the same place with the same hash.
    next: Option<u32>,
}

/// What a walk found, and whether a name one part longer may find more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Walk<A> {
    pub(super) sum: A,
    /// The place of the whole name, when there are places below it.
    pub(super) open: Option<u32>,
}

impl<T: Default> Default for Tree<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Default> Tree<T> {
    /// A tree without names.
    #[must_use]
    pub fn new() -> Self {
        Self {
            nodes: vec![Node {
                rdn: Box::default(),
                value: T::default(),
                has_children: false,
                next: None,
            }],
            places: HashMap::default(),
        }
    }

    /// The value of a name, which is made where there is none.
    ///
    /// # Errors
    /// When the text is not a distinguished name.
    pub fn entry(&mut self, dn: &str) -> Result<&mut T, DnError> {
        let mut place = ROOT;
        let parts: Vec<&str> = rdns(dn).collect();
        for raw in parts.into_iter().rev() {
            place = self.child_or_new(place, raw)?;
        }
        Ok(&mut self.nodes[index(place)].value)
    }

    fn child_or_new(&mut self, above: u32, raw: &str) -> Result<u32, DnError> {
        if let Some(known) = self.child(above, raw)? {
            return Ok(known);
        }
        let rdn = rdn::canonical(raw)?;
        let key = (above, hash(rdn.as_bytes()));
        let place = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Node {
            rdn: rdn.into(),
            value: T::default(),
            has_children: false,
            next: self.places.get(&key).copied(),
        });
        self.places.insert(key, place);
        self.nodes[index(above)].has_children = true;
        Ok(place)
    }
}

impl<T> Tree<T> {
    /// Goes from the root down to the name and takes in the value of every name on the way that the
    /// tree has: the last one is the nearest.
    ///
    /// # Errors
    /// When a part of the name that has to be compared is not one.
    pub fn fold<A>(&self, dn: &str, start: A, step: impl Fn(&mut A, &T)) -> Result<A, DnError> {
        self.walk(dn, start, &step).map(|walk| walk.sum)
    }

    pub(super) fn walk<A>(
        &self,
        dn: &str,
        sum: A,
        step: &impl Fn(&mut A, &T),
    ) -> Result<Walk<A>, DnError> {
        let mut walk = Walk {
            sum,
            open: Some(ROOT),
        };
        let mut starts = [0; PARTS];
        let (mut count, mut start) = (0, 0);
        for raw in rdns(dn) {
            if count == PARTS {
                let parts: Vec<&str> = rdns(dn).collect();
                self.down(&mut walk, parts.into_iter().rev(), step)?;
                return Ok(walk);
            }
            starts[count] = start;
            count += 1;
            start += raw.len() + 1;
        }
        let mut end = dn.len();
        let parts = starts[..count].iter().rev().map(|start| {
            let raw = &dn[*start..end];
            end = start.saturating_sub(1);
            raw
        });
        self.down(&mut walk, parts, step)?;
        Ok(walk)
    }

    fn down<'a, A>(
        &self,
        walk: &mut Walk<A>,
        parts: impl Iterator<Item = &'a str>,
        step: &impl Fn(&mut A, &T),
    ) -> Result<(), DnError> {
        for raw in parts {
            self.one_down(walk, raw, step)?;
            if walk.open.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// One part further down from where a walk ended.
    pub(super) fn one_down<A>(
        &self,
        walk: &mut Walk<A>,
        raw: &str,
        step: &impl Fn(&mut A, &T),
    ) -> Result<(), DnError> {
        let Some(above) = walk.open.take() else {
            return Ok(());
        };
        if let Some(place) = self.child(above, raw)? {
            let node = &self.nodes[index(place)];
            step(&mut walk.sum, &node.value);
            walk.open = node.has_children.then_some(place);
        }
        Ok(())
    }

    fn child(&self, above: u32, raw: &str) -> Result<Option<u32>, DnError> {
        let bytes = raw.trim_start_matches(' ').as_bytes();
        if bytes.len() <= SHORT && rdn::is_plain(bytes) {
            let mut lower = [0; SHORT];
            let lower = &mut lower[..bytes.len()];
            lower.copy_from_slice(bytes);
            lower.make_ascii_lowercase();
            return Ok(self.find(above, lower));
        }
        Ok(self.find(above, rdn::canonical(raw)?.as_bytes()))
    }

    fn find(&self, above: u32, canonical: &[u8]) -> Option<u32> {
        let mut place = self.places.get(&(above, hash(canonical))).copied();
        while let Some(at) = place {
            let node = &self.nodes[index(at)];
            if node.rdn.as_bytes() == canonical {
                break;
            }
            place = node.next;
        }
        place
    }
}

pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// Places are counted in 32 bits to keep the tree small; a machine's words are never smaller.
const fn index(place: u32) -> usize {
    place as usize
}
