//! Conditions on single objects: scope filters of sync rules, and attribute filters of Cloud Sync.
//!
//! What each operator does is documented (Microsoft Learn, *Microsoft Entra Connect Sync:
//! Understanding declarative provisioning*; Microsoft Graph reference, *filterClause*): texts are
//! compared; `ISIN` and `ISNOTIN` are `EQUAL` and `NOTEQUAL` for attributes with several values;
//! an attribute without a value meets every condition that says "not". What is not documented is
//! whether case matters and how texts are ordered: where the answer hangs on that, it is not told.

use super::cloud::{FilterClause, FilterGroup};
use super::truth::{Doubt, Truth};
use crate::dn;
use crate::report::rules::{ComparisonOperator, Condition};

/// What is known of an object.
pub trait Attributes {
    /// Values of an attribute in the directory; `None` when the attribute is not read, an empty
    /// list when the object has no value.
    fn values(&self, attribute: &str) -> Option<Vec<&str>>;

    /// Whether the object is a direct member of a group, by distinguished name; `None` when the
    /// members of that group are not read.
    fn is_member(&self, group: &str) -> Option<bool>;
}

/// Whether an object meets a scope filter of a sync rule: all conditions of any group, or there is
/// no group.
pub fn meets_rule(scope: &[Vec<Condition>], object: &impl Attributes) -> Truth {
    if scope.is_empty() {
        return Truth::Yes;
    }
    Truth::any(
        scope
            .iter()
            .map(|group| Truth::all(group.iter().map(|condition| meets(condition, object)))),
    )
}

/// Whether an object meets a condition of a sync rule.
pub fn meets(condition: &Condition, object: &impl Attributes) -> Truth {
    use ComparisonOperator as Is;

    let Some(operator) = condition.operator.known() else {
        return Truth::Unknown(Doubt::Operator(condition.operator.to_string()));
    };
    if matches!(operator, Is::IsMemberOf | Is::IsNotMemberOf) {
        let member = is_member(&condition.value, object);
        return if operator == Is::IsMemberOf {
            member
        } else {
            !member
        };
    }
    let Some(values) = object.values(&condition.attribute) else {
        return Truth::Unknown(Doubt::NotHeld(condition.attribute.clone()));
    };
    let text = Text {
        attribute: &condition.attribute,
        value: &condition.value,
    };
    let any = |test: fn(&str, &str) -> bool| text.any(&values, test);
    let bit = || Truth::any(values.iter().map(|value| has_bits(value, &condition.value)));
    match operator {
        Is::Equal | Is::IsIn => any(|one, other| one == other),
        Is::NotEqual | Is::IsNotIn => !any(|one, other| one == other),
        Is::LessThan => any(|one, other| one < other),
        Is::LessThanOrEqual => any(|one, other| one <= other),
        Is::GreaterThan => any(|one, other| one > other),
        Is::GreaterThanOrEqual => any(|one, other| one >= other),
        Is::Contains => any(|one, other| one.contains(other)),
        Is::NotContains => !any(|one, other| one.contains(other)),
        Is::StartsWith => any(|one, other| one.starts_with(other)),
        Is::NotStartsWith => !any(|one, other| one.starts_with(other)),
        Is::EndsWith => text.ends(&values),
        Is::NotEndsWith => !text.ends(&values),
        Is::IsNull => values.is_empty().into(),
        Is::IsNotNull => (!values.is_empty()).into(),
        Is::IsBitSet => bit(),
        Is::IsBitNotSet => !bit(),
        Is::IsMemberOf | Is::IsNotMemberOf => Truth::No,
    }
}

fn is_member(group: &str, object: &impl Attributes) -> Truth {
    object.is_member(group).map_or_else(
        || Truth::Unknown(Doubt::NoMembers(group.to_owned())),
        Truth::from,
    )
}

/// Whether every bit of a mask is set in a number.
fn has_bits(value: &str, mask: &str) -> Truth {
    match (value.trim().parse::<i64>(), mask.trim().parse::<i64>()) {
        (Ok(value), Ok(mask)) if mask != 0 => (value & mask == mask).into(),
        _ => Truth::Unknown(Doubt::Unclear(format!(
            "{value:?} and {mask:?} are not numbers with bits to compare"
        ))),
    }
}

