//! Texts and instants as Graph writes them.

use std::borrow::Cow;
use std::fmt;

use chrono::DateTime;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use syncwatch_domain::time::Timestamp;

/// A text, borrowed from the answer unless it holds escapes.
///
/// `Option<Cow<str>>` never borrows in serde; this does, also inside `Option`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text, unless it is empty: Graph writes "nothing" also as `""`.
    pub(crate) fn filled(self) -> Option<Cow<'a, str>> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// The content of an optional text, `None` when it is empty.
pub(crate) fn filled<'a>(text: Option<Text<'a>>) -> Option<Cow<'a, str>> {
    text.and_then(Text::filled)
}

/// The same as an owned text.
pub(crate) fn owned(text: Option<Text<'_>>) -> Option<String> {
    filled(text).map(Cow::into_owned)
}

/// An instant, or "never": `null`, `""` and zero dates (any year before 1970).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct When(pub(crate) Option<Timestamp>);

impl When {
    fn read(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self(None));
        }
        if let Some(at) = Timestamp::parse(text) {
            return Some(Self(Some(at)));
        }
        // Readable but before 1970: a zero date.
        DateTime::parse_from_rfc3339(text.trim())
            .ok()
            .map(|_| Self(None))
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<Text<'de>>::deserialize(deserializer)? {
            None => Ok(Self(None)),
            Some(Text(text)) => Self::read(&text).ok_or_else(|| {
                D::Error::custom(format_args!(
                    "{:?} is not an instant",
                    crate::http::cut(&text, 40)
                ))
            }),
        }
    }
}

/// An object that is sometimes wrapped into a list: the first one counts.
#[derive(Clone, Debug)]
pub(crate) struct First<T>(pub(crate) Option<T>);

impl<T> Default for First<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FirstVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstVisitor<T> {
            type Value = First<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object, a list of objects or null")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(First(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    .map(|value| First(Some(value)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let first = seq.next_element()?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }
        deserializer.deserialize_any(FirstVisitor(std::marker::PhantomData))
    }
}

/// Whether two words of an enumeration are the same; Graph's documents and answers differ in case.
pub(crate) fn is(word: &str, member: &str) -> bool {
    word.eq_ignore_ascii_case(member)
}
