//! Distinguished names: the same name in another spelling, and what lies below what.
//!
//! A name is read as RFC 4514 writes it and as Active Directory compares it: without regard to
//! case (full Unicode folding), to blanks around separators, to how a character is escaped
//! (`\,`, `\2C`), to the order within a multi-valued RDN, and to how a type is named (`OU`,
//! `2.5.4.11`). Only whole RDNs count: `OU=NotStaff` does not end in `OU=Staff`.

mod memo;
mod rdn;
mod tree;

use std::borrow::Cow;
use std::fmt::Write;

use thiserror::Error;

pub use memo::Memo;
pub use tree::Tree;

/// A text that is not a distinguished name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{rdn:?} is not a part of a distinguished name: {why}")]
pub struct DnError {
    /// The part that is wrong, cut to a readable length.
    rdn: String,
    /// What is wrong with it.
    why: &'static str,
}

/// Longest part of a name that a sentence shows, in characters.
const SHOWN: usize = 80;

impl DnError {
    fn new(rdn: &str, why: &'static str) -> Self {
        Self {
            rdn: rdn.chars().take(SHOWN).collect(),
            why,
        }
    }
}

/// The raw parts of a name between unescaped commas, from the object up to the root.
pub fn rdns(dn: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(dn);
    std::iter::from_fn(move || {
        let text = rest?;
        let (rdn, above) = split(text);
        rest = above;
        Some(rdn)
    })
}

/// The name of what contains this one, as it was written; `None` for a name of one part.
#[must_use]
pub fn parent(dn: &str) -> Option<&str> {
    split(dn).1
}

/// The first part, and what comes behind the comma.
fn split(dn: &str) -> (&str, Option<&str>) {
    let bytes = dn.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b',', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes[at] == b',' {
            return (&dn[..at], Some(&dn[at + 1..]));
        }
        // What a backslash stands before separates nothing.
        at += 2;
    }
    (dn, None)
}

/// The one spelling of a name: two names are the same when these are equal.
///
/// It is a distinguished name itself: parts in lower case joined by commas, from the object up to
/// the root, with a backslash before each character that needs one.
///
/// # Errors
/// When the text is not a distinguished name.
pub fn canonical(dn: &str) -> Result<String, DnError> {
    let mut out = String::with_capacity(dn.len());
    for raw in rdns(dn) {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(&rdn::canonical(raw)?);
    }
    Ok(out)
}

/// Whether two names are the same.
///
/// # Errors
/// When one of them is not a distinguished name.
pub fn is_same(one: &str, other: &str) -> Result<bool, DnError> {
    Ok(canonical(one)? == canonical(other)?)
}

/// Whether `dn` is `container` or lies below it, however deep.
///
/// # Errors
/// When one of them is not a distinguished name.
pub fn is_within(dn: &str, container: &str) -> Result<bool, DnError> {
    let (dn, container) = (canonical(dn)?, canonical(container)?);
    let above = dn.strip_suffix(&container);
    Ok(above.is_some_and(|above| {
        // The comma before the container must be one that separates: an even number of backslashes.
        above.is_empty()
            || above.strip_suffix(',').is_some_and(|before| {
                let escapes = before.len() - before.trim_end_matches('\\').len();
                escapes % 2 == 0
            })
    }))
}

/// The common name of what a name names, as it was meant; `None` when its first part is another one.
#[must_use]
pub fn common_name(dn: &str) -> Option<String> {
    rdn::common_name(split(dn).0)
}

/// The DNS name of the domain a name lies in: its `DC` parts; `None` without any.
#[must_use]
pub fn domain(dn: &str) -> Option<String> {
    let mut domain = String::new();
    for raw in rdns(dn) {
        let canonical = rdn::canonical(raw).unwrap_or(Cow::Borrowed(""));
        if let Some(label) = canonical.strip_prefix("dc=") {
            let dot = if domain.is_empty() { "" } else { "." };
            let _ = write!(domain, "{dot}{label}");
        } else {
            // Parts of a domain stand at the end.
            domain.clear();
        }
    }
    (!domain.is_empty()).then_some(domain)
}

#[cfg(test)]
mod tests;