/// A comparison of texts.
struct Text<'a> {
    attribute: &'a str,
    value: &'a str,
}

impl Text<'_> {
    /// Any of the values compares.
    fn any(&self, values: &[&str], test: impl Fn(&str, &str) -> bool) -> Truth {
        Truth::any(values.iter().map(|held| self.one(held, &test)))
    }

    /// The answer, when it does not hang on case.
    fn one(&self, held: &str, test: impl Fn(&str, &str) -> bool) -> Truth {
        let exact = test(held, self.value);
        if exact == test(&held.to_lowercase(), &self.value.to_lowercase()) {
            return exact.into();
        }
        Truth::Unknown(Doubt::Unclear(format!(
            "{} is {held:?}: whether that compares with {:?} hangs on case, which is not documented",
            self.attribute, self.value
        )))
    }

    /// Ends with the value. A distinguished name is compared as text as well, so a container in
    /// another spelling is missed: that is said.
    fn ends(&self, values: &[&str]) -> Truth {
        let ends = |held: &str, value: &str| held.ends_with(value);
        let is_name = ["dn", "distinguishedName"]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(self.attribute));
        if !is_name {
            return self.any(values, ends);
        }
        Truth::any(values.iter().map(|held| {
            let as_text = ends(&held.to_lowercase(), &self.value.to_lowercase());
            match dn::is_within(held, self.value) {
                Ok(true) if !as_text => Truth::Unknown(Doubt::Unclear(format!(
                    "{held:?} lies in {:?} but is spelled otherwise, and rules compare texts",
                    self.value
                ))),
                // Names in a directory have no case, and its own spelling is what rules see.
                _ => as_text.into(),
            }
        }))
    }
}

/// Whether an object passes attribute filters of Cloud Sync: every clause of any group, or there is
/// no group.
pub fn passes(filters: &[FilterGroup], object: &impl Attributes) -> Truth {
    if filters.is_empty() {
        return Truth::Yes;
    }
    Truth::any(
        filters
            .iter()
            .map(|group| Truth::all(group.clauses.iter().map(|clause| holds(clause, object)))),
    )
}

/// Whether a clause of Cloud Sync holds. Spelling of operators varies: blank or underscore.
pub fn holds(clause: &FilterClause, object: &impl Attributes) -> Truth {
    let operator = clause
        .operator
        .trim()
        .to_ascii_uppercase()
        .replace('_', " ");
    let Some(values) = object.values(&clause.attribute) else {
        return Truth::Unknown(Doubt::NotHeld(clause.attribute.clone()));
    };
    let any = |test: fn(&str, &str) -> bool| {
        Truth::any(clause.values.iter().map(|value| {
            let text = Text {
                attribute: &clause.attribute,
                value,
            };
            text.any(&values, test)
        }))
    };
    let said = |word: &str| -> Truth {
        values
            .iter()
            .any(|value| value.eq_ignore_ascii_case(word))
            .into()
    };
    let matches = || {
        Truth::any(
            clause
                .values
                .iter()
                .map(|pattern| super::pattern::matches(pattern, &values)),
        )
    };
    match operator.as_str() {
        "EQUALS" | "IN" => any(|one, other| one == other),
        "NOT EQUALS" | "NOT IN" => !any(|one, other| one == other),
        "INCLUDES" => any(|one, other| one.contains(other)),
        "GREATER THAN" => {
            any(|one, other| numbers(one, other).is_some_and(|(one, other)| one > other))
        }
        "GREATER THAN OR EQUALS" => {
            any(|one, other| numbers(one, other).is_some_and(|(one, other)| one >= other))
        }
        "IS TRUE" => said("true"),
        // A flag that has no value is not set.
        "IS FALSE" => !said("true"),
        "IS NULL" => values.is_empty().into(),
        "IS NOT NULL" => (!values.is_empty()).into(),
        "REGEX MATCH" => matches(),
        "NOT REGEX MATCH" => !matches(),
        _ => Truth::Unknown(Doubt::Operator(clause.operator.clone())),
    }
}

fn numbers(one: &str, other: &str) -> Option<(i64, i64)> {
    Some((one.trim().parse().ok()?, other.trim().parse().ok()?))
}

#[cfg(test)]
mod tests;
