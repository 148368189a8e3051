//! Patterns of Cloud Sync's filters. They are written for .NET; what means something else here, or
//! nothing, is not evaluated, except where the plain letters at its start decide alone.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::{Regex, RegexBuilder};

use super::truth::{Doubt, Truth};

/// Most memory that a pattern may compile to, in bytes.
const LARGEST: usize = 1 << 20;
/// Patterns kept at most: the filters of a tenant have a handful.
const KEPT: usize = 32;

/// A pattern ready to be used, as it stands and without regard to case.
struct Compiled {
    exact: Option<Regex>,
    folded: Option<Regex>,
}

thread_local! {
    // A filter is asked about every object, and compiling it takes far longer than asking.
    static COMPILED: RefCell<HashMap<String, Rc<Compiled>>> = RefCell::default();
}

fn compiled(pattern: &str) -> Rc<Compiled> {
    COMPILED.with_borrow_mut(|known| {
        if let Some(compiled) = known.get(pattern) {
            return Rc::clone(compiled);
        }
        let compiled = Rc::new(Compiled {
            exact: compile(pattern, false),
            folded: compile(pattern, true),
        });
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(pattern.to_owned(), Rc::clone(&compiled));
        compiled
    })
}

/// Whether any of the values matches.
pub(super) fn matches(pattern: &str, values: &[&str]) -> Truth {
    if values.is_empty() {
        return Truth::No;
    }
    let unclear = || Truth::Unknown(Doubt::Pattern(pattern.to_owned()));
    let compiled = compiled(pattern);
    let Some(exact) = &compiled.exact else {
        let begins = values.iter().any(|value| may_begin(pattern, value));
        return if begins { unclear() } else { Truth::No };
    };
    Truth::any(values.iter().map(|value| {
        let answer = exact.is_match(value);
        // Whether case matters is not documented.
        match &compiled.folded {
            Some(folded) if folded.is_match(value) == answer => answer.into(),
            _ => unclear(),
        }
    }))
}

fn compile(pattern: &str, folded: bool) -> Option<Regex> {
    RegexBuilder::new(&braced(pattern))
        .case_insensitive(folded)
        .size_limit(LARGEST)
        .build()
        .ok()
}

/// A brace that begins no count is a letter in .NET and a mistake here.
fn braced(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 2);
    let (mut in_class, mut escaped, mut names) = (false, false, false);
    for (at, letter) in pattern.char_indices() {
        let is_count = || {
            let inner = pattern[at + 1..].split_once('}').map(|(inner, _)| inner);
            inner.is_some_and(|inner| {
                inner.starts_with(|first: char| first.is_ascii_digit())
                    && inner.chars().all(|one| one.is_ascii_digit() || one == ',')
            })
        };
        match letter {
            '{' if !in_class && !escaped && !names && !is_count() => out.push('\\'),
            '[' if !escaped => in_class = true,
            ']' if !escaped => in_class = false,
            _ => {}
        }
        out.push(letter);
        // As in \p{L}.
        names = escaped && matches!(letter, 'p' | 'P');
        escaped = letter == '\\' && !escaped;
    }
    out
}

/// Whether a value may match a pattern that begins with plain letters at the start of the text.
fn may_begin(pattern: &str, value: &str) -> bool {
    let Some(rest) = pattern.strip_prefix('^') else {
        return true;
    };
    let letters = rest
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ' ' | '-'))
        .count();
    // A letter before a count may be missing, and alternatives make the start optional.
    let sure = letters.saturating_sub(1);
    let begins: String = rest.chars().take(sure).collect();
    rest.contains('|') || value.to_lowercase().starts_with(&begins.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_dot_net_are_read_as_far_as_they_mean_the_same() {
        for (pattern, value, expected) in [
            ("^CAS_([^{]*){", "CAS_{1}", Some(true)),
            ("^CAS_([^{]*){", "anna", Some(false)),
            ("^CAS_([^{]*){", "cas_{1}", None),
            ("^a{2}$", "aa", Some(true)),
            ("^a{2,}$", "a", Some(false)),
            ("[{]", "{", Some(true)),
            ("\\{x", "{x", Some(true)),
            ("\\p{Lu}", "É", Some(true)),
            ("(?<!x)y", "y", None),
            ("^SVC(?=x)", "anna", Some(false)),
            ("^SVC(?=x)", "svcx", None),
            ("^SVC(?=x)|a", "anna", None),
            ("(", "a", None),
            ("Sales|IT", "IT", Some(true)),
        ] {
            let answer = matches(pattern, &[value]);
            assert_eq!(answer.known(), expected, "{pattern} {value}: {answer:?}");
        }
        assert_eq!(matches("(?=x)", &[]), Truth::No);
    }

    #[test]
    fn many_patterns_are_not_mixed_up() {
        for round in 0..3 {
            for number in 0..2 * KEPT {
                let pattern = format!("^{number}$");
                assert_eq!(
                    matches(&pattern, &[&number.to_string()]),
                    Truth::Yes,
                    "{round}"
                );
                assert_eq!(matches(&pattern, &["x"]), Truth::No);
            }
        }
        COMPILED.with_borrow(|known| assert!(known.len() <= KEPT));
    }
}
