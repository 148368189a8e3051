//! Who owns each object, how that changed, and how many each owner has.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;
use syncwatch_domain::owner::{ObjectType, Owner, Standing};
use syncwatch_domain::time::Timestamp;

use crate::error::{StoreError, word};
use crate::feed::Topic;
use crate::pools::{Tx, execute, fetch, fetch_in};
use crate::store::Store;

/// Verdicts per statement.
const CHUNK: usize = 200;
/// Counts of owners are kept once for each of these spans, in milliseconds.
const SERIES: i64 = 60_000;

/// Who owns an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The owner.
    pub owner: Owner,
    /// What is remarkable about it.
    pub standing: Standing,
    /// Why it cannot be told.
    pub doubt: Option<String>,
    /// AD domain it is counted under; empty when it is not known.
    pub domain: String,
}

/// Who owns an object, as judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerVerdict {
    /// Row of the object.
    pub row: i64,
    /// Version that was judged.
    pub version: i64,
    /// Object id, for the record of changes.
    pub object_id: String,
    /// Type.
    pub kind: ObjectType,
    /// What was on record.
    pub before: Option<Owned>,
    /// What holds now.
    pub after: Option<Owned>,
}

/// How the owner of an object changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerChange {
    /// Object id.
    pub object_id: String,
    /// Type.
    pub kind: ObjectType,
    /// Before; `None` when it had none.
    pub from: Option<Owner>,
    /// After.
    pub to: Option<Owner>,
    /// When it was judged.
    pub at: Timestamp,
    /// What caused it.
    pub cause: String,
}

/// Objects of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerCount {
    /// Tenant.
    pub tenant: String,
    /// AD domain; empty when it is not known.
    pub domain: String,
    /// Type.
    pub kind: ObjectType,
    /// Owner.
    pub owner: Owner,
    /// How many.
    pub objects: i64,
}

/// Objects of one owner at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedOwner {
    /// AD domain; empty when it is not known.
    pub domain: String,
    /// Type.
    pub kind: ObjectType,
    /// Owner.
    pub owner: Owner,
    /// The minute that ended with this count.
    pub counted_at: Timestamp,
    /// How many.
    pub objects: i64,
}

impl Store {
    /// Commits who owns objects, with the changes and counts that follow. An object that changed or
    /// was judged meanwhile is left out: it is judged again, or was. Gives how many were taken.
    ///
    /// # Errors
    /// When the database refuses; then nothing is kept.
    pub async fn commit_owners(
        &self,
        tenant: &str,
        verdicts: &[OwnerVerdict],
        cause: &str,
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        const OPERATION: &str = "commit owners";
        let mut tx = self.begin(OPERATION).await?;
        let mut written = 0;
        let mut counts = BTreeMap::<CountKey<'_>, i64>::new();
        for chunk in verdicts.chunks(CHUNK) {
            let rows = write_owners(&mut tx, chunk, at).await?;
            let taken: Vec<&OwnerVerdict> = chunk
                .iter()
                .filter(|verdict| rows.contains(&verdict.row))
                .collect();
            record_changes(&mut tx, tenant, &taken, cause, at).await?;
            written += taken.len();
            for verdict in taken {
                for (owned, by) in [(&verdict.before, -1), (&verdict.after, 1)] {
                    if let Some(owned) = owned {
                        let key = (owned.domain.as_str(), verdict.kind, owned.owner);
                        *counts.entry(key).or_default() += by;
                    }
                }
            }
        }
        counts.retain(|_, by| *by != 0);
        count(&mut tx, tenant, &counts, at).await?;
        self.commit(tx, OPERATION, &[Topic::Judged]).await?;
        Ok(written)
    }

    /// How many objects each owner has.
    ///
    /// # Errors
    /// When the database refuses or holds a word this version does not know.
    pub async fn owner_counts(&self, tenant: Option<&str>) -> Result<Vec<OwnerCount>, StoreError> {
        let rows: Vec<(String, String, String, String, i64)> = fetch!(
            self,
            "count owners",
            sqlx::query_as(
                "select tenant, domain, kind, owner, objects from owner_count \
                 where (tenant = $1 or $1 = '') and objects <> 0 order by tenant, domain, kind, owner"
            )
            .bind(tenant.unwrap_or_default())
        )?;
        rows.into_iter()
            .map(|(tenant, domain, kind, owner, objects)| {
                Ok(OwnerCount {
                    tenant,
                    domain,
                    kind: word(ObjectType::from_word, &kind, "owner_count", "kind")?,
                    owner: word(Owner::from_word, &owner, "owner_count", "owner")?,
                    objects,
                })
            })
            .collect()
    }

    /// How many objects each owner had, as it changed: oldest first, one count for each minute in
    /// which it did.
    ///
    /// # Errors
    /// When the database refuses or holds a word this version does not know.
    pub async fn owner_series(&self, tenant: &str) -> Result<Vec<CountedOwner>, StoreError> {
        let rows: Vec<(String, String, String, i64, i64)> = fetch!(
            self,
            "list counts of owners",
            sqlx::query_as(
                "select domain, kind, owner, counted_at, objects from owner_series \
                 where tenant = $1 order by counted_at, domain, kind, owner"
            )
            .bind(tenant)
        )?;
        rows.into_iter()
            .map(|(domain, kind, owner, counted_at, objects)| {
                Ok(CountedOwner {
                    domain,
                    kind: word(ObjectType::from_word, &kind, "owner_series", "kind")?,
                    owner: word(Owner::from_word, &owner, "owner_series", "owner")?,
                    counted_at: Timestamp::from_millis(counted_at),
                    objects,
                })
            })
            .collect()
    }

