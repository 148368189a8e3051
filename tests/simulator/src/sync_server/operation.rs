//! What runs on the server and what lies in its directory: services, versions, containers.

use serde_json::{Value, json};

use super::at::{At, CONNECT_SERVICE};
use super::forms::Forms;
use super::trouble::Trouble;

const CLOUD_AGENT_SERVICE: &str = "AADConnectProvisioningAgent";
const UPDATER_SERVICE: &str = "AzureADConnectAgentUpdater";
const HEALTH_SERVICE: &str = "AzureADConnectHealthAgent";

/// Name of a service as people see it.
pub(super) fn display_name(service: &str) -> &str {
    match service {
        CONNECT_SERVICE => "Microsoft Azure AD Sync",
        CLOUD_AGENT_SERVICE => "Microsoft Azure AD Connect Provisioning Agent",
        UPDATER_SERVICE => "Microsoft Azure AD Connect Agent Updater",
        HEALTH_SERVICE => "Microsoft Entra Connect Health Agent",
        other => other,
    }
}

/// Services that are installed.
fn installed(at: &At<'_>) -> Vec<&'static str> {
    let connect = at.server.connect.as_ref().map(|_| CONNECT_SERVICE);
    let health = at.server.connect.as_ref().map(|_| HEALTH_SERVICE);
    let agent = at.server.cloud_agent.as_ref().map(|_| CLOUD_AGENT_SERVICE);
    let updater = connect.or(agent).map(|_| UPDATER_SERVICE);
    [connect, updater, health, agent]
        .into_iter()
        .flatten()
        .collect()
}

/// One row per service that is installed.
pub(super) fn services(at: &At<'_>, forms: Forms) -> Vec<Value> {
    let all = installed(at).into_iter();
    all.map(|name| {
        let (status, number) = if at.is_stopped(at.now, name) {
            ("Stopped", 1)
        } else {
            ("Running", 4)
        };
        json!({
            "Name": name,
            "DisplayName": display_name(name),
            "Status": forms.member(status, number),
            "StartType": forms.member("Automatic", 2),
        })
    })
    .collect()
}

/// One row per product that is installed.
pub(super) fn versions(at: &At<'_>) -> Vec<Value> {
    let connect = at.server.connect.as_ref();
    let agent = at.server.cloud_agent.as_ref();
    let updater = connect.is_some() || agent.is_some();
    let all = [
        ("connect", connect.map(|connect| connect.version.clone())),
        (
            "provisioning_agent",
            agent.map(|agent| agent.version.clone()),
        ),
        ("updater", updater.then(|| "1.1.1370.0".to_owned())),
    ];
    let all = all.into_iter();
    all.filter_map(|(product, version)| Some(json!({ "Product": product, "Version": version? })))
        .collect()
}

/// Why a name was not looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfReach;

/// Looks up one name. A name of a domain that nobody here knows is not looked up at all.
pub(super) fn container(at: &At<'_>, dn: &str, known: Option<&str>) -> Result<Value, OutOfReach> {
    if !is_of_known_domain(at, dn) {
        return Err(OutOfReach);
    }
    let here = |dn: &str| {
        let all = at.server.directory.iter();
        all.filter_map(|entry| Some((place(at, &entry.dn)?, &entry.id)))
            .find(|(place, _)| place.eq_ignore_ascii_case(dn))
            .map(|(_, id)| id.clone())
    };
    if let Some(id) = here(dn) {
        return Ok(row(dn, true, Some(&id), None));
    }
    let mut all = at.server.directory.iter();
    let moved = known.and_then(|known| {
        let entry = all.find(|entry| entry.id.eq_ignore_ascii_case(known))?;
        place(at, &entry.dn)
    });
    Ok(row(dn, false, known, moved.as_deref()))
}

fn row(dn: &str, exists: bool, id: Option<&str>, moved: Option<&str>) -> Value {
    json!({ "DistinguishedName": dn, "Exists": exists, "ObjectGuid": id, "MovedTo": moved })
}

/// Where an object is at present that was there in the beginning; `None` when it is deleted.
fn place(at: &At<'_>, first: &str) -> Option<String> {
    let mut place = Some(first.to_owned());
    for (_, _, trouble) in at.troubles() {
        match trouble {
            Trouble::ContainerRenamed { dn, to } if dn == first => place = Some(to.clone()),
            Trouble::ContainerDeleted { dn } if dn == first => place = None,
            _ => {}
        }
    }
    place
}

/// A domain is known when something of it is in the directory, or Connect synchronises it.
fn is_of_known_domain(at: &At<'_>, dn: &str) -> bool {
    let Some(domain) = domain_of(dn) else {
        return false;
    };
    let connect = at.server.connect.iter();
    let mut synchronised = connect
        .flat_map(|connect| &connect.forests)
        .flat_map(|forest| &forest.domains);
    synchronised.any(|one| one.name.eq_ignore_ascii_case(&domain))
        || at
            .server
            .directory
            .iter()
            .any(|entry| domain_of(&entry.dn).as_ref() == Some(&domain))
}

/// DNS name of the domain that a distinguished name lies in.
fn domain_of(dn: &str) -> Option<String> {
    let labels = dn.split(',').filter_map(|part| {
        let (attribute, value) = part.trim().split_once('=')?;
        attribute.eq_ignore_ascii_case("dc").then_some(value)
    });
    let name = labels.collect::<Vec<_>>().join(".").to_lowercase();
    (!name.is_empty()).then_some(name)
}
