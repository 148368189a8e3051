//! Users and groups as delta queries tell them (Microsoft Graph reference: user, group, delta query).
//!
//! A row may tell a part of an object only: what is absent is not told, what is `null` is told to
//! be nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::{Map, Value};
use syncwatch_domain::object::{Life, ObjectChange, Told, ToldFacts};
use syncwatch_domain::owner::ObjectType;

use super::ParseError;
use super::page::Page;
use super::principals::Listed;
use super::values::is;

const WHAT: &str = "directory objects";

/// Attributes in the directory, and the properties of users that hold their values as long as the
/// default mappings of the engines are not changed (Microsoft Learn, *Attributes synchronized to
/// Microsoft Entra ID*; Microsoft Graph reference, *user*).
///
/// Where the directory has no `displayName` or `mailNickname`, the engines make one up from another
/// attribute. Addresses are left out: Entra ID adds some of its own.
const OF_PERSONS: [(&str, &str); 15] = [
    ("company", "companyName"),
    ("department", "department"),
    ("displayname", "displayName"),
    ("employeeid", "employeeId"),
    ("employeetype", "employeeType"),
    ("givenname", "givenName"),
    ("l", "city"),
    ("mail", "mail"),
    ("mailnickname", "mailNickname"),
    ("physicaldeliveryofficename", "officeLocation"),
    ("samaccountname", "onPremisesSamAccountName"),
    ("sn", "surname"),
    ("st", "state"),
    ("title", "jobTitle"),
    ("userprincipalname", "onPremisesUserPrincipalName"),
];
/// The same of groups.
const OF_GROUPINGS: [(&str, &str); 2] = [
    ("displayname", "displayName"),
    ("samaccountname", "onPremisesSamAccountName"),
];
/// Property that holds `extensionAttribute1` to `extensionAttribute15`.
const EXTENSIONS: &str = "onPremisesExtensionAttributes";
const EXTENSION: &str = "extensionattribute";

/// What is asked of every user.
const OF_USERS: [&str; 5] = [
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesImmutableId",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
];
/// What is asked of every group; Graph has no distinguished name of groups.
const OF_GROUPS: [&str; 3] = [
    "onPremisesDomainName",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
];

const fn properties(kind: ObjectType) -> &'static [(&'static str, &'static str)] {
    match kind {
        ObjectType::User => &OF_PERSONS,
        ObjectType::Group => &OF_GROUPINGS,
        ObjectType::Contact => &[],
    }
}

/// The property that holds an attribute, by its name in lower case.
fn property(kind: ObjectType, attribute: &str) -> Option<&'static str> {
    let extension = attribute.strip_prefix(EXTENSION);
    let number = extension.and_then(|number| number.parse::<u8>().ok());
    if kind == ObjectType::User && number.is_some_and(|number| (1..=15).contains(&number)) {
        return Some(EXTENSIONS);
    }
    let mut known = properties(kind).iter();
    known
        .find(|(name, _)| *name == attribute)
        .map(|(_, property)| *property)
}

/// The name of an attribute in lower case, if Graph has its value.
pub(crate) fn held(kind: ObjectType, attribute: &str) -> Option<String> {
    let name = attribute.to_ascii_lowercase();
    property(kind, &name).is_some().then_some(name)
}

/// The properties to ask for, in the order of their names: those that owners need, and those that
/// hold these attributes.
pub(crate) fn select(kind: ObjectType, attributes: &BTreeSet<String>) -> String {
    let mut selected: BTreeSet<&str> = match kind {
        ObjectType::User => OF_USERS.into(),
        ObjectType::Group | ObjectType::Contact => OF_GROUPS.into(),
    };
    selected.extend(attributes.iter().filter_map(|name| property(kind, name)));
    selected.into_iter().collect::<Vec<_>>().join(",")
}

/// A page of a delta query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeltaPage {
    pub(crate) changes: Vec<ObjectChange>,
    /// Where the next page is.
    pub(crate) next_link: Option<String>,
    /// Where the changes after this round are; only the last page of a round has it.
    pub(crate) delta_link: Option<String>,
}

#[derive(Deserialize)]
struct Links {
    #[serde(rename = "@odata.deltaLink", default)]
    delta_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "@removed", default)]
    removed: Option<Removed>,
    #[serde(default, deserialize_with = "told")]
    on_premises_distinguished_name: Told<Option<String>>,
    #[serde(default, deserialize_with = "told")]
    on_premises_domain_name: Told<Option<String>>,
    #[serde(default, deserialize_with = "told")]
    on_premises_immutable_id: Told<Option<String>>,
    #[serde(default, deserialize_with = "told")]
    on_premises_security_identifier: Told<Option<String>>,
    #[serde(default, deserialize_with = "told")]
    on_premises_sync_enabled: Told<Option<bool>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
struct Removed {
    #[serde(default)]
    reason: Option<String>,
}

fn told<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Told<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Told::Value)
}

/// Nothing is written as `null` or as an empty text.
fn filled(text: Told<Option<String>>) -> Told<Option<String>> {
    match text {
        Told::Value(text) => Told::Value(text.filter(|text| !text.is_empty())),
        Told::Nothing => Told::Nothing,
    }
}

