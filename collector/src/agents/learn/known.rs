//! What was known of a server before a batch, and what the batch adds to it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::source::{Poll, SourceKey};
use syncwatch_domain::sync_server::{Part, fact_name, of_fact_name};
use syncwatch_store::{Fact, LaneFilter, LaneUpdate, Store, StoreError};

use crate::agents::Who;

/// The parts of one server, each as its fact holds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    agent_id: String,
    parts: BTreeMap<Part, serde_json::Value>,
    /// Lanes that live by this server's reports, kind and partition.
    lanes: BTreeSet<(LaneKind, String)>,
}

impl Known {
    /// What the store has.
    pub(crate) async fn load(store: &Store, who: &Who, agent_id: &str) -> Result<Self, StoreError> {
        let facts = store.facts(Some(&who.tenant)).await?;
        let parts = facts.into_iter().filter_map(|fact| {
            let (id, part) = of_fact_name(&fact.name)?;
            (id == agent_id).then_some((part, fact.value))
        });
        let filter = LaneFilter {
            tenant: Some(who.tenant.clone()),
            engine: Some(Engine::Connect),
            ..LaneFilter::default()
        };
        let lanes = store.lanes(&filter).await?;
        let own = lanes
            .into_iter()
            .filter(|lane| is_of_host(&lane.source_key, who));
        Ok(Self {
            agent_id: agent_id.to_owned(),
            parts: parts.collect(),
            lanes: own
                .map(|lane| (lane.key.kind, lane.key.partition))
                .collect(),
        })
    }

    /// Whether a lane lives by this server's reports.
    pub(super) fn has_lane(&self, kind: LaneKind, partition: &str) -> bool {
        self.lanes.contains(&(kind, partition.to_owned()))
    }

    /// Lanes that a reading has something to say about: the readings after it know them.
    pub(super) fn meet(&mut self, lanes: &[LaneUpdate]) {
        let met = lanes.iter().map(|lane| &lane.key);
        self.lanes
            .extend(met.map(|key| (key.kind, key.partition.clone())));
    }

    /// What is known by now of the part that a fact is about.
    pub(super) fn value(&self, fact: &str) -> Option<&serde_json::Value> {
        let (_, part) = of_fact_name(fact)?;
        self.parts.get(&part)
    }

    /// The lanes of a kind that live by this server's reports.
    pub(super) fn lanes(&self, kind: LaneKind) -> impl Iterator<Item = &str> {
        let of_kind = self.lanes.iter().filter(move |(known, _)| *known == kind);
        of_kind.map(|(_, partition)| partition.as_str())
    }

    /// A part; `None` when nothing is known, or when another version wrote it in a form of its own.
    pub(super) fn part<T: DeserializeOwned>(&self, part: Part) -> Option<T> {
        T::deserialize(self.parts.get(&part)?).ok()
    }

    /// A part, or an empty one.
    pub(super) fn part_or_default<T: DeserializeOwned + Default>(&self, part: Part) -> T {
        self.part(part).unwrap_or_default()
    }

    /// There is nothing of the kind on the server any more; gives the fact to commit, where there
    /// was something.
    pub(super) fn forget(&mut self, part: Part) -> Option<Fact> {
        let known = self.parts.get(&part)?;
        (!known.is_null()).then(|| self.learn(part, &()))
    }

    /// Replaces a part; gives the fact to commit.
    pub(super) fn learn<T: Serialize>(&mut self, part: Part, value: &T) -> Fact {
        // These are plain structs: nothing in them can fail to be written.
        let value = serde_json::to_value(value).unwrap_or_default();
        self.parts.insert(part, value.clone());
        Fact {
            name: fact_name(&self.agent_id, part),
            value,
        }
    }
}

/// Whether a source is a section of this server's agent.
fn is_of_host(key: &SourceKey, who: &Who) -> bool {
    key.poll == Poll::AgentSection
        && key
            .instance
            .split('/')
            .next()
            .is_some_and(|host| host == who.host)
}
