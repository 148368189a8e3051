//! Objects and their owners: what delta queries tell comes in any order, twice, and in parts.

use std::collections::BTreeMap;

use syncwatch_domain::object::{Life, ObjectChange, ObjectFacts, Told, ToldFacts};
use syncwatch_domain::owner::{ObjectType, Owner, Standing};
use syncwatch_store::{
    ObjectPage, Owned, OwnerVerdict, PollCommit, PollOutcome, Retention, StoredObject,
};

use crate::bench::{Bench, TENANT, at};

crate::on_both!(
    what_is_told_in_parts_comes_together,
    a_full_round_ends_with_what_it_did_not_tell_of,
    what_a_round_tells_first_of_an_object_is_all_of_it,
    only_what_changed_is_judged_again,
    owners_are_counted_and_their_changes_kept,
    a_verdict_on_what_changed_meanwhile_is_left_out,
    a_verdict_that_comes_twice_counts_once,
    many_objects_are_read_in_pages,
    a_page_in_the_middle_of_a_round_says_where_to_go_on,
    old_changes_and_counts_are_forgotten_but_the_newest_count,
);

fn change(id: &str, facts: ToldFacts) -> ObjectChange {
    ObjectChange {
        id: id.to_owned(),
        kind: ObjectType::User,
        life: Life::Present,
        facts,
    }
}

fn user(id: &str) -> ObjectChange {
    let facts = ToldFacts {
        dn: Told::Value(Some(format!("CN={id},OU=Staff,DC=x"))),
        synced: Told::Value(Some(true)),
        ..ToldFacts::default()
    };
    change(id, facts)
}

fn removed(id: &str, life: Life) -> ObjectChange {
    ObjectChange {
        life,
        ..change(id, ToldFacts::default())
    }
}

async fn take(bench: &Bench, round: i64, ends_round: bool, changes: Vec<ObjectChange>) {
    let commit = PollCommit {
        objects: Some(ObjectPage {
            kind: ObjectType::User,
            round,
            ends_round,
            asked: vec!["mail".to_owned()],
            changes,
        }),
        ..PollCommit::bare(bench.source, at(1), at(2), PollOutcome::Read)
    };
    let done = bench.store.commit_poll(&commit, &bench.policy).await;
    done.expect("a page");
}

async fn all(bench: &Bench) -> Vec<StoredObject> {
    let objects = bench.store.objects_after(TENANT, 0, 1000).await;
    objects.expect("objects")
}

async fn object(bench: &Bench, id: &str) -> StoredObject {
    let all = all(bench).await.into_iter();
    let mut found = all.filter(|stored| stored.object.id == id);
    let first = found.next().expect("an object");
    assert_eq!(found.next(), None, "each object is there once");
    first
}

async fn unseen(bench: &Bench) -> Vec<String> {
    let objects = bench.store.unseen_objects(TENANT, 1000).await;
    let objects = objects.expect("objects").into_iter();
    objects.map(|stored| stored.object.id).collect()
}

fn owned(owner: Owner) -> Owned {
    Owned {
        owner,
        standing: Standing::AsIntended,
        doubt: (owner == Owner::Unknown).then(|| "nobody says".to_owned()),
        domain: "x".to_owned(),
    }
}

fn verdict(stored: &StoredObject, owner: Option<Owner>) -> OwnerVerdict {
    OwnerVerdict {
        row: stored.row,
        version: stored.version,
        object_id: stored.object.id.clone(),
        kind: stored.object.kind,
        before: stored.owned.clone(),
        after: owner.map(owned),
    }
}

async fn judge(bench: &Bench, seconds: i64, owner: impl Fn(&str) -> Option<Owner>) -> usize {
    let objects = bench.store.unseen_objects(TENANT, 1000).await;
    let objects = objects.expect("objects");
    let verdicts: Vec<OwnerVerdict> = objects
        .iter()
        .map(|stored| verdict(stored, owner(&stored.object.id)))
        .collect();
    let taken = bench
        .store
        .commit_owners(TENANT, &verdicts, "a test", at(seconds));
    taken.await.expect("owners")
}

