//! The part of OData that Graph really supports on the paths the product uses; everything else is refused.

use std::borrow::Cow;

use crate::graph::error::GraphError;
use crate::graph::filter::Parser;
use crate::times;

/// Comparison operators and functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    StartsWith,
    EndsWith,
    Contains,
}

/// A literal of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    /// 100 ns ticks since 1970.
    Instant(i64),
    Number(i64),
    Flag(bool),
    Null,
}

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expr {
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Test {
        path: String,
        op: Op,
        literal: Literal,
        /// The property is put into lower case first.
        lower: bool,
    },
}

/// A value of a record that a filter looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Text(Cow<'a, str>),
    /// Any of them may match (lambda `any`).
    Texts(Vec<Cow<'a, str>>),
    Instant(i64),
    Number(i64),
    Flag(bool),
    Null,
}

impl<'a> Field<'a> {
    pub(crate) fn text(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }

    pub(crate) fn owned(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }

    pub(crate) fn ms(ms: i64) -> Self {
        Self::Instant(ms.saturating_mul(10_000))
    }
}

/// What may be done with one property.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) path: &'static str,
    pub(crate) ops: &'static [Op],
    /// Works only with ConsistencyLevel and `$count`.
    pub(crate) advanced: bool,
}

/// A rule that works on every request.
pub(crate) const fn plain(path: &'static str, ops: &'static [Op]) -> Rule {
    Rule {
        path,
        ops,
        advanced: false,
    }
}

/// A rule that works on advanced queries only.
pub(crate) const fn advanced(path: &'static str, ops: &'static [Op]) -> Rule {
    Rule {
        path,
        ops,
        advanced: true,
    }
}

impl Expr {
    pub(crate) fn parse(text: &str) -> Result<Self, GraphError> {
        Parser::new(text).parse()
    }

    /// Refuses what the endpoint does not support; tells whether the query is an advanced one.
    pub(crate) fn check(&self, rules: &[Rule]) -> Result<bool, GraphError> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                Ok(left.check(rules)? | right.check(rules)?)
            }
            Self::Not(inner) => inner.check(rules).map(|_| true),
            Self::Test {
                path, op, literal, ..
            } => {
                let mut known = false;
                for rule in rules
                    .iter()
                    .filter(|rule| rule.path.eq_ignore_ascii_case(path))
                {
                    known = true;
                    if rule.ops.contains(op) {
                        return Ok(rule.advanced || *literal == Literal::Null);
                    }
                }
                if known && *op == Op::Ne && rules.iter().any(|rule| rule.advanced) {
                    return Ok(true);
                }
                if known {
                    return Err(GraphError::unsupported_query());
                }
                Err(GraphError::bad_request(format!(
                    "Invalid filter clause: could not find a property named '{path}'."
                )))
            }
        }
    }

    /// Evaluates the filter; `exact` tells whether letters must agree in case.
    pub(crate) fn holds<'a>(&self, exact: bool, field: &impl Fn(&str) -> Field<'a>) -> bool {
        match self {
            Self::And(left, right) => left.holds(exact, field) && right.holds(exact, field),
            Self::Or(left, right) => left.holds(exact, field) || right.holds(exact, field),
            Self::Not(inner) => !inner.holds(exact, field),
            Self::Test {
                path,
                op,
                literal,
                lower,
            } => test(&field(path), *op, literal, exact && !lower),
        }
    }

    /// The time window a conjunction asks for on `activityDateTime`, in ticks.
    pub(crate) fn window(&self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::And(left, right) => {
                let (a, b) = (left.window(), right.window());
                (a.0.max(b.0), [a.1, b.1].into_iter().flatten().min())
            }
            Self::Test {
                path,
                op,
                literal: Literal::Instant(at),
                ..
            } if path.eq_ignore_ascii_case("activityDateTime") => match op {
                Op::Gt | Op::Ge => (Some(*at), None),
                Op::Lt | Op::Le => (None, Some(*at)),
                Op::Eq => (Some(*at), Some(*at)),
                _ => (None, None),
            },
            _ => (None, None),
        }
    }
}

fn test(field: &Field<'_>, op: Op, literal: &Literal, exact: bool) -> bool {
    match (field, literal) {
        (Field::Texts(values), Literal::Text(wanted)) => values
            .iter()
            .any(|value| test_text(value, op, wanted, exact)),
        (Field::Text(value), Literal::Text(wanted)) => test_text(value, op, wanted, exact),
        (Field::Instant(value), Literal::Instant(wanted))
        | (Field::Number(value), Literal::Number(wanted)) => compare(value, op, wanted),
        (Field::Flag(value), Literal::Flag(wanted)) => compare(value, op, wanted),
        (Field::Null, Literal::Null) => op == Op::Eq,
        (_, Literal::Null) | (Field::Null, _) => op == Op::Ne,
        _ => false,
    }
}

fn compare<T: PartialOrd>(value: &T, op: Op, wanted: &T) -> bool {
    match op {
        Op::Eq => value == wanted,
        Op::Ne => value != wanted,
        Op::Gt => value > wanted,
        Op::Lt => value < wanted,
        Op::Ge => value >= wanted,
        Op::Le => value <= wanted,
        Op::StartsWith | Op::EndsWith | Op::Contains => false,
    }
}

fn test_text(value: &str, op: Op, wanted: &str, exact: bool) -> bool {
    if !exact {
        return test_text(&value.to_lowercase(), op, &wanted.to_lowercase(), true);
    }
    match op {
        Op::StartsWith => value.starts_with(wanted),
        Op::EndsWith => value.ends_with(wanted),
        Op::Contains => value.contains(wanted),
        other => compare(&value, other, &wanted),
    }
}

