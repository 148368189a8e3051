use super::*;
use crate::report::forms::Member;
use crate::report::rules::ComparisonOperator as Is;

/// An object of which some attributes are read.
struct Object {
    held: Vec<(&'static str, Vec<&'static str>)>,
    groups: Vec<(&'static str, bool)>,
}

impl Attributes for Object {
    fn values(&self, attribute: &str) -> Option<Vec<&str>> {
        let held = self
            .held
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(attribute));
        held.map(|(_, values)| values.clone())
    }

    fn is_member(&self, group: &str) -> Option<bool> {
        let known = self
            .groups
            .iter()
            .find(|(name, _)| dn::is_same(name, group) == Ok(true));
        known.map(|(_, member)| *member)
    }
}

fn anna() -> Object {
    Object {
        held: vec![
            ("dn", vec!["CN=Anna,OU=Pilot,OU=Staff,DC=hauser,DC=example"]),
            ("department", vec!["Sales"]),
            ("title", vec![]),
            ("userAccountControl", vec!["514"]),
            ("employeeID", vec!["0042"]),
            (
                "proxyAddresses",
                vec!["SMTP:anna@hauser.example", "smtp:a@hauser.example"],
            ),
        ],
        groups: vec![("CN=Pilot,DC=x", true), ("CN=Others,DC=x", false)],
    }
}

/// One row per operator and case: yes, no, or not told.
const RULE_CASES: &[(Is, &str, &str, Option<bool>)] = &[
    (Is::Equal, "department", "Sales", Some(true)),
    (Is::Equal, "department", "IT", Some(false)),
    (Is::Equal, "department", "SALES", None),
    (Is::Equal, "title", "Sales", Some(false)),
    (
        Is::Equal,
        "proxyAddresses",
        "smtp:a@hauser.example",
        Some(true),
    ),
    (Is::NotEqual, "department", "Sales", Some(false)),
    (Is::NotEqual, "department", "IT", Some(true)),
    (Is::NotEqual, "department", "sales", None),
    (Is::NotEqual, "title", "Sales", Some(true)),
    (Is::LessThan, "department", "Tax", Some(true)),
    (Is::LessThan, "department", "Sales", Some(false)),
    (Is::LessThan, "department", "Legal", Some(false)),
    (Is::LessThan, "department", "legal", None),
    (Is::LessThanOrEqual, "department", "Sales", Some(true)),
    (Is::LessThanOrEqual, "department", "Legal", Some(false)),
    (Is::Contains, "department", "ale", Some(true)),
    (Is::Contains, "department", "IT", Some(false)),
    (Is::Contains, "department", "ALE", None),
    (Is::Contains, "title", "a", Some(false)),
    (Is::NotContains, "department", "ale", Some(false)),
    (Is::NotContains, "department", "IT", Some(true)),
    (Is::NotContains, "title", "a", Some(true)),
    (Is::StartsWith, "department", "Sa", Some(true)),
    (Is::StartsWith, "department", "al", Some(false)),
    (Is::StartsWith, "department", "sa", None),
    (Is::NotStartsWith, "department", "Sa", Some(false)),
    (Is::NotStartsWith, "department", "User_", Some(true)),
    (Is::NotStartsWith, "title", "User_", Some(true)),
    (Is::EndsWith, "department", "les", Some(true)),
    (Is::EndsWith, "department", "sal", Some(false)),
    (
        Is::EndsWith,
        "dn",
        "OU=Pilot,OU=Staff,DC=hauser,DC=example",
        Some(true),
    ),
    (
        Is::EndsWith,
        "dn",
        "ou=pilot,ou=staff,dc=HAUSER,dc=example",
        Some(true),
    ),
    (
        Is::EndsWith,
        "dn",
        "OU=Pilot, OU=Staff, DC=hauser, DC=example",
        None,
    ),
    (
        Is::EndsWith,
        "dn",
        "lot,OU=Staff,DC=hauser,DC=example",
        Some(true),
    ),
    (
        Is::EndsWith,
        "dn",
        "OU=Other,DC=hauser,DC=example",
        Some(false),
    ),
    (
        Is::NotEndsWith,
        "dn",
        "OU=Staff,DC=hauser,DC=example",
        Some(false),
    ),
    (
        Is::NotEndsWith,
        "dn",
        "OU=Other,DC=hauser,DC=example",
        Some(true),
    ),
    (Is::NotEndsWith, "title", "x", Some(true)),
    (Is::GreaterThan, "department", "Legal", Some(true)),
    (Is::GreaterThan, "department", "Sales", Some(false)),
    (Is::GreaterThanOrEqual, "department", "Sales", Some(true)),
    (Is::GreaterThanOrEqual, "department", "Tax", Some(false)),
    (Is::IsNull, "title", "", Some(true)),
    (Is::IsNull, "department", "", Some(false)),
    (Is::IsNotNull, "title", "", Some(false)),
    (Is::IsNotNull, "department", "", Some(true)),
    (
        Is::IsIn,
        "proxyAddresses",
        "smtp:a@hauser.example",
        Some(true),
    ),
    (
        Is::IsIn,
        "proxyAddresses",
        "smtp:b@hauser.example",
        Some(false),
    ),
    (
        Is::IsNotIn,
        "proxyAddresses",
        "smtp:a@hauser.example",
        Some(false),
    ),
    (
        Is::IsNotIn,
        "proxyAddresses",
        "smtp:b@hauser.example",
        Some(true),
    ),
    (Is::IsNotIn, "title", "x", Some(true)),
    (Is::IsBitSet, "userAccountControl", "2", Some(true)),
    (Is::IsBitSet, "userAccountControl", "66", Some(false)),
    (Is::IsBitSet, "department", "2", None),
    (Is::IsBitSet, "userAccountControl", "0", None),
    (Is::IsBitSet, "title", "2", Some(false)),
    (Is::IsBitNotSet, "userAccountControl", "2", Some(false)),
    (Is::IsBitNotSet, "userAccountControl", "65536", Some(true)),
    (Is::IsMemberOf, "", "cn=pilot,dc=x", Some(true)),
    (Is::IsMemberOf, "", "CN=Others,DC=x", Some(false)),
    (Is::IsMemberOf, "", "CN=Unread,DC=x", None),
    (Is::IsNotMemberOf, "", "CN=Pilot,DC=x", Some(false)),
    (Is::IsNotMemberOf, "", "CN=Others,DC=x", Some(true)),
    (Is::IsNotMemberOf, "", "CN=Unread,DC=x", None),
];

