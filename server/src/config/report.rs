//! Every mistake of a configuration in one report.

use std::fmt;

use serde::Serialize;

/// Where a value of the configuration was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the file; both count from one.
    File {
        /// Line.
        line: usize,
        /// Column, in characters.
        column: usize,
    },
    /// In an environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// Nowhere: the file as a whole lacks it.
    #[default]
    Whole,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { line, column } => write!(f, "line {line}, column {column}"),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::Whole => f.write_str("the file as a whole"),
        }
    }
}

/// One mistake: where, what is wrong, how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Where it was written.
    pub place: Place,
    /// Path of the key, e.g. `tenant[0].polls.jobs.schedule`; empty where there is no key.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: Option<String>,
}

impl Problem {
    /// A mistake of a key.
    pub fn new(place: Place, key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place,
            key: key.into(),
            what: what.into(),
            mend: None,
        }
    }

    /// Says how to mend it.
    #[must_use]
    pub fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }
}

/// All mistakes of one configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Name of the file.
    pub file: String,
    /// The mistakes in the order of the file, those of the environment after them.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Puts the mistakes in order and drops repetitions.
    #[must_use]
    pub fn new(file: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort();
        problems.dedup();
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
            write!(f, "\n    {}", problem.what)?;
            if let Some(mend) = &problem.mend {
                write!(f, "\n    -> {mend}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
