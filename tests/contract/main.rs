//! The contract of the store, stamped on both databases: whatever one does, the other does too.

mod agents;
mod alerts;
mod bench;
mod lanes;
mod ledger;
mod listed;
mod logs;
mod objects;
mod outbox;
mod schema;
mod sources;

/// Stamps `async fn name(bench: Bench)` on SQLite and PostgreSQL.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::bench::Bench::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::bench::Bench::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;
