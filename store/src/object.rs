//! Objects of Entra ID: what delta queries told of them.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;
use syncwatch_domain::object::{DirectoryObject, Life, ObjectChange, ObjectFacts};
use syncwatch_domain::owner::{ObjectType, Owner, Standing};

use crate::error::{During, StoreError, word};
use crate::owner::Owned;
use crate::pools::{Tx, execute, fetch, fetch_in};
use crate::store::Store;

/// Objects per statement.
const CHUNK: usize = 200;

/// What one page of a delta query told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPage {
    /// Type of its objects.
    pub kind: ObjectType,
    /// Number of the newest full round, of which this is a page, or since which it tells changes.
    pub round: i64,
    /// The full round ends with this page: what it did not tell of is gone.
    pub ends_round: bool,
    /// Attributes that the round asks for, by their names in the directory in lower case: one that is not told of
    /// an object has no value.
    pub asked: Vec<String>,
    /// What was told, in its order.
    pub changes: Vec<ObjectChange>,
}

/// An object as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Number of its row: pages are read in this order.
    pub row: i64,
    /// The object.
    pub object: DirectoryObject,
    /// Its owner; `None` while neither engine has to do with it, or nobody looked yet.
    pub owned: Option<Owned>,
    /// Its owner was not judged since it changed.
    pub unseen: bool,
    /// Guards [`crate::OwnerVerdict`].
    pub version: i64,
}

/// Row, id, type, life, facts, owner, standing, doubt, domain, unseen, version, managed.
type ObjectRow = (
    i64,
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    String,
    i64,
    i64,
    Option<i64>,
);

/// Columns, whether the source of authority is Entra ID last.
const SELECT: &str = "select id, object.object_id, kind, life, facts, owner, standing, doubt, owner_domain, unseen, \
     version, l.reading from object left join listed_object l on l.tenant = object.tenant \
     and l.list = 'cloud_managed/' || kind and l.object_id = object.object_id";