async fn counts(bench: &Bench) -> Vec<(Owner, i64)> {
    let counts = bench.store.owner_counts(Some(TENANT)).await;
    let counts = counts.expect("counts").into_iter();
    counts.map(|count| (count.owner, count.objects)).collect()
}

async fn what_is_told_in_parts_comes_together(bench: Bench) {
    take(&bench, 1, false, vec![user("a"), user("b"), user("a")]).await;
    let mail = BTreeMap::from([("mail".to_owned(), vec!["a@x".to_owned()])]);
    let part = ToldFacts {
        attributes: mail.clone(),
        ..ToldFacts::default()
    };
    take(
        &bench,
        1,
        false,
        vec![change("a", part.clone()), change("a", part)],
    )
    .await;
    let stored = object(&bench, "a").await.object;
    let expected = ObjectFacts {
        dn: Some("CN=a,OU=Staff,DC=x".to_owned()),
        synced: Some(true),
        attributes: mail,
        ..ObjectFacts::default()
    };
    assert_eq!((stored.life, stored.facts), (Life::Present, expected));
    // Nobody knows c, so nothing is lost with it; b can be restored, and is.
    let gone = vec![removed("c", Life::Gone), removed("b", Life::Deleted)];
    take(&bench, 1, false, gone).await;
    assert_eq!(all(&bench).await.len(), 2);
    assert_eq!(object(&bench, "b").await.object.life, Life::Deleted);
    take(&bench, 1, false, vec![change("b", ToldFacts::default())]).await;
    let restored = object(&bench, "b").await.object;
    assert_eq!(restored.life, Life::Present);
    assert_eq!(restored.facts.dn.as_deref(), Some("CN=b,OU=Staff,DC=x"));
}

async fn a_full_round_ends_with_what_it_did_not_tell_of(bench: Bench) {
    take(&bench, 1, true, vec![user("a"), user("b"), user("c")]).await;
    take(
        &bench,
        1,
        false,
        vec![removed("c", Life::Deleted), user("d")],
    )
    .await;
    let mut group = user("g");
    group.kind = ObjectType::Group;
    take(&bench, 1, false, vec![group]).await;
    take(&bench, 2, false, vec![user("a")]).await;
    assert_eq!(
        object(&bench, "b").await.object.life,
        Life::Present,
        "the round goes on"
    );
    take(&bench, 2, true, vec![user("d")]).await;
    for (id, life) in [
        ("a", Life::Present),
        ("b", Life::Gone),
        ("c", Life::Deleted),
        ("d", Life::Present),
        ("g", Life::Present),
    ] {
        assert_eq!(object(&bench, id).await.object.life, life, "{id}");
    }
}

async fn what_a_round_tells_first_of_an_object_is_all_of_it(bench: Bench) {
    let mail = |values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        BTreeMap::from([("mail".to_owned(), values)])
    };
    let mut told = user("a");
    told.facts.attributes = mail(&["a@x"]);
    told.facts.sid = Told::Value(Some("S-1".to_owned()));
    take(&bench, 1, true, vec![told]).await;
    let facts = object(&bench, "a").await.object.facts;
    assert_eq!(facts.attributes, mail(&["a@x"]));
    let part = ToldFacts {
        sid: Told::Value(Some("S-2".to_owned())),
        ..ToldFacts::default()
    };
    // Within a round a part adds to what was told, in the next one it begins anew.
    take(&bench, 1, false, vec![change("a", part.clone())]).await;
    let facts = object(&bench, "a").await.object.facts;
    assert_eq!(facts.attributes, mail(&["a@x"]));
    assert_eq!(facts.sid.as_deref(), Some("S-2"));
    take(&bench, 2, false, vec![user("a"), change("a", part)]).await;
    let facts = object(&bench, "a").await.object.facts;
    assert_eq!(facts.attributes, mail(&[]), "asked for and not there");
    assert_eq!(facts.sid.as_deref(), Some("S-2"));
    assert_eq!(facts.synced, Some(true));
    take(&bench, 3, true, vec![user("a")]).await;
    let facts = object(&bench, "a").await.object.facts;
    assert_eq!(facts.sid, None);
}

