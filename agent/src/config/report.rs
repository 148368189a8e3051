//! Every mistake of a configuration in one report.

use std::fmt;

/// Where a value was written; both count from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At a place of the file.
    At {
        /// Line.
        line: usize,
        /// Column, in characters.
        column: usize,
    },
    /// Nowhere: the file as a whole lacks it.
    Whole,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At { line, column } => write!(f, "line {line}, column {column}"),
            Self::Whole => f.write_str("the file as a whole"),
        }
    }
}

/// One mistake: where, what is wrong, how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it was written.
    pub place: Place,
    /// Path of the key, e.g. `sections.rules.interval`; empty where there is no key.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

/// All mistakes of one configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Name of the file.
    pub file: String,
    /// The mistakes in the order of the file.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Puts the mistakes in order.
    #[must_use]
    pub fn new(file: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort();
        Self {
            file: file.to_owned(),
            problems,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{}: {count} {noun}", self.file)?;
        for problem in &self.problems {
            write!(f, "\n\n  {}", problem.place)?;
            if !problem.key.is_empty() {
                write!(f, ": {}", problem.key)?;
            }
            write!(f, "\n    {}\n    -> {}", problem.what, problem.mend)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
