//! Cloud Sync agents (beta): refused to applications by default, and a slow signal anyway.

use serde_json::{Value, json};

use crate::graph::error::GraphError;
use crate::graph::{Answer, Ask, Outcome, Scene};
use crate::world::tenant::{AgentState, TenantState};

/// Everything under `onPremisesPublishingProfiles/provisioning`.
pub(crate) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>, rest: &[&str]) -> Outcome {
    ask.query.only(&["expand", "top", "filter", "select"])?;
    let expand = ask.query.get("expand").unwrap_or("").to_owned();
    let expands = |name: &str| expand.split(',').any(|part| part.trim() == name);
    let view = View {
        scene,
        unknown: ask.prefer.contains("include-unknown-enum-members"),
    };
    let (what, values) = match rest {
        [] => return Ok(Answer::json(profile(ask))),
        ["agents"] => ("agents", view.agents(expands("agentGroups"))),
        ["agentGroups"] => (
            "agentGroups",
            view.groups(expands("agents"), expands("publishedResources")),
        ),
        ["publishedResources"] => ("publishedResources", view.resources(expands("agentGroups"))),
        [other, ..] => return Err(GraphError::not_found(other)),
    };
    let context = ask.context(&format!(
        "onPremisesPublishingProfiles('provisioning')/{what}"
    ));
    Ok(Answer::json(
        json!({"@odata.context": context, "value": values}),
    ))
}

fn profile(ask: &Ask<'_>) -> Value {
    json!({
        "@odata.context": ask.context("onPremisesPublishingProfiles/$entity"),
        "id": "provisioning",
        "isEnabled": true,
        "isDefaultAccessEnabled": false,
        "hybridAgentUpdaterConfiguration": {
            "allowUpdateConfigurationOverride": false,
            "deferUpdateDateTime": null,
            "updateWindow": {"updateWindowStartTime": "01:00:00.0000000", "updateWindowEndTime": "05:00:00.0000000"},
        },
    })
}

struct View<'a, 'b> {
    scene: &'a Scene<'b>,
    /// The caller asked to see members added after `unknownFutureValue`.
    unknown: bool,
}

impl View<'_, '_> {
    fn tenant(&self) -> &TenantState {
        self.scene.tenant
    }

    /// Agents still in the list, with the status Graph shows after its delay.
    fn listed(&self) -> Vec<(&AgentState, &'static str)> {
        let (now, settings) = (self.scene.now, self.scene.settings);
        self.tenant()
            .agents
            .iter()
            .filter_map(|agent| match agent.down_since {
                Some(since) if now - since >= settings.agent_gone_after.as_ms() => None,
                Some(since) if now - since >= settings.agent_inactive_after.as_ms() => {
                    Some((agent, "inactive"))
                }
                _ => Some((agent, "active")),
            })
            .collect()
    }

    fn agent(&self, agent: &AgentState, status: &str) -> Value {
        let newest = if self.unknown {
            "privateAccess"
        } else {
            "unknownFutureValue"
        };
        let odd = self
            .tenant()
            .seed
            .corner("publishing")
            .corner(&agent.machine)
            .happens(0.3);
        json!({
            "id": agent.id,
            "machineName": agent.machine,
            "externalIp": "203.0.113.10",
            "status": status,
            "supportedPublishingTypes": if odd { json!(["provisioning", newest]) } else { json!(["provisioning"]) },
        })
    }

    fn agents(&self, groups: bool) -> Vec<Value> {
        self.listed()
            .into_iter()
            .map(|(agent, status)| {
                let mut value = self.agent(agent, status);
                if groups {
                    value["agentGroups"] = json!([self.default_group(), self.group(&agent.domain)]);
                }
                value
            })
            .collect()
    }

    fn default_group(&self) -> Value {
        json!({
            "id": self.tenant().seed.corner("default group").guid(),
            "displayName": "Default group for AD Sync Fabric",
            "isDefault": true,
            "publishingType": "provisioning",
        })
    }

    fn group(&self, domain: &str) -> Value {
        let own = self.tenant().seed.corner("agent group").corner(domain);
        json!({
            "id": own.guid(),
            "displayName": format!("Group-{domain}-{}", own.nth(1).guid()),
            "isDefault": false,
            "publishingType": "provisioning",
        })
    }

    fn resource(&self, domain: &str) -> Value {
        json!({
            "id": self.tenant().seed.corner("published").corner(domain).guid(),
            "displayName": domain,
            "resourceName": domain,
            "publishingType": "provisioning",
        })
    }

    fn domains(&self) -> Vec<&str> {
        self.tenant()
            .spec
            .configurations
            .iter()
            .map(|configuration| configuration.domain.as_str())
            .collect()
    }

    fn groups(&self, agents: bool, resources: bool) -> Vec<Value> {
        let members = |domain: Option<&str>| -> Vec<Value> {
            self.listed()
                .into_iter()
                .filter(|(agent, _)| domain.is_none_or(|domain| agent.domain == domain))
                .map(|(agent, status)| self.agent(agent, status))
                .collect()
        };
        let mut list = vec![(self.default_group(), members(None), json!([]))];
        for domain in self.domains() {
            list.push((
                self.group(domain),
                members(Some(domain)),
                json!([self.resource(domain)]),
            ));
        }
        list.into_iter()
            .map(|(mut group, members, published)| {
                if agents {
                    group["agents"] = Value::Array(members);
                }
                if resources {
                    group["publishedResources"] = published;
                }
                group
            })
            .collect()
    }

    fn resources(&self, groups: bool) -> Vec<Value> {
        self.domains()
            .into_iter()
            .map(|domain| {
                let mut value = self.resource(domain);
                if groups {
                    value["agentGroups"] = json!([self.group(domain)]);
                }
                value
            })
            .collect()
    }
}
