//! Provisioning agents as the cloud sees them (Microsoft Graph beta reference: onPremisesAgent).

use serde::Deserialize;

use super::ParseError;
use super::page::Page;
use super::principals::Listed;
use super::values::{Text, owned};

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) machine: String,
    /// Lower case, as it came: `active`, `inactive`, or a member of tomorrow.
    pub(crate) status: String,
    pub(crate) groups: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Raw<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    machine_name: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    agent_groups: Option<Vec<Group<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Group<'a> {
    #[serde(borrow)]
    display_name: Option<Text<'a>>,
}

/// Reads a page of agents.
pub(crate) fn agents(body: &[u8]) -> Result<Listed<Agent>, ParseError> {
    const WHAT: &str = "agents";
    let page = Page::split(WHAT, body)?;
    let mut items = Vec::new();
    for (index, raw) in page.all::<Raw<'_>>()?.into_iter().enumerate() {
        let id = owned(raw.id)
            .ok_or_else(|| ParseError::new(WHAT, "the row has no id").in_row(index))?;
        let groups = raw.agent_groups.unwrap_or_default();
        items.push(Agent {
            id,
            machine: owned(raw.machine_name).unwrap_or_default(),
            status: owned(raw.status).unwrap_or_default().to_ascii_lowercase(),
            groups: groups
                .into_iter()
                .filter_map(|group| owned(group.display_name))
                .collect(),
        });
    }
    Ok(Listed {
        items,
        next_link: page.next_link().map(str::to_owned),
    })
}