async fn only_what_changed_is_judged_again(bench: Bench) {
    take(&bench, 1, true, vec![user("a"), user("b")]).await;
    assert_eq!(unseen(&bench).await, ["a", "b"]);
    assert_eq!(judge(&bench, 10, |_| Some(Owner::Connect)).await, 2);
    assert_eq!(unseen(&bench).await, Vec::<String>::new());
    take(&bench, 2, false, vec![user("a"), user("b")]).await;
    assert_eq!(unseen(&bench).await, Vec::<String>::new());
    take(&bench, 2, true, vec![]).await;
    assert_eq!(unseen(&bench).await, Vec::<String>::new());
    let moved = ToldFacts {
        dn: Told::Value(Some("CN=a,OU=Sales,DC=x".to_owned())),
        ..ToldFacts::default()
    };
    take(&bench, 2, false, vec![change("a", moved)]).await;
    assert_eq!(unseen(&bench).await, ["a"]);
    take(&bench, 3, true, vec![user("a")]).await;
    assert_eq!(unseen(&bench).await, ["a", "b"]);
}

async fn owners_are_counted_and_their_changes_kept(bench: Bench) {
    let ids = ["a", "b", "c", "d"];
    take(&bench, 1, true, ids.map(user).to_vec()).await;
    let first = |id: &str| match id {
        "a" | "b" => Some(Owner::Connect),
        "c" => Some(Owner::Unknown),
        _ => None,
    };
    judge(&bench, 10, first).await;
    assert_eq!(
        counts(&bench).await,
        [(Owner::Connect, 2), (Owner::Unknown, 1)]
    );
    let stored = object(&bench, "c").await.owned;
    assert_eq!(stored, Some(owned(Owner::Unknown)));
    assert_eq!(object(&bench, "d").await.owned, None);
    let changes = bench
        .store
        .owner_changes(TENANT, 10)
        .await
        .expect("changes");
    assert_eq!(changes, [], "the first look is no change");

    let verdicts: Vec<OwnerVerdict> = all(&bench)
        .await
        .iter()
        .map(|stored| {
            let owner = match stored.object.id.as_str() {
                "a" => Some(Owner::Cloud),
                "b" => Some(Owner::Connect),
                _ => None,
            };
            verdict(stored, owner)
        })
        .collect();
    let taken = bench
        .store
        .commit_owners(TENANT, &verdicts, "a new scope", at(20));
    assert_eq!(taken.await.expect("owners"), 4);
    assert_eq!(
        counts(&bench).await,
        [(Owner::Cloud, 1), (Owner::Connect, 1)]
    );
    let changes = bench
        .store
        .owner_changes(TENANT, 10)
        .await
        .expect("changes");
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change.object_id.as_str(), change.from, change.to, change.at))
        .collect();
    assert!(changes.iter().all(|change| change.cause == "a new scope"));
    assert_eq!(told.len(), 2);
    assert!(told.contains(&("a", Some(Owner::Connect), Some(Owner::Cloud), at(20))));
    assert!(told.contains(&("c", Some(Owner::Unknown), None, at(20))));
}

async fn a_verdict_on_what_changed_meanwhile_is_left_out(bench: Bench) {
    take(&bench, 1, true, vec![user("a"), user("b")]).await;
    let before = all(&bench).await;
    let moved = ToldFacts {
        dn: Told::Value(Some("CN=a,OU=Sales,DC=x".to_owned())),
        ..ToldFacts::default()
    };
    take(&bench, 1, false, vec![change("a", moved)]).await;
    let verdicts: Vec<OwnerVerdict> = before
        .iter()
        .map(|stored| verdict(stored, Some(Owner::Cloud)))
        .collect();
    let taken = bench
        .store
        .commit_owners(TENANT, &verdicts, "a test", at(10));
    assert_eq!(taken.await.expect("owners"), 1);
    assert_eq!(unseen(&bench).await, ["a"]);
    assert_eq!(counts(&bench).await, [(Owner::Cloud, 1)]);
}

