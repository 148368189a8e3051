//! Why a section cannot be read.

use serde_json::Value;
use thiserror::Error;

/// A text is shown up to this length: enough to recognise it.
const SHOWN: usize = 40;

/// A value has not the shape that its section has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShapeError {
    /// A property or a whole object that must be there is not.
    #[error("{at} is missing, expected {expected}")]
    Missing {
        /// Where, e.g. `data[2].RunStepResults[0].StartDate`.
        at: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// Something else is there.
    #[error("{at} is {found}, expected {expected}")]
    Unexpected {
        /// Where.
        at: String,
        /// What is there.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// PowerShell stopped at its depth limit and wrote the name of a type instead.
    #[error(
        "{at} is truncated: {found} where {expected} belongs; write it with a larger -Depth of ConvertTo-Json"
    )]
    Truncated {
        /// Where.
        at: String,
        /// What is there.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// It can be read in two ways that say different things.
    #[error("{at} is {found}, which {why}")]
    Ambiguous {
        /// Where.
        at: String,
        /// What is there.
        found: String,
        /// Which two ways, and how to mend it.
        why: &'static str,
    },
}

/// What is wrong with a value, by whoever does not know its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Fault {
    /// Something else was expected.
    Unexpected(&'static str),
    /// It was cut off; this was expected.
    Truncated(&'static str),
    /// It can be read in two ways.
    Ambiguous(&'static str),
}

impl Fault {
    /// The fault of the value found at a place.
    pub(in crate::report) fn at(self, at: String, value: &Value) -> ShapeError {
        let found = describe(value);
        match self {
            Self::Unexpected(expected) => ShapeError::Unexpected {
                at,
                found,
                expected,
            },
            Self::Truncated(expected) => ShapeError::Truncated {
                at,
                found,
                expected,
            },
            Self::Ambiguous(why) => ShapeError::Ambiguous { at, found, why },
        }
    }
}

/// A value in a few words.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.chars().count() > SHOWN => {
            let start: String = text.chars().take(SHOWN).collect();
            format!("a text that begins with {start:?}")
        }
        Value::String(text) => format!("the text {text:?}"),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(fields) if fields.is_empty() => "an empty object".to_owned(),
        Value::Object(fields) => {
            let names: Vec<&str> = fields.keys().take(3).map(String::as_str).collect();
            format!("an object with {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn found_values_are_told_in_a_few_words() {
        for (value, words) in [
            (json!(null), "null"),
            (json!(true), "true"),
            (json!(7), "the number 7"),
            (json!("soon"), "the text \"soon\""),
            (json!([1, 2]), "a list of 2"),
            (json!({}), "an empty object"),
            (
                json!({"A": 1, "B": 2, "C": 3, "D": 4}),
                "an object with A, B, C",
            ),
        ] {
            assert_eq!(describe(&value), words);
        }
        let long = describe(&json!("x".repeat(500)));
        assert!(long.len() < 80, "{long}");
    }

    #[test]
    fn error_says_place_finding_and_expectation() {
        let error = Fault::Unexpected("a number").at("data[0].RunNumber".to_owned(), &json!([]));
        assert_eq!(
            error.to_string(),
            "data[0].RunNumber is a list of 0, expected a number"
        );
    }
}
