//! Lists of objects that have something in common, read page by page.

use std::collections::{BTreeMap, HashSet};

use syncwatch_domain::object::{Life, ObjectChange, Told, ToldFacts};
use syncwatch_domain::owner::{ObjectType, Owner, Standing};
use syncwatch_store::{
    ListedPage, ObjectList, ObjectPage, Owned, OwnerVerdict, PollCommit, PollOutcome, Retention,
    StoredObject,
};

use crate::bench::{Bench, TENANT, at};

crate::on_both!(
    a_list_ends_with_what_its_reading_did_not_name,
    members_are_those_of_groups_that_were_read_to_the_end,
    who_comes_to_a_list_or_leaves_it_is_judged_again,
    a_long_list_is_taken_in_pages,
    an_object_that_is_gone_is_forgotten_once_nobody_owns_it,
);

const GROUP: &str = "cn=pilot,dc=x";

async fn commit(bench: &Bench, commit: PollCommit<'_>) {
    let done = bench.store.commit_poll(&commit, &bench.policy).await;
    done.expect("a commit");
}

fn bare(bench: &Bench) -> PollCommit<'static> {
    PollCommit::bare(bench.source, at(1), at(2), PollOutcome::Partial)
}

async fn tell(bench: &Bench, ids: &[&str], life: Life) {
    let changes = ids.iter().map(|id| ObjectChange {
        id: (*id).to_owned(),
        kind: ObjectType::User,
        life,
        facts: ToldFacts {
            synced: Told::Value(Some(true)),
            ..ToldFacts::default()
        },
    });
    let objects = ObjectPage {
        kind: ObjectType::User,
        round: 1,
        ends_round: false,
        asked: Vec::new(),
        changes: changes.collect(),
    };
    let told = PollCommit {
        objects: Some(objects),
        ..bare(bench)
    };
    commit(bench, told).await;
}

