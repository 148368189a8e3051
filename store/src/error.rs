//! What can go wrong, one variant per kind of operation.

use thiserror::Error;

/// An error of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The address of the database cannot be read.
    #[error(
        "the store url {url:?} is not usable: write sqlite:<path> or postgres://<user>@<host>/<database>"
    )]
    Url {
        /// The address without a password.
        url: String,
    },
    /// No connection.
    #[error("cannot open the database {url}")]
    Open {
        /// The address without a password.
        url: String,
        /// Cause.
        #[source]
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("cannot migrate the database")]
    Migrate {
        /// Cause.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// The schema is not the one this version knows.
    #[error("the database has schema {found}, this version needs {needed}: {mend}")]
    Schema {
        /// Newest migration found.
        found: i64,
        /// Newest migration known.
        needed: i64,
        /// What to do.
        mend: &'static str,
    },
    /// A statement failed.
    #[error("cannot {operation}: {class}")]
    Statement {
        /// What was tried.
        operation: &'static str,
        /// What kind of trouble it is, for people.
        class: Trouble,
        /// Cause.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds what this version cannot read.
    #[error("{table} holds {found:?} as {column}, which this version does not know")]
    Row {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// Value.
        found: String,
    },
    /// A stored row of a log could not be packed or unpacked.
    #[error("cannot {operation} a row of a log")]
    Codec {
        /// What was tried.
        operation: &'static str,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A value could not be written as JSON, or read from it.
    #[error("cannot {operation} as JSON")]
    Json {
        /// What was tried.
        operation: &'static str,
        /// Cause.
        #[source]
        source: serde_json::Error,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What kind of trouble the database is in; `None` when it is not the database's fault.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        use sqlx::migrate::MigrateError;
        match self {
            Self::Open { source, .. }
            | Self::Migrate {
                source: MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _),
            } => Some(Trouble::of(source)),
            Self::Statement { class, .. } => Some(*class),
            _ => None,
        }
    }
}

/// Kinds of trouble an operator can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No space left.
    Full,
    /// Another process holds the database.
    Locked,
    /// The file or its folder cannot be written.
    ReadOnly,
    /// The file is no database, or is damaged.
    Damaged,
    /// The server cannot be reached.
    Unreachable,
    /// Anything else.
    Other,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full => "the disk is full; nothing more is accepted until there is space",
            Self::Locked => {
                "the database is locked by another process; only one syncwatch may use it"
            }
            Self::ReadOnly => {
                "the database is read-only; check the rights of the file and of its folder"
            }
            Self::Damaged => "the file is no database or is damaged; restore it from a backup",
            Self::Unreachable => "the database server cannot be reached",
            Self::Other => "the database refused",
        })
    }
}

impl Trouble {
    /// Classifies an error of the driver. SQLite codes are those of its result code list
    /// (FULL 13, BUSY 5, LOCKED 6, READONLY 8, CANTOPEN 14, CORRUPT 11, NOTADB 26, IOERR 10);
    /// PostgreSQL codes those of its error code appendix.
    #[must_use]
    pub fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Tls(_) => {
                Self::Unreachable
            }
            sqlx::Error::Database(database) => Self::of_code(database.code().as_deref()),
            _ => Self::Other,
        }
    }

    fn of_code(code: Option<&str>) -> Self {
        let Some(code) = code else { return Self::Other };
        if code.len() == 5 {
            return match code {
                "53100" => Self::Full,
                "25006" => Self::ReadOnly,
                "55P03" => Self::Locked,
                "XX001" | "XX002" => Self::Damaged,
                _ if code.starts_with("08") || code.starts_with("57P") => Self::Unreachable,
                _ => Self::Other,
            };
        }
        match code.parse::<i32>().map(|code| code & 0xff) {
            Ok(13) => Self::Full,
            Ok(5 | 6) => Self::Locked,
            Ok(8 | 14) => Self::ReadOnly,
            Ok(11 | 26) => Self::Damaged,
            _ => Self::Other,
        }
    }
}

/// Names the operation a driver error happened in.
pub(crate) trait During<T> {
    /// Wraps the error.
    fn during(self, operation: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, sqlx::Error> {
    fn during(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Statement {
            operation,
            class: Trouble::of(&source),
            source,
        })
    }
}

impl<T> During<T> for Result<T, serde_json::Error> {
    fn during(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Json { operation, source })
    }
}

/// Reads a word of a closed set.
pub(crate) fn word<T>(
    read: fn(&str) -> Option<T>,
    text: &str,
    table: &'static str,
    column: &'static str,
) -> Result<T, StoreError> {
    read(text).ok_or_else(|| StoreError::Row {
        table,
        column,
        found: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_databases_become_clear_words() {
        for (code, trouble) in [
            ("13", Trouble::Full),
            ("5", Trouble::Locked),
            ("261", Trouble::Locked),
            ("8", Trouble::ReadOnly),
            ("1032", Trouble::ReadOnly),
            ("26", Trouble::Damaged),
            ("53100", Trouble::Full),
            ("08006", Trouble::Unreachable),
            ("57P01", Trouble::Unreachable),
            ("23505", Trouble::Other),
            ("1", Trouble::Other),
        ] {
            assert_eq!(Trouble::of_code(Some(code)), trouble, "{code}");
        }
    }
}
