//! Scopes of both engines in the simulated tenant, and who owns what by them.

use std::collections::BTreeMap;

use syncwatch_domain::owner::{Activity, Owner};
use syncwatch_domain::report::connectors::{Connector, Partition, Scope};
use syncwatch_domain::scope::cloud::{self, CloudScope};
use syncwatch_domain::scope::connect::ConnectConfiguration;
use syncwatch_domain::scope::known::{NoMembers, ruling};
use syncwatch_domain::scope::site::{CloudConfiguration, Configuration, Site};
use syncwatch_store::{Store, StoredObject};

/// Cloud Sync as its schema says it, beside a Connect Sync that has all but one container.
pub(crate) async fn of(store: &Store) -> Site {
    let facts = store.facts_named(cloud::PREFIX, "").await.expect("facts");
    let scopes = facts.into_iter().map(|fact| {
        let scope = serde_json::from_value::<CloudScope>(fact.value);
        scope.expect("a scope")
    });
    let cloud: Vec<_> = scopes
        .map(|scope| CloudConfiguration {
            domain: "werke.example".to_owned(),
            runs: true,
            scope: Some(scope),
        })
        .collect();
    assert_eq!(cloud.len(), 1, "the schema was read");
    Site::new(Configuration {
        activity: Some(Activity::Active),
        connect: Some(connect()),
        cloud,
    })
}

fn connect() -> ConnectConfiguration {
    let domain = "DC=werke,DC=example".to_owned();
    ConnectConfiguration {
        connectors: vec![Connector {
            id: "5d1c6f0e-3a57-4b0e-9c41-7b7d5a0f1a11".to_owned(),
            name: "werke.example".to_owned(),
            kind: None,
            subtype: None,
            version: None,
            object_classes: vec!["user".to_owned(), "group".to_owned()],
            partitions: vec![Partition {
                id: None,
                dn: domain.clone(),
                name: None,
                selected: true,
                is_domain: true,
                scope: Some(Scope {
                    is_default: false,
                    object_classes: Vec::new(),
                    included: vec![domain.clone()],
                    excluded: vec![format!("OU=Extern,{domain}")],
                }),
            }],
        }],
        rules: Some(Vec::new()),
        group_filters: Vec::new(),
    }
}

/// The owner of each object.
pub(crate) fn owners<'a>(
    site: &Site,
    objects: &'a BTreeMap<String, StoredObject>,
) -> BTreeMap<&'a str, Option<Owner>> {
    let mut places = site.places();
    let of = |stored: &StoredObject| {
        let ruling = ruling(site, &stored.object, &NoMembers, |dn| places.find(dn));
        ruling.map(|(ruling, _)| ruling.owner)
    };
    let ids = objects.keys().map(String::as_str);
    ids.zip(objects.values().map(of)).collect()
}
