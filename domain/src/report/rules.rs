//! Section `rules`: sync rules with scope filters and flows (`Get-ADSyncRule`).
//!
//! One object per rule with the cmdlet's own properties. What the agent's scripts print:
//!
//! ```json
//! {
//!   "Identifier": "3f9d0b61-7d0e-4a0b-9d27-5a50a1f00001",
//!   "InternalId": "e26c544d-2f66-5371-9efe-c8e2894cdb81",
//!   "Name": "In from AD - User - no flow",
//!   "Version": 3,
//!   "Description": "",
//!   "ImmutableTag": {
//!     "TagValue": "Microsoft.InfromADUserJoin.006",
//!     "VersionAgnosticTag": "Microsoft.InfromADUserJoin",
//!     "TagVersion": 6,
//!     "IsStandardTag": true,
//!     "IsLegacyCustomTag": false
//!   },
//!   "Connector": "5d1c6f0e-3a57-4b0e-9c41-7b7d5a0f1a11",
//!   "Direction": "Inbound",
//!   "Disabled": false,
//!   "SourceObjectType": "user",
//!   "TargetObjectType": "person",
//!   "Precedence": 50,
//!   "LinkType": "Join",
//!   "EnablePasswordSync": false,
//!   "JoinFilter": [
//!     { "JoinConditionList": [{ "CSAttribute": "objectGUID", "MVAttribute": "sourceAnchorBinary", "CaseSensitive": false }] }
//!   ],
//!   "ScopeFilter": [
//!     { "ScopeConditionList": [{ "Attribute": "dn", "ComparisonValue": "OU=Pilot,DC=hauser,DC=example", "ComparisonOperator": "ENDSWITH" }] }
//!   ],
//!   "AttributeFlowMappings": [
//!     {
//!       "Source": ["True"],
//!       "Destination": "cloudNoFlow",
//!       "FlowType": "Constant",
//!       "ExecuteOnce": false,
//!       "Expression": null,
//!       "ValueMergeType": "Update"
//!     }
//!   ],
//!   "IsStandardRule": false,
//!   "IsLegacyCustomRule": false
//! }
//! ```
//!
//! `ImmutableTag`, which custom rules lack, may be `null`. Not required are `InternalId`,
//! `Version`, `Description`, `EnablePasswordSync`, `IsLegacyCustomRule`, and of a flow
//! `ExecuteOnce`, `Expression` and `ValueMergeType`.

mod words;

pub use words::{ComparisonOperator, Direction, FlowType, LinkType, ValueMergeType};

use serde_json::Value;

use super::forms::{Forms, Member, Row, ShapeError, Texts, rows};

/// A sync rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it is for, in its author's words.
    pub description: Option<String>,
    /// Version of the rule.
    pub version: Option<i64>,
    /// Id of the connector.
    pub connector_id: String,
    /// Into the metaverse or out of it.
    pub direction: Member<Direction>,
    /// It is switched off.
    pub disabled: bool,
    /// Type of the objects it takes from.
    pub source_type: String,
    /// Type of the objects it gives to.
    pub target_type: String,
    /// The lower, the stronger; below 100 for rules of one's own.
    pub precedence: i64,
    /// What it does to the link of the objects.
    pub link: Member<LinkType>,
    /// It switches on password hash sync for its objects.
    pub password_sync: bool,
    /// Groups of conditions: all of a group, any of the groups; none is every object of the type.
    pub scope: Vec<Vec<Condition>>,
    /// Groups of conditions by which objects are joined.
    pub joins: Vec<Vec<Join>>,
    /// Flows of attributes.
    pub flows: Vec<Flow>,
    /// It came with the product.
    pub standard: bool,
    /// Name of the standard rule that it is, whatever its version.
    pub standard_tag: Option<String>,
}

/// A condition of a scope filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Attribute.
    pub attribute: String,
    /// How it is compared.
    pub operator: Member<ComparisonOperator>,
    /// With what; empty for operators that need nothing.
    pub value: String,
}

