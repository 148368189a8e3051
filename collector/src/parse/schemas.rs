//! Schemas of synchronization jobs (Microsoft Graph reference: synchronizationSchema,
//! synchronizationRule, containerFilter, groupFilter, objectMapping, filter). Of an answer of some
//! hundred KiB only the scope is read; its directories are skipped.

use std::borrow::Cow;

use serde::Deserialize;
use syncwatch_domain::scope::cloud::{
    CloudRule, CloudScope, FilterClause, FilterGroup, ObjectMapping,
};
use syncwatch_domain::time::Timestamp;

use super::values::{Text, is, owned};
use super::{ParseError, object, text_of};

const WHAT: &str = "the schema of a synchronization job";
/// Attribute in Entra ID whose mapping carries password hashes.
const PASSWORD_HASHES: &str = "CredentialData";

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSchema<'a> {
    #[serde(borrow)]
    version: Option<Text<'a>>,
    #[serde(borrow)]
    synchronization_rules: Option<Vec<RawRule<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawRule<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    container_filter: Option<RawContainers<'a>>,
    #[serde(borrow)]
    group_filter: Option<RawGroups<'a>>,
    #[serde(borrow)]
    object_mappings: Option<Vec<RawMapping<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawContainers<'a> {
    #[serde(borrow)]
    included_containers: Option<Vec<Text<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawGroups<'a> {
    #[serde(borrow)]
    included_groups: Option<Vec<Text<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawMapping<'a> {
    enabled: Option<bool>,
    #[serde(borrow)]
    flow_types: Option<Text<'a>>,
    #[serde(borrow)]
    source_object_name: Option<Text<'a>>,
    #[serde(borrow)]
    target_object_name: Option<Text<'a>>,
    #[serde(borrow)]
    scope: Option<RawFilter<'a>>,
    #[serde(borrow)]
    attribute_mappings: Option<Vec<RawAttribute<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawAttribute<'a> {
    #[serde(borrow)]
    target_attribute_name: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawFilter<'a> {
    #[serde(borrow)]
    groups: Option<Vec<RawGroup<'a>>>,
    #[serde(borrow)]
    input_filter_groups: Option<Vec<RawGroup<'a>>>,
    #[serde(borrow)]
    category_filter_groups: Option<Vec<RawGroup<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawGroup<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    clauses: Option<Vec<RawClause<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawClause<'a> {
    #[serde(borrow)]
    operator_name: Option<Text<'a>>,
    #[serde(borrow)]
    source_operand_name: Option<Text<'a>>,
    #[serde(borrow)]
    target_operand: Option<RawOperand<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawOperand<'a> {
    #[serde(borrow)]
    values: Option<Vec<Text<'a>>>,
}

/// Reads the scope out of a schema.
pub(crate) fn scope(body: &[u8]) -> Result<CloudScope, ParseError> {
    let raw: RawSchema<'_> = object(WHAT, text_of(WHAT, body)?)?;
    // A schema without the list would read as "nothing is in scope", which is never true.
    let rules = raw
        .synchronization_rules
        .ok_or_else(|| ParseError::new(WHAT, "it has no list of synchronization rules"))?;
    let version = owned(raw.version);
    Ok(CloudScope {
        saved_at: version.as_deref().and_then(saved_at),
        version,
        from_template: false,
        rules: rules.into_iter().map(rule).collect(),
    })
}

/// The instant within `Date:<instant>, ActivityId:<id>`.
fn saved_at(version: &str) -> Option<Timestamp> {
    let date = version.split(',').find_map(|part| {
        let (name, value) = part.trim().split_once(':')?;
        is(name, "Date").then_some(value)
    })?;
    Timestamp::parse(date.trim())
}

fn texts(texts: Option<Vec<Text<'_>>>) -> Vec<String> {
    let filled = texts.into_iter().flatten().filter_map(Text::filled);
    filled.map(Cow::into_owned).collect()
}

fn rule(raw: RawRule<'_>) -> CloudRule {
    CloudRule {
        name: owned(raw.name).unwrap_or_default(),
        containers: texts(
            raw.container_filter
                .and_then(|filter| filter.included_containers),
        ),
        groups: texts(raw.group_filter.and_then(|filter| filter.included_groups)),
        mappings: raw
            .object_mappings
            .into_iter()
            .flatten()
            .map(mapping)
            .collect(),
    }
}

fn mapping(raw: RawMapping<'_>) -> ObjectMapping {
    let filter = raw.scope.unwrap_or_default();
    let flows = raw.flow_types.unwrap_or_default().0;
    let flows_to = |member: &str| flows.split(',').any(|word| is(word.trim(), member));
    let attributes = raw.attribute_mappings.unwrap_or_default();
    ObjectMapping {
        source: owned(raw.source_object_name).unwrap_or_default(),
        target: owned(raw.target_object_name).unwrap_or_default(),
        enabled: raw.enabled.unwrap_or(true),
        adds: flows_to("Add"),
        updates: flows_to("Update"),
        deletes: flows_to("Delete"),
        password_hashes: attributes.iter().any(|attribute| {
            attribute
                .target_attribute_name
                .as_ref()
                .is_some_and(|name| is(&name.0, PASSWORD_HASHES))
        }),
        filters: groups(filter.groups),
        input_filters: groups(filter.input_filter_groups),
        has_category_filters: !groups(filter.category_filter_groups).is_empty(),
    }
}

/// Groups with clauses; one without any filters nothing.
fn groups(raw: Option<Vec<RawGroup<'_>>>) -> Vec<FilterGroup> {
    let groups = raw.into_iter().flatten().map(|raw| FilterGroup {
        name: owned(raw.name).unwrap_or_default(),
        clauses: raw
            .clauses
            .into_iter()
            .flatten()
            .map(|raw| FilterClause {
                attribute: owned(raw.source_operand_name).unwrap_or_default(),
                operator: owned(raw.operator_name).unwrap_or_default(),
                // An empty value is a value here.
                values: raw
                    .target_operand
                    .and_then(|operand| operand.values)
                    .into_iter()
                    .flatten()
                    .map(|text| text.0.into_owned())
                    .collect(),
            })
            .collect(),
    });
    groups.filter(|group| !group.clauses.is_empty()).collect()
}
