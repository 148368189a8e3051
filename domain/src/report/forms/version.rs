//! Versions of programs.

use std::fmt;

use serde_json::{Map, Value};

use super::Fault;
use super::scalar::{number, unwrapped};

/// Version of a program: four numbers; those that are not told are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub [u32; 4]);

impl Version {
    /// Reads two to four numbers with dots; what follows after a blank or a sign is left out, as
    /// in `2.6.92.0 (release)`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text
            .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
            .unwrap_or(text.len());
        if text[end..].starts_with(char::is_alphanumeric) {
            return None;
        }
        let mut numbers = [0; 4];
        let mut count = 0;
        for part in text[..end].split('.') {
            *numbers.get_mut(count)? = part.parse().ok()?;
            count += 1;
        }
        (count >= 2).then_some(Self(numbers))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, build, revision] = self.0;
        write!(f, "{major}.{minor}.{build}.{revision}")
    }
}

/// A version as text or as object.
pub(super) fn version(value: &Value) -> Result<Version, Fault> {
    let read = match unwrapped(value) {
        Value::String(text) => Version::parse(text),
        Value::Object(fields) => of_object(fields),
        _ => None,
    };
    read.ok_or(Fault::Unexpected("a version, four numbers with dots"))
}

/// `{Major, Minor, Build, Revision, …}`; -1 stands for a number that is not told.
fn of_object(fields: &Map<String, Value>) -> Option<Version> {
    let part = |name: &str| -> Option<u32> {
        match fields.get(name) {
            None | Some(Value::Null) => Some(0),
            Some(value) => match number(value).ok()? {
                -1 => Some(0),
                other => u32::try_from(other).ok(),
            },
        }
    };
    if !fields.contains_key("Major") || !fields.contains_key("Minor") {
        return None;
    }
    Some(Version([
        part("Major")?,
        part("Minor")?,
        part("Build")?,
        part("Revision")?,
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn text_and_object_are_the_same_version() {
        for value in [
            json!("2.6.92.0"),
            json!("2.6.92"),
            json!(" 2.6.92.0 (release)"),
            json!("2.6.92.0+f00d"),
            json!({"Major": 2, "Minor": 6, "Build": 92, "Revision": 0, "MajorRevision": 0}),
            json!({"Major": 2, "Minor": 6, "Build": 92, "Revision": -1}),
        ] {
            assert_eq!(version(&value), Ok(Version([2, 6, 92, 0])), "{value}");
        }
    }

    #[test]
    fn versions_compare_by_number() {
        let old = Version::parse("2.5.190.0");
        assert!(old < Version::parse("2.6.1.0"));
        assert!(old > Version::parse("2.5.79.0"));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for value in [
            json!("2"),
            json!(""),
            json!("2..1"),
            json!("1.2.3.4.5"),
            json!("2.6x"),
            json!("2.99999999999"),
            json!(2.6),
            json!({"Major": 2}),
            json!({"Major": -2, "Minor": 0}),
        ] {
            assert!(version(&value).is_err(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn text_form_round_trips(numbers in proptest::array::uniform4(0_u32..)) {
            let version = Version(numbers);
            prop_assert_eq!(Version::parse(&version.to_string()), Some(version));
        }

        #[test]
        fn no_text_makes_a_version_panic(text in ".{0,20}") {
            let _ = Version::parse(&text);
        }
    }
}