/// The query options of a request, decoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pub(crate) pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a raw query string. A raw space or quote is refused, as the real front end does.
    pub(crate) fn parse(raw: &str) -> Result<Self, GraphError> {
        if raw.contains([' ', '"', '<', '>']) {
            return Err(GraphError::new(
                400,
                "BadRequest",
                "Bad Request - Invalid URL",
            ));
        }
        let pairs = url::form_urlencoded::parse(raw.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Ok(Self { pairs })
    }

    /// An option by name, with or without the dollar sign.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(known, _)| known.trim_start_matches('$').eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Refuses every option that is not in the list.
    pub(crate) fn only(&self, allowed: &[&str]) -> Result<(), GraphError> {
        for (name, _) in &self.pairs {
            let bare = name.trim_start_matches('$');
            if name.starts_with('$')
                && !allowed.iter().any(|known| known.eq_ignore_ascii_case(bare))
            {
                return Err(GraphError::bad_request(format!(
                    "The query parameter '{name}' is not supported on this resource."
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn filter(&self) -> Result<Option<Expr>, GraphError> {
        self.get("filter").map(Expr::parse).transpose()
    }

    /// `$top`, checked against the ceiling of the endpoint.
    pub(crate) fn top(&self, default: usize, most: usize) -> Result<usize, GraphError> {
        let Some(text) = self.get("top") else {
            return Ok(default);
        };
        match text.parse::<usize>() {
            Ok(top) if (1..=most).contains(&top) => Ok(top),
            Ok(_) => Err(GraphError::bad_request("Invalid page size specified.")),
            Err(_) => Err(GraphError::bad_request(format!(
                "Invalid value '{text}' for $top query option found."
            ))),
        }
    }

    /// The properties of `$select`; none means the default set.
    pub(crate) fn select(&self) -> Option<Vec<&str>> {
        self.get("select")
            .map(|list| list.split(',').map(str::trim).collect())
    }

    pub(crate) fn counts(&self) -> bool {
        self.get("count")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The query string again, without paging tokens, for a link.
    pub(crate) fn for_link(&self) -> String {
        let mut out = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.pairs {
            let bare = name.trim_start_matches('$');
            if !["skiptoken", "deltatoken"].contains(&bare) {
                out.append_pair(name, value);
            }
        }
        out.finish().replace("%24", "$")
    }
}

/// Reads the literal after an operator that has no quotes.
pub(crate) fn bare_literal(text: &str) -> Option<Literal> {
    match text {
        "true" => Some(Literal::Flag(true)),
        "false" => Some(Literal::Flag(false)),
        "null" => Some(Literal::Null),
        _ => text
            .parse()
            .map(Literal::Number)
            .ok()
            .or_else(|| times::parse_ticks(text).map(Literal::Instant)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const RULES: &[Rule] = &[
        plain("activityDateTime", &[Op::Eq, Op::Gt, Op::Lt]),
        plain("jobId", &[Op::Eq, Op::Contains]),
        advanced("name", &[Op::EndsWith]),
    ];

    fn record(path: &str) -> Field<'static> {
        match path {
            "activityDateTime" => Field::ms(1000),
            "jobId" => Field::text("Job.A"),
            _ => Field::Null,
        }
    }

    #[test]
    fn time_windows_are_strict() {
        for (filter, holds) in [
            (
                "activityDateTime gt 1970-01-01T00:00:00.9999999Z and jobId eq 'Job.A'",
                true,
            ),
            ("activityDateTime gt 1970-01-01T00:00:01Z", false),
            ("activityDateTime lt 1970-01-01T00:00:01.0000001Z", true),
            ("not (jobId eq 'Job.A')", false),
            ("jobId eq 'job.a'", false),
            ("contains(tolower(jobId),'job.a')", true),
            ("jobId eq 'x' or jobId eq 'Job.A'", true),
        ] {
            let expr = Expr::parse(filter).unwrap();
            assert_eq!(expr.holds(true, &record), holds, "{filter}");
        }
    }

    #[test]
    fn unsupported_operators_and_unknown_properties_differ() {
        let code = |filter: &str| {
            Expr::parse(filter)
                .and_then(|expr| expr.check(RULES))
                .unwrap_err()
                .code
        };
        assert_eq!(
            code("activityDateTime ge 2026-01-01T00:00:00Z"),
            "Request_UnsupportedQuery"
        );
        assert_eq!(code("foo eq 'bar'"), "Request_BadRequest");
        assert_eq!(code("activityDateTime gt"), "Request_BadRequest");
        assert_eq!(code("jobId eq 'open"), "Request_BadRequest");
        assert!(
            Expr::parse("endswith(name,'x')")
                .unwrap()
                .check(RULES)
                .unwrap(),
            "an advanced query"
        );
    }

    #[test]
    fn windows_are_found_in_conjunctions() {
        let expr = Expr::parse(
            "activityDateTime gt 1970-01-01T00:00:01Z and activityDateTime lt 1970-01-01T00:00:03Z",
        )
        .unwrap();
        assert_eq!(expr.window(), (Some(10_000_000), Some(30_000_000)));
    }

    #[test]
    fn page_sizes_have_a_ceiling() {
        let top = |raw: &str| Query::parse(raw).unwrap().top(100, 999);
        assert_eq!(top("$top=999").unwrap(), 999);
        assert_eq!(top("").unwrap(), 100);
        assert!(top("$top=1000").is_err() && top("$top=0").is_err() && top("$top=x").is_err());
        assert!(Query::parse("$filter=a eq 'b'").is_err(), "a raw space");
    }
}