fn condition(operator: Is, attribute: &str, value: &str) -> Condition {
    Condition {
        attribute: attribute.to_owned(),
        operator: Member::Known(operator),
        value: value.to_owned(),
    }
}

#[test]
fn every_operator_of_sync_rules_answers_as_it_is_documented() {
    for (operator, attribute, value, expected) in RULE_CASES {
        let answer = meets(&condition(*operator, attribute, value), &anna());
        assert_eq!(
            answer.known(),
            *expected,
            "{attribute} {operator} {value}: {answer:?}"
        );
    }
    for operator in Is::ALL {
        let rows = RULE_CASES.iter().filter(|(of, ..)| of == operator);
        let told: Vec<_> = rows.map(|(.., expected)| *expected).collect();
        for both in [true, false] {
            assert!(told.contains(&Some(both)), "{operator} is never {both}");
        }
        let unread = condition(*operator, "mail", "x");
        assert_eq!(
            meets(&unread, &anna()).known(),
            None,
            "{operator} of what is not read"
        );
    }
    let tomorrow = Condition {
        operator: Member::Unknown("SOUNDSLIKE".to_owned()),
        ..condition(Is::Equal, "department", "Sales")
    };
    assert_eq!(
        meets(&tomorrow, &anna()),
        Truth::Unknown(Doubt::Operator("SOUNDSLIKE".to_owned()))
    );
}

#[test]
fn conditions_of_a_group_hold_together_and_any_group_does() {
    let sales = || condition(Is::Equal, "department", "Sales");
    let it = || condition(Is::Equal, "department", "IT");
    let unread = || condition(Is::IsNull, "mail", "");
    for (scope, expected) in [
        (vec![], Some(true)),
        (vec![vec![]], Some(true)),
        (vec![vec![sales(), it()]], Some(false)),
        (vec![vec![sales()], vec![it()]], Some(true)),
        (vec![vec![it(), unread()]], Some(false)),
        (vec![vec![sales(), unread()]], None),
        (vec![vec![unread()], vec![sales()]], Some(true)),
    ] {
        assert_eq!(meets_rule(&scope, &anna()).known(), expected, "{scope:?}");
    }
}

#[test]
fn every_operator_of_cloud_sync_answers_in_every_spelling() {
    let cases: &[(&str, &str, &[&str], Option<bool>)] = &[
        ("EQUALS", "department", &["Sales"], Some(true)),
        ("equals", "department", &["IT", "Sales"], Some(true)),
        ("EQUALS", "department", &["sales"], None),
        ("EQUALS", "title", &["x"], Some(false)),
        ("NOT EQUALS", "department", &["Sales"], Some(false)),
        ("NOT_EQUALS", "title", &["x"], Some(true)),
        ("IS TRUE", "title", &[], Some(false)),
        ("IS FALSE", "title", &[], Some(true)),
        ("IS_NULL", "title", &[], Some(true)),
        ("IS NOT NULL", "title", &[], Some(false)),
        ("REGEX MATCH", "department", &["^Sa"], Some(true)),
        (
            "NOT REGEX MATCH",
            "department",
            &["^CAS_([^{]*){"],
            Some(true),
        ),
        ("NOT REGEX MATCH", "title", &["^CAS_([^{]*){"], Some(true)),
        ("REGEX_MATCH", "department", &["(?<=x)y"], None),
        ("GREATER_THAN", "employeeID", &["41"], Some(true)),
        ("GREATER_THAN_OR_EQUALS", "employeeID", &["43"], Some(false)),
        ("INCLUDES", "department", &["ale"], Some(true)),
        ("IN", "department", &["IT"], Some(false)),
        ("NOT IN", "department", &["IT"], Some(true)),
        ("SOUNDS LIKE", "department", &["IT"], None),
        ("EQUALS", "mail", &["x"], None),
    ];
    for (operator, attribute, values, expected) in cases {
        let clause = FilterClause {
            attribute: (*attribute).to_owned(),
            operator: (*operator).to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let answer = holds(&clause, &anna());
        assert_eq!(answer.known(), *expected, "{clause:?}: {answer:?}");
        let group = |clauses| FilterGroup {
            name: String::new(),
            clauses,
        };
        assert_eq!(passes(&[group(vec![clause])], &anna()), answer);
    }
    assert_eq!(passes(&[], &anna()), Truth::Yes);
}
