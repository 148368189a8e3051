//! Lists of objects that have something in common: whose source of authority was moved to Entra ID,
//! and direct members of groups that scopes name.
//!
//! A list is read page by page; until the reading ends, what an earlier one named stays on it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::AssertSqlSafe;

use crate::error::StoreError;
use crate::model::{ListedPage, ObjectList};
use crate::pools::{Tx, execute, fetch, fetch_in};
use crate::store::Store;

/// Ids per statement.
const CHUNK: usize = 200;

impl Store {
    /// Groups whose members were read to the end, by distinguished name in its only spelling.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn groups_read(&self, tenant: &str) -> Result<BTreeSet<String>, StoreError> {
        let lists: Vec<(String,)> = fetch!(
            self,
            "list groups",
            sqlx::query_as(
                "select list from object_list where tenant = $1 and substr(list, 1, length($2)) = $2"
            )
            .bind(tenant)
            .bind(ObjectList::MEMBERS)
        )?;
        let lists = lists.into_iter();
        Ok(lists
            .map(|(list,)| list[ObjectList::MEMBERS.len()..].to_owned())
            .collect())
    }

    /// Direct members of the groups that were read to the end: object ids by group.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn group_members(
        &self,
        tenant: &str,
    ) -> Result<BTreeMap<String, HashSet<String>>, StoreError> {
        let mut members = BTreeMap::new();
        for group in self.groups_read(tenant).await? {
            let list = ObjectList::Members(group.clone()).to_word();
            let ids: Vec<(String,)> = fetch!(
                self,
                "list members of a group",
                sqlx::query_as(
                    "select object_id from listed_object where tenant = $1 and list = $2"
                )
                .bind(tenant)
                .bind(list.as_str())
            )?;
            members.insert(group, ids.into_iter().map(|(id,)| id).collect());
        }
        Ok(members)
    }

    /// Forgets the members of groups that are not among `kept`: nobody asks for them any more, or
    /// they cannot be told. Objects that were members are judged again.
    ///
    /// # Errors
    /// When the database refuses; then nothing is forgotten.
    pub async fn forget_group_members(
        &self,
        tenant: &str,
        kept: &[String],
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "forget members of groups";
        let known = self.groups_read(tenant).await?;
        let gone: Vec<&String> = known.iter().filter(|group| !kept.contains(group)).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin(OPERATION).await?;
        for group in gone {
            let list = ObjectList::Members(group.clone()).to_word();
            drop_before(&mut tx, tenant, &list, i64::MAX).await?;
            execute!(
                &mut tx,
                "forget a list of objects",
                sqlx::query("delete from object_list where tenant = $1 and list = $2")
                    .bind(tenant)
                    .bind(list.as_str())
            )?;
        }
        self.commit(tx, OPERATION, &[crate::feed::Topic::Observed])
            .await
    }
}

/// Takes in a page of a list.
pub(crate) async fn take_listed(
    tx: &mut Tx,
    tenant: &str,
    page: &ListedPage,
) -> Result<(), StoreError> {
    let list = page.list.to_word();
    for chunk in page.ids.chunks(CHUNK) {
        let known = on_list(tx, tenant, &list, chunk).await?;
        let new: Vec<&str> = chunk
            .iter()
            .map(String::as_str)
            .filter(|id| !known.contains(*id))
            .collect();
        judge_again(tx, tenant, &new).await?;
        put(tx, tenant, &list, page.reading, chunk).await?;
    }
    if page.ends {
        drop_before(tx, tenant, &list, page.reading).await?;
        execute!(
            tx,
            "note the end of a list of objects",
            sqlx::query(
                "insert into object_list (tenant, list, reading) values ($1, $2, $3) \
                 on conflict (tenant, list) do update set reading = excluded.reading"
            )
            .bind(tenant)
            .bind(list.as_str())
            .bind(page.reading)
        )?;
    }
    Ok(())
}

/// Places for ids behind `before` other values.
fn places(before: usize, ids: usize) -> String {
    let places: Vec<String> = (1..=ids).map(|at| format!("${}", before + at)).collect();
    places.join(", ")
}

async fn on_list(
    tx: &mut Tx,
    tenant: &str,
    list: &str,
    ids: &[String],
) -> Result<HashSet<String>, StoreError> {
    let sql = format!(
        "select object_id from listed_object where tenant = $1 and list = $2 and object_id in ({})",
        places(2, ids.len())
    );
    let rows: Vec<(String,)> = fetch_in!(tx, "load listed objects", {
        let mut query = sqlx::query_as(AssertSqlSafe(sql.clone()))
            .bind(tenant)
            .bind(list);
        for id in ids {
            query = query.bind(id.as_str());
        }
        query.persistent(false)
    })?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

async fn judge_again(tx: &mut Tx, tenant: &str, ids: &[&str]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "update object set unseen = 1, version = version + 1 where tenant = $1 and object_id in ({})",
        places(1, ids.len())
    );
    execute!(tx, "judge objects again", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone())).bind(tenant);
        for id in ids {
            query = query.bind(*id);
        }
        query.persistent(false)
    })?;
    Ok(())
}

async fn put(
    tx: &mut Tx,
    tenant: &str,
    list: &str,
    reading: i64,
    ids: &[String],
) -> Result<(), StoreError> {
    // One statement must not write a row twice.
    let ids: HashSet<&str> = ids.iter().map(String::as_str).collect();
    let sql = format!(
        "insert into listed_object (tenant, list, object_id, reading) values {} \
         on conflict (tenant, list, object_id) do update set reading = excluded.reading",
        tx.places(ids.len(), 4)
    );
    execute!(tx, "write listed objects", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for id in &ids {
            query = query.bind(tenant).bind(list).bind(*id).bind(reading);
        }
        query.persistent(false)
    })?;
    Ok(())
}

/// Takes off a list what no reading from this one on named.
async fn drop_before(
    tx: &mut Tx,
    tenant: &str,
    list: &str,
    reading: i64,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "judge again what left a list",
        sqlx::query(
            "update object set unseen = 1, version = version + 1 where tenant = $1 and object_id in \
             (select object_id from listed_object where tenant = $1 and list = $2 and reading < $3)"
        )
        .bind(tenant)
        .bind(list)
        .bind(reading)
    )?;
    execute!(
        tx,
        "take objects off a list",
        sqlx::query("delete from listed_object where tenant = $1 and list = $2 and reading < $3")
            .bind(tenant)
            .bind(list)
            .bind(reading)
    )?;
    Ok(())
}