async fn list(bench: &Bench, list: ObjectList, reading: i64, ends: bool, ids: &[&str]) {
    let page = ListedPage {
        list,
        reading,
        ends,
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    let listed = PollCommit {
        listed: Some(page),
        ..bare(bench)
    };
    commit(bench, listed).await;
}

fn managed() -> ObjectList {
    ObjectList::CloudManaged(ObjectType::User)
}

fn members() -> ObjectList {
    ObjectList::Members(GROUP.to_owned())
}

async fn object(bench: &Bench, id: &str) -> StoredObject {
    let object = bench.store.object(TENANT, id).await.expect("objects");
    object.expect("the object")
}

async fn is_managed(bench: &Bench, ids: &[&str]) -> Vec<bool> {
    let mut managed = Vec::new();
    for id in ids {
        managed.push(object(bench, id).await.object.facts.cloud_managed);
    }
    managed
}

async fn in_group(bench: &Bench) -> Option<Vec<String>> {
    let members: BTreeMap<String, HashSet<String>> =
        bench.store.group_members(TENANT).await.expect("members");
    let mut ids: Vec<String> = members.get(GROUP)?.iter().cloned().collect();
    ids.sort_unstable();
    Some(ids)
}

fn verdict(stored: &StoredObject, owner: Option<Owner>) -> OwnerVerdict {
    OwnerVerdict {
        row: stored.row,
        version: stored.version,
        object_id: stored.object.id.clone(),
        kind: stored.object.kind,
        before: stored.owned.clone(),
        after: owner.map(|owner| Owned {
            owner,
            standing: Standing::AsIntended,
            doubt: None,
            domain: String::new(),
        }),
    }
}

/// Judges what has to be; gives what it was.
async fn judge(bench: &Bench, seconds: i64, owner: Option<Owner>) -> Vec<String> {
    let unseen = bench.store.unseen_objects(TENANT, 1000).await;
    let unseen = unseen.expect("objects");
    let verdicts: Vec<_> = unseen.iter().map(|stored| verdict(stored, owner)).collect();
    let taken = bench
        .store
        .commit_owners(TENANT, &verdicts, "a test", at(seconds));
    assert_eq!(taken.await.expect("owners"), verdicts.len());
    unseen.into_iter().map(|stored| stored.object.id).collect()
}

async fn a_list_ends_with_what_its_reading_did_not_name(bench: Bench) {
    tell(&bench, &["a", "b", "c"], Life::Present).await;
    let ids = ["a", "b", "c"];
    assert_eq!(is_managed(&bench, &ids).await, [false, false, false]);
    list(&bench, managed(), 1, false, &["a", "a"]).await;
    // Nobody told of d yet.
    list(&bench, managed(), 1, true, &["b", "d"]).await;
    assert_eq!(is_managed(&bench, &ids).await, [true, true, false]);
    list(&bench, managed(), 2, false, &["c"]).await;
    assert_eq!(is_managed(&bench, &ids).await, [true, true, true]);
    list(&bench, managed(), 2, true, &[]).await;
    assert_eq!(is_managed(&bench, &ids).await, [false, false, true]);
    list(&bench, managed(), 3, true, &["d"]).await;
    tell(&bench, &["d"], Life::Present).await;
    assert_eq!(is_managed(&bench, &["c", "d"]).await, [false, true]);
    let pages = bench.store.objects_after(TENANT, 0, 10).await;
    let pages = pages.expect("objects").into_iter();
    let managed: Vec<bool> = pages.map(|one| one.object.facts.cloud_managed).collect();
    assert_eq!(managed, [false, false, false, true]);
}

async fn members_are_those_of_groups_that_were_read_to_the_end(bench: Bench) {
    list(&bench, members(), 1, false, &["a"]).await;
    assert_eq!(in_group(&bench).await, None, "more may come");
    list(&bench, members(), 1, true, &["b"]).await;
    list(&bench, managed(), 1, true, &["c"]).await;
    let both = Some(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(in_group(&bench).await, both);
    let forget = async |kept: &[String]| {
        let done = bench.store.forget_group_members(TENANT, kept).await;
        done.expect("it forgets");
    };
    forget(&[GROUP.to_owned()]).await;
    assert_eq!(in_group(&bench).await, both);
    tell(&bench, &["c"], Life::Present).await;
    forget(&[]).await;
    assert_eq!(in_group(&bench).await, None);
    assert_eq!(is_managed(&bench, &["c"]).await, [true], "another list");
    list(&bench, members(), 2, true, &[]).await;
    assert_eq!(in_group(&bench).await, Some(Vec::new()), "empty, and read");
}

async fn who_comes_to_a_list_or_leaves_it_is_judged_again(bench: Bench) {
    tell(&bench, &["a", "b", "c"], Life::Present).await;
    list(&bench, members(), 1, true, &["a", "b"]).await;
    judge(&bench, 10, Some(Owner::Cloud)).await;
    list(&bench, members(), 2, true, &["a", "b"]).await;
    assert_eq!(judge(&bench, 20, None).await, Vec::<String>::new());
    list(&bench, members(), 3, true, &["b", "c"]).await;
    assert_eq!(judge(&bench, 30, None).await, ["a", "c"]);
    let forgotten = bench.store.forget_group_members(TENANT, &[]).await;
    forgotten.expect("it forgets");
    assert_eq!(judge(&bench, 40, None).await, ["b", "c"]);
}

async fn a_long_list_is_taken_in_pages(bench: Bench) {
    let ids: Vec<String> = (0..450).map(|number| format!("u{number:03}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    tell(&bench, &ids, Life::Present).await;
    list(&bench, members(), 1, true, &ids).await;
    assert_eq!(in_group(&bench).await.map(|ids| ids.len()), Some(450));
    list(&bench, members(), 2, true, &ids[..300]).await;
    assert_eq!(in_group(&bench).await.map(|ids| ids.len()), Some(300));
}

async fn an_object_that_is_gone_is_forgotten_once_nobody_owns_it(bench: Bench) {
    let day = std::time::Duration::from_secs(86_400);
    let retention = Retention {
        observations: day,
        cycles: day,
        alerts: day,
    };
    let left = async |later: u32| -> Vec<String> {
        let now = at(100) + day * later;
        bench
            .store
            .prune(now, &retention)
            .await
            .expect("it forgets");
        let objects = bench.store.objects_after(TENANT, 0, 10).await;
        let objects = objects.expect("objects").into_iter();
        objects.map(|stored| stored.object.id).collect()
    };
    tell(&bench, &["a", "b", "c"], Life::Present).await;
    judge(&bench, 10, Some(Owner::Cloud)).await;
    tell(&bench, &["a"], Life::Gone).await;
    tell(&bench, &["b"], Life::Deleted).await;
    assert_eq!(left(5).await, ["a", "b", "c"], "a was not judged since");
    judge(&bench, 100, None).await;
    assert_eq!(left(0).await, ["a", "b", "c"], "that is not long ago");
    assert_eq!(left(2).await, ["b", "c"]);
}