impl Store {
    /// A page of the objects of a tenant in the order of their rows, from behind `after` on.
    ///
    /// # Errors
    /// When the database refuses or holds a word this version does not know.
    pub async fn objects_after(
        &self,
        tenant: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredObject>, StoreError> {
        let sql = format!("{SELECT} where object.tenant = $1 and id > $2 order by id limit $3");
        let rows: Vec<ObjectRow> = fetch!(
            self,
            "list objects",
            sqlx::query_as(AssertSqlSafe(sql.clone()))
                .bind(tenant)
                .bind(after)
                .bind(i64::from(limit))
        )?;
        rows.into_iter().map(stored).collect()
    }

    /// An object by its id in Entra ID; `None` when nobody told of it.
    ///
    /// # Errors
    /// When the database refuses or holds a word this version does not know.
    pub async fn object(
        &self,
        tenant: &str,
        object_id: &str,
    ) -> Result<Option<StoredObject>, StoreError> {
        let sql = format!("{SELECT} where object.tenant = $1 and object.object_id = $2");
        let rows: Vec<ObjectRow> = fetch!(
            self,
            "load an object",
            sqlx::query_as(AssertSqlSafe(sql.clone()))
                .bind(tenant)
                .bind(object_id)
        )?;
        rows.into_iter().next().map(stored).transpose()
    }

    /// Objects of a tenant that changed since their owner was judged.
    ///
    /// # Errors
    /// When the database refuses or holds a word this version does not know.
    pub async fn unseen_objects(
        &self,
        tenant: &str,
        limit: u32,
    ) -> Result<Vec<StoredObject>, StoreError> {
        let sql = format!("{SELECT} where object.tenant = $1 and unseen = 1 order by id limit $2");
        let rows: Vec<ObjectRow> = fetch!(
            self,
            "list changed objects",
            sqlx::query_as(AssertSqlSafe(sql.clone()))
                .bind(tenant)
                .bind(i64::from(limit))
        )?;
        rows.into_iter().map(stored).collect()
    }
}

fn stored(row: ObjectRow) -> Result<StoredObject, StoreError> {
    let (row, id, kind, life, facts, owner, standing, doubt, domain, unseen, version, managed) =
        row;
    let mut facts: ObjectFacts = serde_json::from_str(&facts).during("read an object")?;
    facts.cloud_managed |= managed.is_some();
    let owned = match (owner, standing) {
        (Some(owner), Some(standing)) => Some(Owned {
            owner: word(Owner::from_word, &owner, "object", "owner")?,
            standing: word(Standing::from_word, &standing, "object", "standing")?,
            doubt,
            domain,
        }),
        _ => None,
    };
    Ok(StoredObject {
        row,
        object: DirectoryObject {
            id,
            kind: word(ObjectType::from_word, &kind, "object", "kind")?,
            life: word(Life::from_word, &life, "object", "life")?,
            facts,
        },
        owned,
        unseen: unseen != 0,
        version,
    })
}

/// An object before and after a page.
struct Merged {
    kind: ObjectType,
    life: Life,
    facts: ObjectFacts,
    /// The newest full round that told of it; of the page once it was told of in it.
    round: i64,
    before: Option<(Life, ObjectFacts)>,
}

impl Merged {
    fn is_same(&self) -> bool {
        let before = self.before.as_ref();
        before.is_some_and(|(life, facts)| *life == self.life && *facts == self.facts)
    }
}

/// Takes in a page. What it says of an object is put in place of what was known; an object that was
/// never seen and is not there is nobody's business.
pub(crate) async fn take_objects(
    tx: &mut Tx,
    tenant: &str,
    page: &ObjectPage,
) -> Result<(), StoreError> {
    for chunk in page.changes.chunks(CHUNK) {
        let merged = merge(known(tx, tenant, chunk).await?, page, chunk);
        let (same, changed): (Vec<_>, Vec<_>) =
            merged.iter().partition(|(_, merged)| merged.is_same());
        note_seen(tx, tenant, page.round, &same).await?;
        write_objects(tx, tenant, page.round, &changed).await?;
    }
    if page.ends_round {
        execute!(
            tx,
            "mark objects gone",
            sqlx::query(
                "update object set life = 'gone', unseen = 1, version = version + 1 \
                 where tenant = $1 and kind = $2 and round < $3 and life = 'present'"
            )
            .bind(tenant)
            .bind(page.kind.as_str())
            .bind(page.round)
        )?;
    }
    Ok(())
}

/// Objects as they are after the changes, always in the same order: two transactions must not wait
/// for each other.
///
/// What a round tells of an object first is all of it: a property that was never set is absent there
/// (Microsoft Graph reference, *user: delta*), so what an earlier round told does not stay.
fn merge(
    mut known: HashMap<String, Merged>,
    page: &ObjectPage,
    changes: &[ObjectChange],
) -> Vec<(String, Merged)> {
    for change in changes {
        let entry = match known.get_mut(change.id.as_str()) {
            Some(entry) => entry,
            None if change.life != Life::Present => continue,
            None => known.entry(change.id.clone()).or_insert(Merged {
                kind: change.kind,
                life: Life::Present,
                facts: ObjectFacts::default(),
                round: i64::MIN,
                before: None,
            }),
        };
        if entry.round < page.round && change.life == Life::Present {
            entry.round = page.round;
            entry.facts = untold(page, &entry.facts);
        }
        entry.life = change.life;
        change.facts.clone().apply(&mut entry.facts);
    }
    let mut merged: Vec<(String, Merged)> = known.into_iter().collect();
    merged.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    merged
}

/// An object of which a round told nothing yet.
fn untold(page: &ObjectPage, before: &ObjectFacts) -> ObjectFacts {
    ObjectFacts {
        cloud_managed: before.cloud_managed,
        attributes: page
            .asked
            .iter()
            .map(|name| (name.clone(), Vec::new()))
            .collect(),
        ..ObjectFacts::default()
    }
}

/// Places for a list of texts behind `before` other values.
fn list(before: usize, texts: usize) -> String {
    let places: Vec<String> = (1..=texts).map(|at| format!("${}", before + at)).collect();
    places.join(", ")
}

async fn known(
    tx: &mut Tx,
    tenant: &str,
    changes: &[ObjectChange],
) -> Result<HashMap<String, Merged>, StoreError> {
    let sql = format!(
        "select object_id, kind, life, facts, round from object where tenant = $1 and object_id in ({})",
        list(1, changes.len())
    );
    let rows: Vec<(String, String, String, String, i64)> = fetch_in!(tx, "load objects", {
        let mut query = sqlx::query_as(AssertSqlSafe(sql.clone())).bind(tenant);
        for change in changes {
            query = query.bind(change.id.as_str());
        }
        query.persistent(false)
    })?;
    rows.into_iter()
        .map(|(id, kind, life, facts, round)| {
            let life = word(Life::from_word, &life, "object", "life")?;
            let facts: ObjectFacts = serde_json::from_str(&facts).during("read an object")?;
            let merged = Merged {
                kind: word(ObjectType::from_word, &kind, "object", "kind")?,
                life,
                round,
                before: Some((life, facts.clone())),
                facts,
            };
            Ok((id, merged))
        })
        .collect()
}

/// Notes that objects were seen in a round that told nothing new of them.
async fn note_seen(
    tx: &mut Tx,
    tenant: &str,
    round: i64,
    same: &[&(String, Merged)],
) -> Result<(), StoreError> {
    if same.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "update object set round = $2 where tenant = $1 and round < $2 and object_id in ({})",
        list(2, same.len())
    );
    execute!(tx, "note that objects were seen", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(tenant)
            .bind(round);
        for (id, _) in same {
            query = query.bind(id.as_str());
        }
        query.persistent(false)
    })?;
    Ok(())
}

async fn write_objects(
    tx: &mut Tx,
    tenant: &str,
    round: i64,
    changed: &[&(String, Merged)],
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let facts: Vec<String> = changed
        .iter()
        .map(|(_, merged)| serde_json::to_string(&merged.facts).during("write objects"))
        .collect::<Result<_, _>>()?;
    let sql = format!(
        "insert into object (tenant, object_id, kind, life, facts, round) values {} \
         on conflict (tenant, object_id) do update set kind = excluded.kind, life = excluded.life, \
         facts = excluded.facts, round = excluded.round, unseen = 1, version = object.version + 1",
        tx.places(changed.len(), 6)
    );
    execute!(tx, "write objects", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for ((id, merged), facts) in changed.iter().zip(&facts) {
            query = query
                .bind(tenant)
                .bind(id.as_str())
                .bind(merged.kind.as_str())
                .bind(merged.life.as_str())
                .bind(facts.as_str())
                .bind(round);
        }
        query.persistent(false)
    })?;
    Ok(())
}