    /// The newest changes of owners in a tenant, newest first.
    ///
    /// # Errors
    /// When the database refuses or holds a word this version does not know.
    pub async fn owner_changes(
        &self,
        tenant: &str,
        limit: u32,
    ) -> Result<Vec<OwnerChange>, StoreError> {
        type Row = (String, String, Option<String>, Option<String>, i64, String);
        let rows: Vec<Row> = fetch!(
            self,
            "list changes of owners",
            sqlx::query_as(
                "select object_id, kind, from_owner, to_owner, changed_at, cause from owner_change \
                 where tenant = $1 order by id desc limit $2"
            )
            .bind(tenant)
            .bind(i64::from(limit))
        )?;
        rows.into_iter()
            .map(|(object_id, kind, from, to, at, cause)| {
                Ok(OwnerChange {
                    object_id,
                    kind: word(ObjectType::from_word, &kind, "owner_change", "kind")?,
                    from: known(from.as_deref())?,
                    to: known(to.as_deref())?,
                    at: Timestamp::from_millis(at),
                    cause,
                })
            })
            .collect()
    }
}

fn known(text: Option<&str>) -> Result<Option<Owner>, StoreError> {
    text.map(|text| word(Owner::from_word, text, "owner_change", "owner"))
        .transpose()
}

/// Writes owners; gives the rows that did not change meanwhile.
async fn write_owners(
    tx: &mut Tx,
    verdicts: &[OwnerVerdict],
    at: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "update object set owner = v.column3, standing = v.column4, doubt = v.column5, \
         owner_domain = v.column6, owner_at = $1, unseen = 0, version = object.version + 1 \
         from (values {}) v where object.id = v.column1 and object.version = v.column2 \
         returning object.id",
        places_behind(1, verdicts.len(), 6)
    );
    let rows: Vec<(i64,)> = fetch_in!(tx, "write owners", {
        let mut query = sqlx::query_as(AssertSqlSafe(sql.clone())).bind(at.as_millis());
        for verdict in verdicts {
            let after = verdict.after.as_ref();
            query = query
                .bind(verdict.row)
                .bind(verdict.version)
                .bind(after.map(|owned| owned.owner.as_str()))
                .bind(after.map(|owned| owned.standing.as_str()))
                .bind(after.and_then(|owned| owned.doubt.as_deref()))
                .bind(after.map_or("", |owned| owned.domain.as_str()));
        }
        query.persistent(false)
    })?;
    Ok(rows.into_iter().map(|(row,)| row).collect())
}

/// Places of values for a statement with many rows, behind `before` other values.
fn places_behind(before: usize, rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let first = before + row * columns;
        let places: Vec<String> = (1..=columns).map(|at| format!("${}", first + at)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    rows.join(", ")
}

/// Notes whose owner changed. What is judged for the first time did not change.
async fn record_changes(
    tx: &mut Tx,
    tenant: &str,
    verdicts: &[&OwnerVerdict],
    cause: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let of = |owned: &Option<Owned>| owned.as_ref().map(|owned| owned.owner.as_str());
    let changed: Vec<&&OwnerVerdict> = verdicts
        .iter()
        .filter(|verdict| verdict.before.is_some() && of(&verdict.before) != of(&verdict.after))
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "insert into owner_change (tenant, object_id, kind, from_owner, to_owner, changed_at, cause) values {}",
        tx.places(changed.len(), 7)
    );
    execute!(tx, "record changes of owners", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for verdict in &changed {
            query = query
                .bind(tenant)
                .bind(verdict.object_id.as_str())
                .bind(verdict.kind.as_str())
                .bind(of(&verdict.before))
                .bind(of(&verdict.after))
                .bind(at.as_millis())
                .bind(cause);
        }
        query.persistent(false)
    })?;
    Ok(())
}

/// Domain, type and owner.
type CountKey<'a> = (&'a str, ObjectType, Owner);

/// Adds to the counts, and keeps them as a series.
async fn count(
    tx: &mut Tx,
    tenant: &str,
    counts: &BTreeMap<CountKey<'_>, i64>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let since = at.as_millis() - at.as_millis().rem_euclid(SERIES);
    for ((domain, kind, owner), by) in counts {
        execute!(
            tx,
            "count owners",
            sqlx::query(
                "insert into owner_count (tenant, domain, kind, owner, objects) values ($1, $2, $3, $4, $5) \
                 on conflict (tenant, domain, kind, owner) do update set objects = owner_count.objects + excluded.objects"
            )
            .bind(tenant)
            .bind(*domain)
            .bind(kind.as_str())
            .bind(owner.as_str())
            .bind(*by)
        )?;
        execute!(
            tx,
            "keep counts of owners",
            sqlx::query(
                "insert into owner_series (tenant, domain, kind, owner, counted_at, objects) \
                 select tenant, domain, kind, owner, $5, objects from owner_count \
                 where tenant = $1 and domain = $2 and kind = $3 and owner = $4 \
                 on conflict (tenant, domain, kind, owner, counted_at) do update set objects = excluded.objects"
            )
            .bind(tenant)
            .bind(*domain)
            .bind(kind.as_str())
            .bind(owner.as_str())
            .bind(since)
        )?;
    }
    Ok(())
}