/// Reads a page; of attributes, those that were asked for.
pub(crate) fn delta(
    body: &[u8],
    kind: ObjectType,
    asked: &BTreeSet<String>,
) -> Result<DeltaPage, ParseError> {
    let page = Page::split(WHAT, body)?;
    let links: Links = super::object(WHAT, super::text_of(WHAT, body)?)?;
    let mut changes = Vec::new();
    for (index, raw) in page.all::<Raw>()?.into_iter().enumerate() {
        changes.push(change(raw, kind, asked).map_err(|error| error.in_row(index))?);
    }
    let next_link = page.next_link().map(str::to_owned);
    let delta_link = links.delta_link.filter(|link| !link.is_empty());
    if next_link.is_none() && delta_link.is_none() {
        return Err(ParseError::new(
            WHAT,
            "the page leads neither to another one nor to the changes after it",
        ));
    }
    Ok(DeltaPage {
        changes,
        next_link,
        delta_link,
    })
}

fn change(
    raw: Raw,
    kind: ObjectType,
    asked: &BTreeSet<String>,
) -> Result<ObjectChange, ParseError> {
    let id = id(raw.id)?;
    let life = match raw.removed {
        None => Life::Present,
        Some(removed)
            if removed
                .reason
                .as_deref()
                .is_some_and(|reason| is(reason, "deleted")) =>
        {
            Life::Gone
        }
        // "changed", and reasons of tomorrow: it may come back.
        Some(_) => Life::Deleted,
    };
    Ok(ObjectChange {
        id,
        kind,
        life,
        facts: ToldFacts {
            dn: filled(raw.on_premises_distinguished_name),
            synced: raw.on_premises_sync_enabled,
            cloud_managed: Told::Nothing,
            immutable_id: filled(raw.on_premises_immutable_id),
            sid: filled(raw.on_premises_security_identifier),
            domain: filled(raw.on_premises_domain_name),
            attributes: attributes(kind, &raw.others, asked),
        },
    })
}

/// The attributes that a row tells, of those that were asked for.
fn attributes(
    kind: ObjectType,
    told: &Map<String, Value>,
    asked: &BTreeSet<String>,
) -> BTreeMap<String, Vec<String>> {
    let value_of = |name: &String| {
        let property = property(kind, name)?;
        let value = told.get(property)?;
        if property != EXTENSIONS {
            return Some(texts(value));
        }
        // An object without any of them is told as null.
        let members = value.as_object().into_iter().flatten();
        let mut one = members.filter(|(member, _)| member.eq_ignore_ascii_case(name));
        Some(one.next().map_or_else(Vec::new, |(_, value)| texts(value)))
    };
    asked
        .iter()
        .filter_map(|name| Some((name.clone(), value_of(name)?)))
        .collect()
}

/// Values as texts; none for `null` and for empty texts.
fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match value {
        Value::Array(values) => values.iter().filter_map(text).collect(),
        value => text(value).into_iter().collect(),
    }
}

#[derive(Deserialize)]
struct RawId {
    #[serde(default)]
    id: Option<String>,
}

/// Reads a page of a list for the ids of its objects.
pub(crate) fn ids(body: &[u8]) -> Result<Listed<String>, ParseError> {
    let page = Page::split(WHAT, body)?;
    let mut items = Vec::new();
    for (index, raw) in page.all::<RawId>()?.into_iter().enumerate() {
        items.push(id(raw.id).map_err(|error| error.in_row(index))?);
    }
    Ok(Listed {
        items,
        next_link: page.next_link().map(str::to_owned),
    })
}

/// A group, as it is told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedGroup {
    pub(crate) id: String,
    /// AD domain, as a DNS name.
    pub(crate) domain: String,
    /// `sAMAccountName`.
    pub(crate) account: String,
    pub(crate) is_synced: bool,
}

impl NamedGroup {
    /// Properties to ask for.
    pub(crate) const SELECT: &'static str =
        "id,onPremisesDomainName,onPremisesSamAccountName,onPremisesSyncEnabled";
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawGroup {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    on_premises_domain_name: Option<String>,
    #[serde(default)]
    on_premises_sam_account_name: Option<String>,
    #[serde(default)]
    on_premises_sync_enabled: Option<bool>,
}

/// Reads a page of groups.
pub(crate) fn named_groups(body: &[u8]) -> Result<Listed<NamedGroup>, ParseError> {
    let page = Page::split("groups", body)?;
    let mut items = Vec::new();
    for (index, raw) in page.all::<RawGroup>()?.into_iter().enumerate() {
        items.push(NamedGroup {
            id: id(raw.id).map_err(|error| error.in_row(index))?,
            domain: raw.on_premises_domain_name.unwrap_or_default(),
            account: raw.on_premises_sam_account_name.unwrap_or_default(),
            is_synced: raw.on_premises_sync_enabled == Some(true),
        });
    }
    Ok(Listed {
        items,
        next_link: page.next_link().map(str::to_owned),
    })
}

/// An object id in lower case.
fn id(id: Option<String>) -> Result<String, ParseError> {
    let id = id.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| ParseError::new(WHAT, "the object has no id"))?;
    Ok(id.to_ascii_lowercase())
}
