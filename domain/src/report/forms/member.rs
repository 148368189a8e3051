//! Members of enumerations, by number or by name.

use std::fmt;

use serde_json::Value;

use super::Fault;
use super::scalar::unwrapped;

/// A member of an enumeration of the server, or what the server said instead: later builds have
/// members of which this one has not heard, and they are no reason to lose a section.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Member<T> {
    /// A member that is known here.
    Known(T),
    /// Another one, as it came.
    Unknown(String),
}

impl<T: Copy + PartialEq> Member<T> {
    /// The member, when it is known here.
    #[must_use]
    pub const fn known(&self) -> Option<T> {
        match self {
            Self::Known(member) => Some(*member),
            Self::Unknown(_) => None,
        }
    }

    /// Whether it is this member.
    #[must_use]
    pub fn is(&self, member: T) -> bool {
        self.known() == Some(member)
    }
}

impl<T: fmt::Display> fmt::Display for Member<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(member) => member.fmt(f),
            Self::Unknown(text) => f.pad(text),
        }
    }
}

/// An enumeration of the server.
pub(in crate::report) trait Numbered: Copy + 'static {
    /// Number, name and member.
    const NAMES: &'static [(i64, &'static str, Self)];
}

/// Declares an enumeration of the server with the numbers and names it has there.
macro_rules! numbered {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// Every member that is known here.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name that the server gives it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::report::forms::Numbered for $name {
            const NAMES: &'static [(i64, &'static str, Self)] =
                &[$(($number, $text, Self::$variant)),+];
        }
    };
}
pub(in crate::report) use numbered;

/// A member by number, by number as text, or by name in any case.
pub(super) fn member<T: Numbered>(value: &Value) -> Result<Member<T>, Fault> {
    match unwrapped(value) {
        Value::Number(number) => Ok(by_number(number.as_i64(), &number.to_string())),
        Value::String(text) if !text.trim().is_empty() => Ok(match text.trim().parse() {
            Ok(number) => by_number(Some(number), text),
            Err(_) => by_name(text.trim()),
        }),
        _ => Err(Fault::Unexpected("a number or a name")),
    }
}

fn by_number<T: Numbered>(number: Option<i64>, text: &str) -> Member<T> {
    T::NAMES
        .iter()
        .find(|(of, ..)| Some(*of) == number)
        .map_or_else(
            || Member::Unknown(text.to_owned()),
            |(.., member)| Member::Known(*member),
        )
}

fn by_name<T: Numbered>(name: &str) -> Member<T> {
    T::NAMES
        .iter()
        .find(|(_, of, _)| of.eq_ignore_ascii_case(name))
        .map_or_else(
            || Member::Unknown(name.to_owned()),
            |(.., member)| Member::Known(*member),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::rules::ComparisonOperator;
    use serde_json::json;

    #[test]
    fn numbers_and_names_are_the_same_member() {
        for value in [
            json!(3),
            json!("3"),
            json!("LessThan_Or_Equal"),
            json!({"value": 3, "Value": "LESSTHAN_OR_EQUAL"}),
        ] {
            let read: Result<Member<ComparisonOperator>, Fault> = member(&value);
            assert_eq!(
                read,
                Ok(Member::Known(ComparisonOperator::LessThanOrEqual)),
                "{value}"
            );
        }
    }

    #[test]
    fn unknown_members_are_kept_as_they_came() {
        for (value, kept) in [
            (json!(90), "90"),
            (json!("SOUNDSLIKE"), "SOUNDSLIKE"),
            (json!(1.5), "1.5"),
        ] {
            let read: Result<Member<ComparisonOperator>, Fault> = member(&value);
            assert_eq!(read, Ok(Member::Unknown(kept.to_owned())));
        }
    }

    #[test]
    fn what_cannot_be_a_member_is_refused() {
        for value in [json!(null), json!(""), json!([]), json!(true), json!({})] {
            let read: Result<Member<ComparisonOperator>, Fault> = member(&value);
            assert!(read.is_err(), "{value}");
        }
    }
}
