//! Lists in every form, and what a depth limit leaves of them.

use serde_json::{Map, Value};

use super::Fault;
use super::scalar::text;

const LIST: &str = "a list";

/// What PowerShell writes for an object below its depth limit: the name of the type, or the
/// properties of an object of its own in one text.
pub(super) fn is_cut_off(text: &str) -> bool {
    let text = text.trim_start();
    ["Microsoft.IdentityManagement.", "System.", "@{"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// The elements of a list: of an array, of `{value, Count}`, or the only one alone.
/// Elements that are `null` are none.
pub(super) fn elements(value: &Value) -> Result<Vec<&Value>, Fault> {
    match value {
        Value::Object(fields) if is_wrapper(fields) => wrapped(fields),
        other => Ok(plain(other)),
    }
}

fn plain(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().filter(|item| !item.is_null()).collect(),
        other => vec![other],
    }
}

fn is_wrapper(fields: &Map<String, Value>) -> bool {
    fields.contains_key("value") && fields.contains_key("Count")
}

/// The elements of `{value, Count}`, which must be as many as it says.
fn wrapped(fields: &Map<String, Value>) -> Result<Vec<&Value>, Fault> {
    let inner = fields.get("value").unwrap_or(&Value::Null);
    let items = plain(inner);
    let raw = match inner {
        Value::Array(all) => all.len(),
        _ => items.len(),
    };
    match fields.get("Count").and_then(Value::as_u64) {
        Some(count) if usize::try_from(count) == Ok(raw) => Ok(items),
        _ => Err(Fault::Unexpected(
            "a list with as many elements as its Count says",
        )),
    }
}

/// The element of a list of objects.
pub(super) fn object(value: &Value) -> Result<&Map<String, Value>, Fault> {
    match value {
        Value::Object(fields) => Ok(fields),
        Value::String(text) if is_cut_off(text) => Err(Fault::Truncated("an object")),
        _ => Err(Fault::Unexpected("an object")),
    }
}

/// What the texts of a list are: it decides how the only one alone is told from several that a
/// depth limit joined with blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Texts {
    /// Distinguished names.
    Dns,
    /// Names without blanks: attributes, classes.
    Words,
    /// A single text of any kind.
    One,
    /// Texts of any kind that are never joined, such as the data of events.
    Free,
}

/// A list of texts.
pub(super) fn texts(value: &Value, what: Texts) -> Result<Vec<String>, Fault> {
    if let Value::String(alone) = value {
        return alone_text(alone, what).map(|()| vec![alone.clone()]);
    }
    elements(value)?
        .into_iter()
        .map(|item| element_text(item, what))
        .collect()
}

/// One text of a list.
fn element_text(item: &Value, what: Texts) -> Result<String, Fault> {
    match item {
        Value::Object(fields) if what == Texts::Free && fields.contains_key("Value") => {
            match &fields["Value"] {
                Value::Null => Ok(String::new()),
                inner => text(inner),
            }
        }
        Value::String(name) if is_type_name(name, what) => Err(Fault::Truncated("a text")),
        other => text(other),
    }
}

/// Whether PowerShell wrote the name of a type for an element.
fn is_type_name(text: &str, what: Texts) -> bool {
    match what {
        Texts::Free => is_bare_type(text),
        Texts::One => false,
        Texts::Dns | Texts::Words => is_cut_off(text),
    }
}

/// A name of a type and nothing else: texts of events may well begin with that of an exception,
/// but then its message follows.
fn is_bare_type(text: &str) -> bool {
    is_cut_off(text) && !text.contains(':')
}

/// Whether a text that stands for a whole list is its only element.
fn alone_text(text: &str, what: Texts) -> Result<(), Fault> {
    let cut = match what {
        Texts::Free => is_bare_type(text),
        Texts::One => is_cut_off(text),
        Texts::Words => is_cut_off(text) || text.trim().contains(char::is_whitespace),
        Texts::Dns => is_cut_off(text) || is_joined(text),
    };
    if cut {
        return Err(Fault::Truncated(LIST));
    }
    // An empty list below the depth limit becomes an empty text: nothing tells how it was.
    if text.trim().is_empty() && what != Texts::Free {
        return Err(Fault::Unexpected(LIST));
    }
    Ok(())
}

/// Whether a text is several distinguished names with blanks between: a blank, an attribute and
/// `=` follow, and no comma goes before.
fn is_joined(text: &str) -> bool {
    text.match_indices(' ').any(|(at, _)| {
        let before = text[..at].trim_end();
        let after = text[at..].trim_start();
        let letters = after.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let separated =
            before.ends_with(['+', '=']) || (before.ends_with(',') && !before.ends_with("\\,"));
        letters > 0 && after[letters..].starts_with('=') && !separated
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_of_a_list_gives_its_elements() {
        for (value, count) in [
            (json!([1, 2]), 2),
            (json!({"value": [1, 2], "Count": 2}), 2),
            (json!({"value": 1, "Count": 1}), 1),
            (json!({"value": null, "Count": 0}), 0),
            (json!({"Name": "ADSync"}), 1),
            (json!([]), 0),
            (json!([null]), 0),
            (json!(null), 0),
        ] {
            assert_eq!(elements(&value).map(|all| all.len()), Ok(count), "{value}");
        }
    }

    #[test]
    fn wrapper_that_lost_elements_is_refused() {
        for value in [
            json!({"value": [1], "Count": 2}),
            json!({"value": [1], "Count": "many"}),
        ] {
            assert!(elements(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn type_names_are_never_objects() {
        for text in [
            "Microsoft.IdentityManagement.PowerShell.ObjectModel.ConnectorPartitionScope",
            "System.Object[]",
            "System.Collections.Hashtable",
            "@{Attribute=dn; ComparisonOperator=8}",
        ] {
            assert_eq!(
                object(&json!(text)),
                Err(Fault::Truncated("an object")),
                "{text}"
            );
        }
        assert!(matches!(object(&json!("")), Err(Fault::Unexpected(_))));
    }

    #[test]
    fn single_name_alone_is_a_list_of_one() {
        for (text, what) in [
            ("OU=Staff,DC=hauser,DC=example", Texts::Dns),
            ("OU=Sales and More, DC=hauser, DC=example", Texts::Dns),
            ("OU=Profit + Loss,DC=hauser,DC=example", Texts::Dns),
            ("user", Texts::Words),
            ("two words", Texts::One),
            ("System.Exception: no", Texts::Free),
        ] {
            assert_eq!(texts(&json!(text), what), Ok(vec![text.to_owned()]));
        }
    }

    #[test]
    fn joined_names_are_told_from_one() {
        for (text, what) in [
            (
                "OU=Staff,DC=hauser,DC=example OU=Groups,DC=hauser,DC=example",
                Texts::Dns,
            ),
            ("contact group user", Texts::Words),
            ("System.String[]", Texts::Dns),
            (
                "System.Diagnostics.Eventing.Reader.EventProperty",
                Texts::Free,
            ),
        ] {
            assert_eq!(
                texts(&json!(text), what),
                Err(Fault::Truncated(LIST)),
                "{text}"
            );
        }
        for what in [Texts::Dns, Texts::Words, Texts::One] {
            assert_eq!(texts(&json!(""), what), Err(Fault::Unexpected(LIST)));
        }
    }

    #[test]
    fn data_of_events_is_read_from_objects_too() {
        assert_eq!(
            texts(
                &json!([{"Value": "a"}, {"Value": 7}, {"Value": null}]),
                Texts::Free
            ),
            Ok(vec!["a".to_owned(), "7".to_owned(), String::new()])
        );
    }
}
