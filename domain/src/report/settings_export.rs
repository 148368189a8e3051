//! The file that Connect's wizard writes (*View or export current configuration*,
//! `Applied-SynchronizationPolicy-*.JSON`).
//!
//! No section of the agent: the file is what an administrator has at hand when no agent is
//! installed. It says the same as the sections `connectors` and `rules`, in a layout of its own:
//! names in camel case, groups of conditions as lists of lists, the value of a constant in `value`
//! or `source`. Properties that have their default are left out. The file can be older than the
//! configuration, since changes by PowerShell or in the rules editor do not write it anew; that
//! is why [`SettingsExport::made_at`] must be there.

use serde_json::Value;

use super::connectors::{CLOUD_CONNECTOR_ID, Partition, Scope};
use super::forms::{Forms, Kind, Row, ShapeError, Texts, Version, domain_of, only_row};
use super::rules::{Condition, Flow, FlowType, Join, Rule};
use crate::time::Timestamp;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsExport {
    /// When it was written.
    pub made_at: Timestamp,
    /// Version of Connect that wrote it.
    pub connect: Option<Version>,
    /// Name of the server.
    pub host: Option<String>,
    /// Deletes that are let through at a time; `None` is the default of the product.
    pub deletion_limit: Option<i64>,
    /// Forests.
    pub forests: Vec<Forest>,
    /// Rules of all connectors, those that came with the product only where they were changed.
    pub rules: Vec<Rule>,
}

/// A forest and what of it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forest {
    /// Id of the connector.
    pub connector_id: String,
    /// Name of the connector.
    pub name: String,
    /// Domains with their filters.
    pub partitions: Vec<Partition>,
}

/// Reads the file.
///
/// # Errors
/// When it is no such file.
pub fn read(file: &Value) -> Result<SettingsExport, ShapeError> {
    let forms = Forms::without_offset();
    let root = only_row(std::slice::from_ref(file), &forms, "exported settings")?;
    let about = root.row("policyMetadata", "an object")?;
    let server = root.optional_row("deploymentMetadata")?;
    let cloud = root.optional_row("azureDirectoryPolicy")?;
    let directories = root.rows("onpremisesDirectoryPolicy")?;
    let mut rules = Vec::new();
    if let Some(cloud) = &cloud {
        rules.extend(rules_of(cloud, CLOUD_CONNECTOR_ID)?);
    }
    let mut forests = Vec::new();
    for row in &directories {
        let forest = forest(row)?;
        rules.extend(rules_of(row, &forest.connector_id)?);
        forests.push(forest);
    }
    Ok(SettingsExport {
        made_at: about.instant("timeCreated", Kind::Marked)?,
        connect: about
            .optional_text("azureADConnectVersion")?
            .and_then(|text| Version::parse(&text)),
        host: match &server {
            Some(server) => server.optional_text("hostName")?,
            None => None,
        },
        deletion_limit: match &cloud {
            Some(cloud) => cloud.optional_number("exportDeletionLimit")?,
            None => None,
        },
        forests,
        rules,
    })
}

fn forest(row: &Row<'_>) -> Result<Forest, ShapeError> {
    Ok(Forest {
        connector_id: row.id("uniqueIdentifier")?,
        name: row.text("friendlyName")?,
        partitions: row
            .rows("partitionFilters")?
            .iter()
            .map(partition)
            .collect::<Result<_, _>>()?,
    })
}

fn partition(row: &Row<'_>) -> Result<Partition, ShapeError> {
    let dn = row.text("distinguishedName")?;
    Ok(Partition {
        id: None,
        name: row.optional_text("fullyQualifiedDomainName")?,
        selected: row.flag("selected")?,
        is_domain: domain_of(&dn).is_some(),
        scope: Some(Scope {
            is_default: false,
            object_classes: Vec::new(),
            included: row.texts("containerInclusions", Texts::Dns)?,
            excluded: row.texts("containerExclusions", Texts::Dns)?,
        }),
        dn,
    })
}

fn rules_of(policy: &Row<'_>, connector_id: &str) -> Result<Vec<Rule>, ShapeError> {
    let mut all = Vec::new();
    for (list, standard) in [
        ("customSynchronizationRules", false),
        ("standardSynchronizationRules", true),
    ] {
        for row in policy.rows(list)? {
            all.push(rule(&row, connector_id, standard)?);
        }
    }
    Ok(all)
}

fn rule(row: &Row<'_>, connector_id: &str, standard: bool) -> Result<Rule, ShapeError> {
    Ok(Rule {
        id: row.id("uniqueIdentifier")?,
        name: row.text("Name")?,
        description: row.optional_text("description")?,
        version: None,
        connector_id: connector_id.to_owned(),
        direction: row.member("direction")?,
        disabled: row.optional_flag("disabled")?.unwrap_or(false),
        source_type: row.text("source")?,
        target_type: row.text("target")?,
        precedence: row.number("precedence")?,
        link: row.member("linkType")?,
        password_sync: row
            .optional_flag("passwordHashSyncTarget")?
            .unwrap_or(false),
        scope: groups(row, "scopeFilters", condition)?,
        joins: groups(row, "joinConditions", join)?,
        flows: row
            .rows("attributeMappings")?
            .iter()
            .map(flow)
            .collect::<Result<_, _>>()?,
        standard,
        standard_tag: None,
    })
}

fn groups<T>(
    row: &Row<'_>,
    name: &str,
    read: fn(&Row<'_>) -> Result<T, ShapeError>,
) -> Result<Vec<Vec<T>>, ShapeError> {
    row.row_groups(name)?
        .iter()
        .map(|group| group.iter().map(read).collect())
        .collect()
}

fn condition(row: &Row<'_>) -> Result<Condition, ShapeError> {
    Ok(Condition {
        attribute: row.text("attribute")?,
        operator: row.member("condition")?,
        value: row.optional_text("value")?.unwrap_or_default(),
    })
}

fn join(row: &Row<'_>) -> Result<Join, ShapeError> {
    Ok(Join {
        connector_attribute: row.text("source")?,
        metaverse_attribute: row.text("destination")?,
        case_sensitive: row.optional_flag("caseSensitive")?.unwrap_or(false),
    })
}

fn flow(row: &Row<'_>) -> Result<Flow, ShapeError> {
    let kind = row.member::<FlowType>("flowType")?;
    let mut sources = row.texts("source", Texts::One)?;
    if sources.is_empty() && kind.is(FlowType::Constant) {
        sources.extend(row.optional_text("value")?);
    }
    Ok(Flow {
        destination: row.text("destination")?,
        kind,
        sources,
        expression: row.optional_text("expression")?,
        once: row.optional_flag("executeOnce")?.unwrap_or(false),
        merge: row.optional_member("mergeType")?,
    })
}
