//! What each section of the agent's text prints.

use serde_json::{Value, json};

use super::at::{At, CONNECT_SERVICE};
use super::forms::Forms;
use super::model::ConnectSync;
use super::operation::{container, services, versions};
use super::reader::Wanted;
use super::{connectors, history, reader, rules, settings, status};

/// What a section prints: rows, and what went wrong with parts of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Printed {
    pub(super) rows: Vec<Value>,
    pub(super) errors: Vec<Value>,
}

/// Cmdlets, types and parameters without which a section cannot have been asked for.
pub(super) fn needs(section: &str) -> Option<&'static [&'static str]> {
    let needs: &[&str] = match section {
        "scheduler" => &["Get-ADSyncScheduler"],
        "connector_status" => &["Get-ADSyncConnectorRunStatus"],
        "runs" => &[
            "Get-ADSyncRunProfileResult",
            "-NumberRequested",
            "-RunStepDetails",
        ],
        "password_sync" => &[
            "Get-ADSyncPartitionPasswordSyncState",
            "Get-ADSyncAADPasswordSyncConfiguration",
            "-SourceConnector",
        ],
        "events" => &[
            "Eventing.Reader",
            "Directory Synchronization",
            "ADSync",
            "Entra Connect Admin Actions",
            "Azure AD Connect Upgrade",
            "Service Control Manager",
            "Microsoft-AzureADConnect-ProvisioningAgent/Admin",
        ],
        "connectors" => &["Get-ADSyncConnector ", "ConnectorPartitionScope"],
        "rules" => &["Get-ADSyncRule)", "ScopeFilter", "AttributeFlowMappings"],
        "settings" => &["Get-ADSyncGlobalSettings", "Parameters"],
        "company_features" => &["Get-ADSyncAADCompanyFeature"],
        "database" => &["Get-ADSyncDatabaseConfiguration"],
        "reachability" => &["Get-ADSyncDomainReachabilityStatus"],
        "services" => &[
            "Get-Service",
            "AADConnectProvisioningAgent",
            "AzureADConnectAgentUpdater",
        ],
        "versions" => &["ProductVersion"],
        "pending_exports" => &["Get-ADSyncConnectorStatistics", "-ConnectorName"],
        "containers" => &["System.DirectoryServices", "objectGUID"],
        _ => return None,
    };
    Some(needs)
}

/// Whether a section belongs to Connect.
pub(super) fn is_of_connect(section: &str) -> bool {
    !matches!(section, "services" | "versions" | "events" | "containers")
}

/// Runs a section.
pub(super) fn run(at: &At<'_>, forms: Forms, section: &str, arguments: &Value) -> Printed {
    match section {
        "services" => services(at, forms).into(),
        "versions" => versions(at).into(),
        "events" => reader::rows(at, forms, Wanted::new(arguments)).into(),
        "containers" => containers(at, arguments),
        _ => match &at.server.connect {
            None => Printed::failed(absent("Connect Sync")),
            Some(_) if at.is_stopped(at.now, CONNECT_SERVICE) => Printed::failed(not_listening()),
            Some(connect) => of_connect(at, forms, connect, section, arguments),
        },
    }
}

fn of_connect(
    at: &At<'_>,
    forms: Forms,
    connect: &ConnectSync,
    section: &str,
    arguments: &Value,
) -> Printed {
    let most = arguments["most"].as_u64().unwrap_or(0);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let user_names = arguments["userNames"] == true;
    let rows = match section {
        "scheduler" => vec![status::scheduler(at, forms, connect)],
        "connector_status" => status::busy_connectors(at, forms, connect),
        "runs" => history::rows(at, forms, connect, most, user_names),
        "password_sync" => status::password_sync(at, forms, connect),
        "connectors" => connectors::rows(at, forms, connect),
        "rules" => rules::rows(at, forms, connect),
        "settings" => settings::rows(at, connect),
        "company_features" => vec![status::company_features(at)],
        "database" => vec![status::database(at, connect)],
        "reachability" => status::reachability(at, connect),
        "pending_exports" => status::pending_exports(at, connect),
        _ => return Printed::failed(unknown(section)),
    };
    rows.into()
}

fn containers(at: &At<'_>, arguments: &Value) -> Printed {
    let mut printed = Printed::default();
    for wanted in arguments["containers"].as_array().into_iter().flatten() {
        let dn = wanted["DistinguishedName"].as_str().unwrap_or_default();
        match container(at, dn, wanted["ObjectGuid"].as_str()) {
            Ok(row) => printed.rows.push(row),
            Err(_) => printed.errors.push(error(
                dn,
                "its domain is neither of this forest nor trusted by it",
                "OperationStopped",
                &["System.Management.Automation.RuntimeException"],
            )),
        }
    }
    printed
}

impl From<Vec<Value>> for Printed {
    fn from(rows: Vec<Value>) -> Self {
        Self {
            rows,
            errors: Vec::new(),
        }
    }
}

impl Printed {
    pub(super) fn failed(error: Value) -> Self {
        Self {
            rows: Vec::new(),
            errors: vec![error],
        }
    }
}

/// An error as the agent's text reports it.
pub(super) fn error(step: &str, message: &str, category: &str, types: &[&str]) -> Value {
    json!({
        "Step": step,
        "ErrorId": message,
        "Category": category,
        "Types": types,
        "Codes": [-2_146_233_088],
        "Message": message,
    })
}

fn absent(what: &str) -> Value {
    let message = format!("{what} is not installed on this server");
    let mut error = error(
        "section",
        &message,
        "ObjectNotFound",
        &["System.InvalidOperationException"],
    );
    error["ErrorId"] = "SyncwatchAbsent".into();
    error
}

fn not_listening() -> Value {
    error(
        "section",
        "There was no endpoint listening at net.pipe://localhost/ADSyncManagement that could accept the message.",
        "NotSpecified",
        &[
            "System.ServiceModel.EndpointNotFoundException",
            "System.IO.PipeException",
        ],
    )
}

/// There is no section of this name, or the text that should read it lacks what it needs.
pub(super) fn unknown(what: &str) -> Value {
    error(
        "section",
        &format!("the term '{what}' is not recognized"),
        "ObjectNotFound",
        &["System.Management.Automation.CommandNotFoundException"],
    )
}

/// The account lacks a right, said in German.
pub(super) fn denied() -> Value {
    let mut error = error(
        "section",
        "Der Zugriff wurde verweigert. Der aufrufende Benutzer ist kein Mitglied von ADSyncAdmins.",
        "NotSpecified",
        &[
            "System.Management.Automation.MethodInvocationException",
            "System.UnauthorizedAccessException",
        ],
    );
    error["Codes"] = json!([-2_146_233_087, -2_147_024_891]);
    error
}

/// The command failed, said in French.
pub(super) fn broken() -> Value {
    error(
        "section",
        "Une erreur interne s'est produite : accès à la base de données impossible.",
        "InvalidOperation",
        &["System.InvalidOperationException"],
    )
}
