//! Names as their parts, which know nothing of texts, and the many ways to write them down.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use unicase::UniCase;

/// Types as they are written; the same type stands for several.
const TYPES: [(&str, &str); 7] = [
    ("CN", "cn"),
    ("cn", "cn"),
    ("2.5.4.3", "cn"),
    ("OU", "ou"),
    ("OID.2.5.4.11", "ou"),
    ("DC", "dc"),
    ("x-Team", "x-team"),
];
/// Few letters, so that names meet; among them those that need escapes and that fold oddly.
const LETTERS: [char; 26] = [
    'a', 'A', 'b', 'B', '1', ' ', ',', '+', '\\', '"', '#', '=', '<', ';', 'ß', 'ẞ', 's', 'ü', 'Ü',
    'ς', 'Σ', 'ﬁ', 'K', 'İ', '𐐀', '-',
];

/// One type and value.
type Pair = (&'static str, String);
/// What tells names apart: their parts from the object up, each a set.
pub(super) type Key = Vec<BTreeSet<(&'static str, String)>>;

#[derive(Clone, Debug)]
pub(super) struct Name(Vec<Vec<Pair>>);

impl Name {
    /// What the name is, by another fold than the one that is tested.
    pub(super) fn key(&self) -> Key {
        let parts = self.0.iter().map(|part| {
            part.iter()
                .map(|(kind, value)| {
                    let known = TYPES.iter().find(|(written, _)| written == kind);
                    let folded = UniCase::unicode(value.as_str()).to_folded_case();
                    (known.map_or("", |(_, meant)| meant), folded)
                })
                .collect()
        });
        parts.collect()
    }

    /// Some containers, and names at and below them.
    pub(super) fn family() -> impl Strategy<Value = (Vec<Self>, Vec<Self>)> {
        let containers = proptest::collection::vec(names(), 1..8);
        let more =
            proptest::collection::vec((any::<usize>(), proptest::option::of(names())), 1..12);
        (containers, more).prop_map(|(containers, more)| {
            let dns = more.into_iter().map(|(home, below)| {
                let mut parts = below.map_or_else(Vec::new, |name| name.0);
                parts.extend(containers[home % containers.len()].0.clone());
                Self(parts)
            });
            let dns = dns.collect();
            (containers, dns)
        })
    }

    /// The name written down, every time in another way.
    pub(super) fn spelled(&self) -> BoxedStrategy<String> {
        let parts: Vec<_> = self.0.iter().map(|part| part_spelled(part)).collect();
        let separators =
            proptest::collection::vec(select(vec![",", ", ", " ,", ",  "]), parts.len());
        (parts, separators)
            .prop_map(|(parts, separators)| {
                let mut text = String::new();
                for (at, (part, separator)) in parts.iter().zip(separators).enumerate() {
                    if at > 0 {
                        text.push_str(separator);
                    }
                    text.push_str(part);
                }
                text
            })
            .boxed()
    }
}

fn part_spelled(part: &[Pair]) -> BoxedStrategy<String> {
    let pairs: Vec<_> = part
        .iter()
        .map(|(kind, value)| pair_spelled(kind, value))
        .collect();
    Just(())
        .prop_perturb({
            let count = pairs.len();
            move |(), mut random| {
                let mut order: Vec<usize> = (0..count).collect();
                for at in (1..count).rev() {
                    order.swap(at, random.random_range(0..=at));
                }
                order
            }
        })
        .prop_flat_map(move |order| {
            let pairs: Vec<_> = order.into_iter().map(|at| pairs[at].clone()).collect();
            (pairs, select(vec!["+", " + "])).prop_map(|(pairs, plus)| pairs.join(plus))
        })
        .boxed()
}

fn pair_spelled(kind: &'static str, value: &str) -> BoxedStrategy<String> {
    let value = value.to_owned();
    let letters = proptest::collection::vec(0..4_u8, value.chars().count());
    (letters, 0..8_u8, any::<bool>())
        .prop_map(move |(ways, whole, upper)| {
            let kind = if upper {
                kind.to_ascii_uppercase()
            } else {
                kind.to_owned()
            };
            let text = if whole == 0 && value.len() < 128 {
                hexadecimal(&value)
            } else {
                escaped(&value, &ways)
            };
            format!("{kind}={text}")
        })
        .boxed()
}

/// The whole value as UTF8String in BER.
fn hexadecimal(value: &str) -> String {
    let digits: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("#0C{:02X}{digits}", value.len())
}

fn escaped(value: &str, ways: &[u8]) -> String {
    let last = ways.len().saturating_sub(1);
    let mut text = String::new();
    for ((at, letter), way) in value.chars().enumerate().zip(ways) {
        let must = match letter {
            ',' | '+' | '"' | '\\' | '<' | ';' => true,
            '#' => at == 0,
            ' ' => at == 0 || at == last,
            _ => false,
        };
        let may = must || matches!(letter, '=' | '#' | ' ');
        match way {
            0 => {
                let mut bytes = [0; 4];
                for byte in letter.encode_utf8(&mut bytes).bytes() {
                    text.push_str(&format!("\\{byte:02X}"));
                }
            }
            1 if may => text.extend(['\\', letter]),
            _ if must => text.extend(['\\', letter]),
            2 => text.extend(letter.to_uppercase()),
            _ => text.push(letter),
        }
    }
    text
}

/// A value of few letters.
fn value() -> impl Strategy<Value = String> {
    proptest::collection::vec(select(LETTERS.to_vec()), 1..5)
        .prop_map(|letters| letters.into_iter().collect())
}

pub(super) fn names() -> impl Strategy<Value = Name> {
    let kinds: Vec<&'static str> = TYPES.iter().map(|(written, _)| *written).collect();
    let part = prop_oneof![
        9 => proptest::collection::vec((select(kinds.clone()), value()), 1),
        1 => proptest::collection::vec((select(kinds), value()), 2..4),
    ];
    proptest::collection::vec(part, 1..5).prop_map(Name)
}

/// Texts that look a little like names.
pub(super) fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        proptest::collection::vec(
            select(vec![
                "CN=", "a", ",", "\\", "+", "#", "0C", "=", "\"", " ", "ß", "\\2", "2C", "é"
            ]),
            0..24
        )
        .prop_map(|pieces| pieces.concat()),
    ]
}
