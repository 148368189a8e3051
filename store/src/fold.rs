//! Folding the write-ahead log of SQLite back into its file, beside the writer and not in its way.
//!
//! Left alone, the commit that fills the log does it: everything after that one waits a tenth of
//! a second or more, and it may be the commit of a missed window. `wal_autocheckpoint` stays as a
//! backstop for processes that only write.

use crate::error::{During, StoreError};
use crate::pools::Pools;
use crate::store::Store;

/// From this many bytes of log on it is worth it: hot pages are written once for many commits.
const WORTH_IT: u64 = 8 * 1024 * 1024;

impl Store {
    /// Folds the log back when it has grown; gives how many of its pages are in the file now,
    /// `None` when there was nothing to do. PostgreSQL has a checkpointer of its own.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn fold_log(&self) -> Result<Option<i64>, StoreError> {
        self.fold_log_from(WORTH_IT).await
    }

    async fn fold_log_from(&self, bytes: u64) -> Result<Option<i64>, StoreError> {
        let Pools::Sqlite { readers, log, .. } = self.pools()? else {
            return Ok(None);
        };
        let size = std::fs::metadata(log).map_or(0, |log| log.len());
        if size < bytes {
            return Ok(None);
        }
        // Whether it was busy, pages in the log, pages folded back.
        let (_, _, folded): (i64, i64, i64) = sqlx::query_as("pragma wal_checkpoint(passive)")
            .fetch_one(readers)
            .await
            .during("fold the log back")?;
        Ok(Some(folded))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use syncwatch_domain::source::{Poll, SourceKey};
    use syncwatch_domain::time::Timestamp;

    use super::*;
    use crate::store::StoreOptions;

    #[tokio::test]
    async fn the_log_begins_anew_after_it_was_folded_back() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("fold.db").display());
        let options = StoreOptions::new(url, "test");
        let store = Store::open_and_migrate(&options).await.unwrap();
        let log = folder.path().join("fold.db-wal");
        let mut sizes = Vec::new();
        for number in 0..20 {
            let key = SourceKey {
                tenant: "yew".into(),
                poll: Poll::Jobs,
                instance: number.to_string(),
            };
            store.ensure_source(&key, Timestamp::EPOCH).await.unwrap();
            assert!(store.fold_log_from(1).await.unwrap().unwrap() > 0);
            sizes.push(std::fs::metadata(&log).unwrap().len());
        }
        assert_eq!(sizes[5], sizes[19], "it does not grow: {sizes:?}");
        assert_eq!(store.fold_log().await.unwrap(), None, "it is small");
        store.close().await;
    }
}