async fn a_verdict_that_comes_twice_counts_once(bench: Bench) {
    take(&bench, 1, true, vec![user("a")]).await;
    let verdicts = [verdict(&object(&bench, "a").await, Some(Owner::Cloud))];
    // Two processes may have judged the same.
    for taken in [1, 0] {
        let done = bench
            .store
            .commit_owners(TENANT, &verdicts, "a test", at(10));
        assert_eq!(done.await.expect("owners"), taken);
        assert_eq!(counts(&bench).await, [(Owner::Cloud, 1)]);
    }
}

async fn many_objects_are_read_in_pages(bench: Bench) {
    let ids: Vec<String> = (0..450).map(|number| format!("u{number:03}")).collect();
    take(&bench, 1, true, ids.iter().map(|id| user(id)).collect()).await;
    let mut read = Vec::new();
    let mut after = 0;
    loop {
        let page = bench.store.objects_after(TENANT, after, 100).await;
        let page = page.expect("a page");
        let Some(last) = page.last() else {
            break;
        };
        after = last.row;
        read.extend(page.into_iter().map(|stored| stored.object.id));
    }
    read.sort_unstable();
    assert_eq!(read, ids);
    assert_eq!(judge(&bench, 10, |_| Some(Owner::Cloud)).await, 450);
    assert_eq!(counts(&bench).await, [(Owner::Cloud, 450)]);
    let none = bench.store.objects_after("other", 0, 10).await;
    assert_eq!(none.expect("a page"), []);
}

async fn a_page_in_the_middle_of_a_round_says_where_to_go_on(bench: Bench) {
    let page = |outcome, resume: Option<&str>| PollCommit {
        objects: Some(ObjectPage {
            kind: ObjectType::User,
            round: 1,
            ends_round: false,
            asked: Vec::new(),
            changes: vec![user("a")],
        }),
        resume: resume.map(str::to_owned),
        ..PollCommit::bare(bench.source, at(1), at(2), outcome)
    };
    for (outcome, resume, kept) in [
        (PollOutcome::Partial, Some("page 2"), "page 2"),
        (PollOutcome::Partial, None, "page 2"),
        (PollOutcome::Read, Some("changes"), "changes"),
    ] {
        let is_read = outcome == PollOutcome::Read;
        bench.write(&page(outcome, resume)).await;
        let sources = bench.store.sources(None).await.expect("sources");
        let source = sources.into_iter().find(|source| source.id == bench.source);
        let source = source.expect("the source");
        assert_eq!(source.resume.as_deref(), Some(kept));
        assert_eq!(source.state.read_at.is_some(), is_read, "a part is no read");
    }
}

async fn old_changes_and_counts_are_forgotten_but_the_newest_count(bench: Bench) {
    take(&bench, 1, true, vec![user("a")]).await;
    for (seconds, owner) in [
        (0, Owner::Connect),
        (100, Owner::Cloud),
        (200, Owner::Connect),
    ] {
        let verdicts: Vec<OwnerVerdict> = all(&bench)
            .await
            .iter()
            .map(|stored| verdict(stored, Some(owner)))
            .collect();
        let taken = bench
            .store
            .commit_owners(TENANT, &verdicts, "a test", at(seconds));
        taken.await.expect("owners");
    }
    let day = std::time::Duration::from_secs(86_400);
    let retention = Retention {
        observations: day,
        cycles: day,
        alerts: day,
    };
    let later = at(150) + day;
    bench
        .store
        .prune(later, &retention)
        .await
        .expect("it forgets");
    let changes = bench
        .store
        .owner_changes(TENANT, 10)
        .await
        .expect("changes");
    assert_eq!(changes.len(), 1);
    bench
        .store
        .prune(later + day, &retention)
        .await
        .expect("it forgets");
    let changes = bench
        .store
        .owner_changes(TENANT, 10)
        .await
        .expect("changes");
    assert_eq!(changes, []);
    assert_eq!(counts(&bench).await, [(Owner::Connect, 1)]);
    let series = bench.store.owner_series(TENANT).await.expect("a series");
    let told: Vec<_> = series
        .iter()
        .map(|count| (count.owner, count.objects))
        .collect();
    assert_eq!(told, [(Owner::Cloud, 0), (Owner::Connect, 1)]);
}
