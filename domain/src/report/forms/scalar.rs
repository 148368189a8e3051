//! Texts, numbers, truth values.

use serde_json::Value;

use super::Fault;

/// What is inside of `{value, …}`: PowerShell wraps a value to which properties were added.
pub(super) fn unwrapped(value: &Value) -> &Value {
    match value {
        Value::Object(fields) => match fields.get("value") {
            Some(inner) if !inner.is_object() && !inner.is_array() => inner,
            _ => value,
        },
        _ => value,
    }
}

/// A text; numbers and truth values as PowerShell would write them.
pub(super) fn text(value: &Value) -> Result<String, Fault> {
    match unwrapped(value) {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(true) => Ok("True".to_owned()),
        Value::Bool(false) => Ok("False".to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Fault::Unexpected("a text")),
    }
}

/// A whole number, also as text or as `3.0`.
pub(super) fn number(value: &Value) -> Result<i64, Fault> {
    let read = match unwrapped(value) {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    read.ok_or(Fault::Unexpected("a whole number"))
}

/// A decimal number, also as text with a point.
pub(super) fn decimal(value: &Value) -> Result<f64, Fault> {
    let read = match unwrapped(value) {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    read.filter(|number| number.is_finite())
        .ok_or(Fault::Unexpected("a number"))
}

/// A truth value, also as text or as 0 and 1.
pub(super) fn flag(value: &Value) -> Result<bool, Fault> {
    let read = match unwrapped(value) {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => flag_of_text(text),
        _ => None,
    };
    read.ok_or(Fault::Unexpected("true or false"))
}

/// `True` or `False` in any case.
pub(in crate::report) fn flag_of_text(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// The whole number that a double is, when it is one that doubles hold exactly.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a whole double below 2^53 is exactly an i64"
)]
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_flags_are_read_from_texts() {
        assert_eq!(number(&json!("4187")), Ok(4187));
        assert_eq!(number(&json!(3.0)), Ok(3));
        assert_eq!(number(&json!({"value": 4, "Value": "Running"})), Ok(4));
        assert_eq!(decimal(&json!("6912.44")), Ok(6912.44));
        assert_eq!(flag(&json!("True")), Ok(true));
        assert_eq!(flag(&json!(0)), Ok(false));
    }

    #[test]
    fn what_is_none_is_refused() {
        for value in [json!(3.5), json!("3,5"), json!(""), json!([3]), json!(true)] {
            assert!(number(&value).is_err(), "{value}");
        }
        for value in [json!("6912,44"), json!("NaN"), json!("inf"), json!(null)] {
            assert!(decimal(&value).is_err(), "{value}");
        }
        for value in [json!("yes"), json!(2), json!({})] {
            assert!(flag(&value).is_err(), "{value}");
        }
        assert!(text(&json!({"value": [1]})).is_err());
    }
}
