//! Opaque page tokens with a short life, and empty pages in the middle.

use std::collections::HashMap;

use crate::chance::Seed;

/// Most cursors kept; the oldest is forgotten first, as servers do under load.
const MOST_CURSORS: u64 = 10_000;

/// The rest of a list that a client may ask for.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    /// Path the list belongs to.
    pub(crate) endpoint: String,
    pub(crate) items: std::sync::Arc<[u32]>,
    pub(crate) offset: usize,
    pub(crate) top: usize,
    pub(crate) expires: i64,
    /// The continuation needs the ConsistencyLevel header again.
    pub(crate) advanced: bool,
    /// Value of the change counter at the start of a delta round.
    pub(crate) delta_at: Option<u64>,
    /// Value of the change counter after which the round tells changes; `None` where it tells everything.
    pub(crate) since: Option<u64>,
    pub(crate) select: Option<String>,
    gave_empty: bool,
}

/// One page and how to go on.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) items: Vec<u32>,
    pub(crate) next_token: Option<String>,
}

impl Cursor {
    pub(crate) fn new(endpoint: &str, items: Vec<u32>, top: usize) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            items: items.into(),
            offset: 0,
            top: top.max(1),
            expires: i64::MAX,
            advanced: false,
            delta_at: None,
            since: None,
            select: None,
            gave_empty: false,
        }
    }
}

/// All page tokens of a tenant.
#[derive(Debug)]
pub(crate) struct PageStore {
    seed: Seed,
    cursors: HashMap<String, (u64, Cursor)>,
    issued: u64,
}

impl PageStore {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            seed: seed.corner("pages"),
            cursors: HashMap::new(),
            issued: 0,
        }
    }

    /// Every token handed out so far is gone.
    pub(crate) fn expire_all(&mut self) {
        self.cursors.clear();
    }

    /// Finds what a token stands for. The same token may be used again: a lost answer must not lose the page.
    pub(crate) fn find(&self, token: &str, endpoint: &str, now: i64) -> Option<Cursor> {
        let (_, cursor) = self.cursors.get(token)?;
        (cursor.endpoint == endpoint && cursor.expires > now).then(|| cursor.clone())
    }

    /// Takes the next page of a cursor; the rest gets a new token.
    pub(crate) fn take(
        &mut self,
        mut cursor: Cursor,
        now: i64,
        life_ms: i64,
        empty_share: f64,
    ) -> Page {
        let end = (cursor.offset + cursor.top).min(cursor.items.len());
        let more = end < cursor.items.len();
        // From the place in the list alone: the same token gives the same page again.
        let draw = self
            .seed
            .corner("empty")
            .corner(&cursor.endpoint)
            .nth(cursor.offset as u64);
        let (from, to) = if more && !cursor.gave_empty && draw.happens(empty_share) {
            cursor.gave_empty = true;
            (cursor.offset, cursor.offset)
        } else {
            cursor.gave_empty = false;
            (cursor.offset, end)
        };
        let items = cursor.items[from..to].to_vec();
        cursor.offset = to;
        cursor.expires = now + life_ms;
        let next_token = more.then(|| self.issue(cursor));
        Page { items, next_token }
    }

    fn issue(&mut self, cursor: Cursor) -> String {
        self.issued += 1;
        let own = self.seed.nth(self.issued);
        let token = format!("{}{}_{}", own.hex(16), own.nth(1).hex(16), cursor.offset);
        self.cursors.insert(token.clone(), (self.issued, cursor));
        if self.cursors.len() as u64 > MOST_CURSORS {
            let oldest = self.issued - MOST_CURSORS;
            self.cursors.retain(|_, (number, _)| *number > oldest);
        }
        token
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_item_comes_once_even_with_empty_pages() {
        let mut store = PageStore::new(Seed(1));
        let mut cursor = Cursor::new("/users", (0..95).collect(), 10);
        let (mut seen, mut empty) = (Vec::new(), 0);
        loop {
            let page = store.take(cursor, 0, 1000, 0.5);
            empty += u32::from(page.items.is_empty());
            seen.extend(page.items);
            match page.next_token {
                Some(token) => cursor = store.find(&token, "/users", 999).unwrap(),
                None => break,
            }
        }
        assert_eq!(seen, (0..95).collect::<Vec<u32>>());
        assert!(
            empty > 0,
            "half of the boundaries should have an empty page"
        );
    }

    #[test]
    fn tokens_end_and_belong_to_one_path() {
        let mut store = PageStore::new(Seed(1));
        let page = store.take(Cursor::new("/users", vec![1, 2], 1), 0, 1000, 0.0);
        let token = page.next_token.unwrap();
        assert!(store.find(&token, "/users", 999).is_some());
        assert!(store.find(&token, "/users", 1000).is_none(), "expired");
        assert!(store.find(&token, "/groups", 0).is_none(), "another path");
        store.expire_all();
        assert!(store.find(&token, "/users", 0).is_none());
    }
}
