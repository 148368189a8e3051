//! Objects by delta queries: what is on record after months of changes, lost tokens, throttling and
//! deaths of the process is what a fresh read of everything finds.

mod reader;
mod site;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use syncwatch_domain::dn;
use syncwatch_domain::object::Life;
use syncwatch_domain::owner::{ObjectType, Owner};
use syncwatch_simulator::{Action, Seed};
use syncwatch_store::StoredObject;

use self::reader::{Reader, World};
use crate::house::Place;

/// Users of the tenant unless `SYNCWATCH_OBJECTS` says otherwise.
const USERS: u32 = 8_000;
/// Rounds of changes.
const ROUNDS: u64 = 6;
const TENANT: &str = "grossberg";

fn users() -> u32 {
    let number = std::env::var("SYNCWATCH_OBJECTS").ok();
    number.map_or(USERS, |number| number.parse().expect("a number of users"))
}

fn tenant() -> String {
    TENANT.to_owned()
}

/// What happens to the directory in one round: a part of it moves, comes, goes and comes back.
fn churn(users: u32, draw: Seed) -> Vec<Action> {
    let some = |name: &str, share: u32| {
        let most = u64::from(users / share).max(2);
        u32::try_from(1 + draw.corner(name).below(most)).expect("a small number")
    };
    vec![
        Action::MoveUsers {
            tenant: tenant(),
            count: some("move", 20),
        },
        Action::HireUsers {
            tenant: tenant(),
            count: some("hire", 50),
        },
        Action::DeleteUsers {
            tenant: tenant(),
            count: some("delete", 50),
            hard: false,
        },
        Action::DeleteUsers {
            tenant: tenant(),
            count: some("delete for good", 100),
            hard: true,
        },
        Action::CloudManage {
            tenant: tenant(),
            count: some("leave", 100),
        },
        Action::RestoreUsers {
            tenant: tenant(),
            count: some("restore", 100),
        },
    ]
}

/// What goes wrong in one round, in the middle of its pages.
fn trouble(round: u64) -> Action {
    let tenant = tenant();
    match round % 4 {
        0 => Action::ExpirePageTokens { tenant },
        1 => Action::ExpireDeltaTokens {
            tenant,
            unknown: false,
        },
        2 => Action::ExpireDeltaTokens {
            tenant,
            unknown: true,
        },
        _ => Action::Throttle {
            tenant,
            endpoint: "users/delta".to_owned(),
            retry_after: Some(40),
            count: 2,
        },
    }
}

/// Objects that are there, by id.
fn present(objects: Vec<StoredObject>) -> BTreeMap<String, StoredObject> {
    let present = objects
        .into_iter()
        .filter(|stored| stored.object.life == Life::Present);
    present
        .map(|stored| (stored.object.id.clone(), stored))
        .collect()
}

/// What is on record is what the directory holds, told by the simulator itself.
fn holds_the_truth(world: &World, objects: &BTreeMap<String, StoredObject>) {
    let truth = world.sim.users(TENANT);
    let users = objects
        .values()
        .filter(|stored| stored.object.kind == ObjectType::User);
    assert_eq!(users.count(), truth.len());
    for (id, dn) in &truth {
        let facts = &objects[id].object.facts;
        assert_eq!(facts.synced == Some(true), dn.is_some(), "{id}");
        if let Some(dn) = dn {
            assert_eq!(facts.dn.as_ref(), Some(dn), "{id}");
        }
    }
}

fn are_the_same(lived: &BTreeMap<String, StoredObject>, fresh: &BTreeMap<String, StoredObject>) {
    assert_eq!(lived.len(), fresh.len());
    for (id, lived) in lived {
        assert_eq!(lived.object, fresh[id].object);
    }
}

/// Owners by both records; gives how many each owner has.
async fn owners_are_the_same(
    lived: &Reader<'_>,
    objects: [&BTreeMap<String, StoredObject>; 2],
) -> BTreeMap<Owner, usize> {
    let site = site::of(&lived.store).await;
    let [lived, fresh] = objects.map(|objects| site::owners(&site, objects));
    assert_eq!(lived, fresh);
    let mut counts = BTreeMap::new();
    for owner in lived.into_values().flatten() {
        *counts.entry(owner).or_default() += 1;
    }
    counts
}

async fn what_is_on_record_is_what_a_fresh_read_finds(place: Place, fresh: Place) {
    let began = Instant::now();
    let users = users();
    let world = World::start(users).await;
    let seed = Seed(u64::from(users));
    // A death at one commit of twenty.
    let deaths = move |commit: u64| seed.corner("death").nth(commit).happens(0.05);
    let mut lived = Reader::new(&world, place, deaths).await;
    // In the middle of the first round.
    lived.run_for(Duration::from_secs(15)).await;
    for round in 0..ROUNDS {
        for action in churn(users, seed.corner("churn").nth(round)) {
            world.sim.apply(&action).expect("it can be played");
        }
        lived.run_for(Duration::from_secs(5 * 60)).await;
        world.sim.apply(&trouble(round)).expect("it can be played");
        lived.run_for(Duration::from_secs(40 * 60)).await;
    }
    let lives = lived.lives;
    assert!(lives > 5, "the process died {lives} times");
    let mut fresh = Reader::new(&world, fresh, |_| false).await;
    fresh.run_for(Duration::from_secs(60 * 60)).await;
    lived.run_for(Duration::from_secs(60 * 60)).await;

    let objects = [
        present(lived.objects().await),
        present(fresh.objects().await),
    ];
    let [of_lived, of_fresh] = &objects;
    holds_the_truth(&world, of_lived);
    are_the_same(of_lived, of_fresh);
    let counts = owners_are_the_same(&lived, [of_lived, of_fresh]).await;
    for owner in [
        Owner::Connect,
        Owner::Cloud,
        Owner::BothOpen,
        Owner::CloudManaged,
        Owner::None,
    ] {
        assert!(counts.contains_key(&owner), "{counts:?}");
    }
    let outside = of_lived.values().filter(|stored| {
        let dn = stored.object.facts.dn.as_deref();
        dn.is_some_and(|dn| dn::canonical(dn).is_err())
    });
    assert_eq!(outside.count(), 0, "every name can be read");
    println!(
        "{} objects, {lives} lives, owners {counts:?}, {:?}",
        of_lived.len(),
        began.elapsed()
    );
}

#[tokio::test]
async fn objects_on_sqlite_are_those_of_a_fresh_read() {
    what_is_on_record_is_what_a_fresh_read_finds(Place::sqlite(), Place::sqlite()).await;
}

#[tokio::test]
async fn objects_on_postgres_are_those_of_a_fresh_read() {
    let (place, fresh) = (Place::postgres().await, Place::postgres().await);
    what_is_on_record_is_what_a_fresh_read_finds(place, fresh).await;
}
