//! What an event means, by provider and id.

use super::cycle::{CycleWord, word};
use super::{ADSYNC, DIRECTORY_SYNCHRONIZATION};
use crate::report::forms::domain_of;
use crate::report::markup::element;
use crate::sync_server::CertificateWord;

/// A reason is shown up to this length.
const REASON_LENGTH: usize = 300;

/// What an event means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A batch of password hashes was sent (651).
    PasswordBatchEnded {
        /// How many.
        count: Option<i64>,
    },
    /// Password hash sync told Entra ID that it is alive, with nothing to send (654).
    PasswordPingEnded,
    /// What became of single password hashes (657).
    PasswordResults {
        /// How many were taken.
        succeeded: i64,
        /// How many were not.
        others: i64,
    },
    /// Password hash sync failed for a domain (611), its health task failed (662), or a hash cannot
    /// be made (667).
    PasswordFailed(DomainWord),
    /// The state of a domain could not be stored: its partition state grows old while password hash
    /// sync works (665).
    PasswordStateNotStored(DomainWord),
    /// The scheduler says something (904).
    Cycle(CycleWord),
    /// The guard against accidental deletes stopped the export (116).
    DeletionStop {
        /// Deletes that wait.
        pending: Option<i64>,
        /// Deletes that are let through at a time.
        limit: Option<i64>,
    },
    /// The certificate that Connect signs in with ends soon (1011) or has ended (1012).
    Certificate(CertificateWord),
    /// One object was not exported (6941 of the engine).
    ExportError {
        /// Name of the error, e.g. `AttributeValueMustBeUnique`.
        name: Option<String>,
    },
    /// Something that is not read further.
    Other,
}

/// What an event says about a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainWord {
    /// DNS name of the domain, in lower case.
    pub domain: Option<String>,
    /// Id of its connector.
    pub connector_id: Option<String>,
    /// Why, in the server's words.
    pub reason: Option<String>,
}

/// What an event means. Its message may be in a language that nobody here speaks; what it was made
/// of is not.
pub(super) fn of(provider: &str, id: i64, message: &str, data: &str) -> Meaning {
    let spoken = of_text(provider, id, message);
    if spoken.says_something() {
        return spoken;
    }
    let written = of_text(provider, id, data);
    if written.says_something() {
        written
    } else {
        spoken
    }
}

impl Meaning {
    /// Whether more was read than the id.
    fn says_something(&self) -> bool {
        match self {
            Self::PasswordBatchEnded { count } => count.is_some(),
            Self::PasswordResults { succeeded, others } => succeeded + others > 0,
            Self::PasswordFailed(word) | Self::PasswordStateNotStored(word) => {
                word.domain.is_some() || word.connector_id.is_some()
            }
            Self::Cycle(word) => *word != CycleWord::Other,
            Self::DeletionStop { pending, limit } => pending.is_some() || limit.is_some(),
            Self::ExportError { name } => name.is_some(),
            Self::PasswordPingEnded | Self::Certificate(_) | Self::Other => true,
        }
    }
}

/// What an event with this text means.
fn of_text(provider: &str, id: i64, text: &str) -> Meaning {
    if provider.eq_ignore_ascii_case(ADSYNC) {
        return match id {
            6941 => Meaning::ExportError {
                name: after_label(text, "Error Name:"),
            },
            _ => Meaning::Other,
        };
    }
    if !provider.eq_ignore_ascii_case(DIRECTORY_SYNCHRONIZATION) {
        return Meaning::Other;
    }
    match id {
        116 => Meaning::DeletionStop {
            pending: number_before(text, " pending delet"),
            limit: number_after(text, "threshold of "),
        },
        611 | 662 | 667 => Meaning::PasswordFailed(domain_word(text)),
        651 => Meaning::PasswordBatchEnded {
            count: number_after(text, "Count:"),
        },
        654 => Meaning::PasswordPingEnded,
        657 => results(text),
        665 => Meaning::PasswordStateNotStored(domain_word(text)),
        904 => Meaning::Cycle(word(text)),
        1011 => Meaning::Certificate(CertificateWord::Ending),
        1012 => Meaning::Certificate(CertificateWord::Expired),
        _ => Meaning::Other,
    }
}

/// The domain stands in a little XML at the end of the text, in sentences of the text otherwise.
fn domain_word(text: &str) -> DomainWord {
    let (sentences, tail) = match text.find("<forest-info>") {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let domain = element(tail, "partition-name").and_then(|dn| domain_of(&dn));
    DomainWord {
        domain: domain.or_else(|| domain_in(sentences)),
        connector_id: element(tail, "connector-id").map(|id| id.to_ascii_lowercase()),
        reason: reason(sentences),
    }
}

/// `… for domain: ad.hauser.example, domain controller hostname: …`
fn domain_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("domain: ")?;
    let end = rest
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-')))
        .unwrap_or(rest.len());
    let name = rest[..end].trim_matches('.');
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

/// The innermost of the exceptions, without the name of its class; the first line of the text when
/// there is none.
fn reason(text: &str) -> Option<String> {
    let innermost = match text.rsplit_once("---> ") {
        Some((_, inner)) => inner,
        None => text.split_once("Details:").map_or(text, |(_, rest)| rest),
    };
    let line = innermost
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())?;
    let words = match line.split_once(": ") {
        Some((class, rest)) if class.contains('.') && !class.contains(' ') => rest,
        _ => line,
    };
    Some(words.chars().take(REASON_LENGTH).collect())
}

/// One line per user: `Password Change Result - …, Result : Success.`
fn results(text: &str) -> Meaning {
    let (mut succeeded, mut others) = (0, 0);
    for line in text.lines() {
        if let Some((_, result)) = line.rsplit_once("Result :") {
            if result.trim().trim_end_matches('.') == "Success" {
                succeeded += 1;
            } else {
                others += 1;
            }
        }
    }
    Meaning::PasswordResults { succeeded, others }
}

/// The rest of the line behind a label.
fn after_label(text: &str, label: &str) -> Option<String> {
    let (_, rest) = text.split_once(label)?;
    let value = rest.lines().next().unwrap_or_default().trim();
    (!value.is_empty()).then(|| value.to_owned())
}

fn number_after(text: &str, label: &str) -> Option<i64> {
    let (_, rest) = text.split_once(label)?;
    let rest = rest.trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

fn number_before(text: &str, label: &str) -> Option<i64> {
    let (before, _) = text.split_once(label)?;
    let digits = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    before[before.len() - digits..].parse().ok()
}

#[cfg(test)]
#[path = "meaning_tests.rs"]
mod tests;
