//! What the scripts say about errors, and why a section counts as not read.
//!
//! Texts of errors are in the language of the server. Identifiers, categories, types and codes are
//! not, so only they decide.

use serde::Deserialize;
use syncwatch_domain::report::SectionFailure;

/// Identifier that the scripts give to "there is nothing of the kind on this server".
const ABSENT: &str = "SyncwatchAbsent";
/// `E_ACCESSDENIED`, which is also "access is denied" of Win32 as an `HRESULT`.
const ACCESS_DENIED: i64 = -2_147_024_891;
/// Longest text that goes home.
const LONGEST: usize = 600;
/// Errors that are told; further ones are counted.
const TOLD: usize = 3;

/// One error as the scripts report it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ScriptError {
    /// What was being read: a connector, a log, a name.
    step: Option<String>,
    /// `FullyQualifiedErrorId`.
    error_id: Option<String>,
    /// Category of the error record.
    category: Option<String>,
    /// Types of the exception and of those inside it.
    types: Vec<String>,
    /// Their `HRESULT`s.
    codes: Vec<i64>,
    /// The text, in whatever language.
    message: Option<String>,
}

impl ScriptError {
    /// It says that there is nothing of the kind here.
    pub(super) fn is_absent(&self) -> bool {
        self.error_id
            .as_deref()
            .is_some_and(|id| id.split(',').next() == Some(ABSENT))
    }

    /// Why the section was not read.
    pub(super) fn failure(&self) -> SectionFailure {
        if self.is_denied() {
            SectionFailure::AccessDenied
        } else if self.has_type("TimeoutException") {
            SectionFailure::Timeout
        } else {
            SectionFailure::CommandFailed
        }
    }

    fn is_denied(&self) -> bool {
        let category = self.category.as_deref().unwrap_or_default();
        matches!(
            category,
            "PermissionDenied" | "SecurityError" | "AuthenticationError"
        ) || self.codes.contains(&ACCESS_DENIED)
            || [
                "UnauthorizedAccessException",
                "SecurityAccessDeniedException",
                "SecurityException",
            ]
            .iter()
            .any(|name| self.has_type(name))
    }

    /// Whether an exception of this name is behind it, of whatever namespace.
    fn has_type(&self, name: &str) -> bool {
        self.types
            .iter()
            .any(|full| full.rsplit('.').next() == Some(name))
    }

    fn text(&self) -> String {
        let message = self.message.as_deref().unwrap_or("an error without a text");
        match self.step.as_deref() {
            None | Some("section" | "") => message.to_owned(),
            Some(step) => format!("{step}: {message}"),
        }
    }
}

/// The errors for people: a few of them, on one line.
pub(super) fn text_of(errors: &[ScriptError]) -> String {
    let mut texts: Vec<String> = errors.iter().take(TOLD).map(ScriptError::text).collect();
    if errors.len() > TOLD {
        texts.push(format!("{} more", errors.len() - TOLD));
    }
    one_line(&texts.join("; "))
}

/// A text without line breaks, cut to a length that fits a message.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn error(value: Value) -> ScriptError {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn errors_are_told_apart_in_any_language() {
        for (value, failure) in [
            (
                json!({ "Types": ["System.Management.Automation.MethodInvocationException", "System.UnauthorizedAccessException"], "Message": "Es wurde versucht, einen nicht autorisierten Vorgang auszuführen." }),
                SectionFailure::AccessDenied,
            ),
            (
                json!({ "Types": ["System.ServiceModel.Security.SecurityAccessDeniedException"], "Message": "Accès refusé." }),
                SectionFailure::AccessDenied,
            ),
            (
                json!({ "Category": "PermissionDenied", "ErrorId": "x" }),
                SectionFailure::AccessDenied,
            ),
            (
                json!({ "Types": ["System.Runtime.InteropServices.COMException"], "Codes": [-2_146_233_088, -2_147_024_891] }),
                SectionFailure::AccessDenied,
            ),
            (
                json!({ "Types": ["System.TimeoutException"], "Message": "Access is denied, says the text" }),
                SectionFailure::Timeout,
            ),
            (
                json!({ "Types": ["System.Exception"], "Message": "Access is denied." }),
                SectionFailure::CommandFailed,
            ),
            (json!({}), SectionFailure::CommandFailed),
        ] {
            assert_eq!(error(value.clone()).failure(), failure, "{value}");
        }
    }

    #[test]
    fn absent_is_told_by_its_identifier_alone() {
        assert!(error(json!({ "ErrorId": "SyncwatchAbsent" })).is_absent());
        assert!(error(json!({ "ErrorId": "SyncwatchAbsent,Stop-Absent" })).is_absent());
        assert!(!error(json!({ "ErrorId": "Other", "Message": "SyncwatchAbsent" })).is_absent());
        assert!(!error(json!({})).is_absent());
    }

    #[test]
    fn text_names_what_was_read_and_stays_short() {
        let denied = error(json!({ "Step": "System", "Message": "No\r\n  entry." }));
        let bare = error(json!({ "Step": "section", "Message": "Gone." }));
        assert_eq!(text_of(&[denied.clone(), bare]), "System: No entry.; Gone.");
        assert!(text_of(&vec![denied; 9]).ends_with("; 6 more"));
        let long = error(json!({ "Message": "ä".repeat(5_000) }));
        assert_eq!(text_of(&[long]).chars().count(), LONGEST + 4);
    }
}
