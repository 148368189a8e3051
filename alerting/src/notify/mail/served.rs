//! Who got a mail already that others have yet to get.
//!
//! One full mailbox must neither keep a mail from everybody else nor make everybody else get it
//! again and again. Held in memory only: after a restart they may get it once more, under the
//! same Message-ID.

use std::collections::VecDeque;
use std::sync::Mutex;

use lettre::Address;
use lettre::message::Mailbox;

/// Mails whose state is remembered; the oldest is forgotten first.
const CAPACITY: usize = 256;

/// Recipients that need not get a mail again, by idempotency key.
#[derive(Debug, Default)]
pub(super) struct Served(Mutex<VecDeque<(String, Vec<Address>)>>);

impl Served {
    /// Who has yet to get the mail `key`.
    pub(super) fn remaining(&self, key: &str, all: &[Mailbox]) -> Vec<Address> {
        let entries = self.lock();
        let done = entries
            .iter()
            .find(|(one, _)| one == key)
            .map(|(_, done)| done);
        let due = |address: &&Address| done.is_none_or(|done| !done.contains(address));
        all.iter()
            .map(|mailbox| &mailbox.email)
            .filter(due)
            .cloned()
            .collect()
    }

    /// These are done with the mail `key`.
    pub(super) fn note(&self, key: &str, done: Vec<Address>) {
        let mut entries = self.lock();
        if let Some((_, known)) = entries.iter_mut().find(|(one, _)| one == key) {
            known.extend(done);
            return;
        }
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        entries.push_back((key.to_owned(), done));
    }

    /// All are done with the mail `key`.
    pub(super) fn forget(&self, key: &str) {
        self.lock().retain(|(one, _)| one != key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(String, Vec<Address>)>> {
        self.0
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_bounded_and_the_oldest_goes_first() {
        let served = Served::default();
        let all: Vec<Mailbox> = vec![
            "a@x.example".parse().unwrap(),
            "b@x.example".parse().unwrap(),
        ];
        for n in 0..=CAPACITY {
            served.note(&n.to_string(), vec![all[0].email.clone()]);
        }
        assert_eq!(served.remaining("0", &all).len(), 2);
        assert_eq!(served.remaining("1", &all), [all[1].email.clone()]);
        served.note("1", vec![all[1].email.clone()]);
        assert!(served.remaining("1", &all).is_empty());
        served.forget("1");
        assert_eq!(served.remaining("1", &all).len(), 2);
    }
}
