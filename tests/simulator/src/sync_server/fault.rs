//! What the interpreter itself does wrong, on demand.

use serde::{Deserialize, Serialize};

use crate::times::Span;

/// A misbehaviour, of one section or of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only this section; every one when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// What it does.
    pub kind: FaultKind,
}

/// A misbehaviour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// No answer, ever.
    Hang,
    /// The process ends in the middle.
    Crash,
    /// The process ends before its text runs.
    NeverReady,
    /// The account lacks a right; the text is German.
    AccessDenied,
    /// The command reports an error; the text is French.
    CommandFailed,
    /// A line that is no answer.
    Garbage,
    /// The answer to another request.
    WrongRequest,
    /// A line that does not end.
    EndlessLine,
    /// Objects below the second level are names of types.
    Truncated,
    /// Values as Windows PowerShell 5.1 prints them when nobody casts them.
    RawForms,
    /// So many bytes of error output before the answer.
    Noise(u32),
    /// Loading the module of Connect takes this long, of real time.
    SlowModule(Span),
}