/// A condition by which objects are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Attribute in the connector space.
    pub connector_attribute: String,
    /// Attribute in the metaverse.
    pub metaverse_attribute: String,
    /// Case matters.
    pub case_sensitive: bool,
}

/// A flow of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Attribute that is written.
    pub destination: String,
    /// Where the value comes from.
    pub kind: Member<FlowType>,
    /// Attributes it comes from; the value itself for a constant.
    pub sources: Vec<String>,
    /// Expression that makes the value.
    pub expression: Option<String>,
    /// Only when the object is new.
    pub once: bool,
    /// What happens to values that are there.
    pub merge: Option<Member<ValueMergeType>>,
}

impl Flow {
    /// The value, when it is a constant.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        self.kind
            .is(FlowType::Constant)
            .then(|| self.sources.first().map(String::as_str))
            .flatten()
    }
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section, or a depth limit cut it off.
pub fn read(data: &[Value], forms: &Forms) -> Result<Vec<Rule>, ShapeError> {
    rows(data, forms)?.iter().map(rule).collect()
}

fn rule(row: &Row<'_>) -> Result<Rule, ShapeError> {
    for name in ["ScopeFilter", "JoinFilter", "AttributeFlowMappings"] {
        row.demand(name, "a list")?;
    }
    Ok(Rule {
        id: row.id("Identifier")?,
        name: row.text("Name")?,
        description: row.optional_text("Description")?,
        version: row.optional_number("Version")?,
        connector_id: row.id("Connector")?,
        direction: row.member("Direction")?,
        disabled: row.flag("Disabled")?,
        source_type: row.text("SourceObjectType")?,
        target_type: row.text("TargetObjectType")?,
        precedence: row.number("Precedence")?,
        link: row.member("LinkType")?,
        password_sync: row.optional_flag("EnablePasswordSync")?.unwrap_or(false),
        scope: groups(row, "ScopeFilter", "ScopeConditionList", condition)?,
        joins: groups(row, "JoinFilter", "JoinConditionList", join)?,
        flows: row
            .rows("AttributeFlowMappings")?
            .iter()
            .map(flow)
            .collect::<Result<_, _>>()?,
        standard: row.flag("IsStandardRule")?,
        standard_tag: match row.optional_row("ImmutableTag")? {
            Some(tag) => tag.optional_text("VersionAgnosticTag")?,
            None => None,
        },
    })
}

/// Groups of conditions.
fn groups<T>(
    row: &Row<'_>,
    name: &str,
    list: &str,
    read: fn(&Row<'_>) -> Result<T, ShapeError>,
) -> Result<Vec<Vec<T>>, ShapeError> {
    row.rows(name)?
        .iter()
        .map(|group| {
            group.demand(list, "a list of conditions")?;
            group.rows(list)?.iter().map(read).collect()
        })
        .collect()
}

fn condition(row: &Row<'_>) -> Result<Condition, ShapeError> {
    Ok(Condition {
        attribute: row.text("Attribute")?,
        operator: row.member("ComparisonOperator")?,
        value: row.optional_text("ComparisonValue")?.unwrap_or_default(),
    })
}

fn join(row: &Row<'_>) -> Result<Join, ShapeError> {
    Ok(Join {
        connector_attribute: row.text("CSAttribute")?,
        metaverse_attribute: row.text("MVAttribute")?,
        case_sensitive: row.optional_flag("CaseSensitive")?.unwrap_or(false),
    })
}

fn flow(row: &Row<'_>) -> Result<Flow, ShapeError> {
    row.demand("Source", "a list of attributes")?;
    let kind: Member<FlowType> = row.member("FlowType")?;
    // The value of a constant may have blanks, the name of an attribute has none.
    let sources = if kind.is(FlowType::Constant) {
        Texts::One
    } else {
        Texts::Words
    };
    Ok(Flow {
        destination: row.text("Destination")?,
        sources: row.texts("Source", sources)?,
        kind,
        expression: row.optional_text("Expression")?,
        once: row.optional_flag("ExecuteOnce")?.unwrap_or(false),
        merge: row.optional_member("ValueMergeType")?,
    })
}
