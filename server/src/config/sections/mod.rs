//! The sections of the configuration that the server itself owns.

pub mod intake;
pub mod lanes;
pub mod server;
pub mod store;

use syncwatch_domain::span::Span;

/// A mistake within a section; the path is relative to the section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Path of the key within the section.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: Option<String>,
}

impl Fault {
    pub(crate) fn new(path: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            what: what.into(),
            mend: Some(mend.into()),
        }
    }
}

/// Reports a span that must be above zero and is not.
fn above_zero(faults: &mut Vec<Fault>, path: &str, span: Option<Span>) {
    if span.is_some_and(|span| span.0.is_zero()) {
        faults.push(Fault::new(
            path,
            "must be above zero",
            "write a duration such as 30s, 15m or 2h",
        ));
    }
}
