//! How bad the result of a run is.
//!
//! Results are texts. Those that are known have a grade of their own; one that nobody knows is
//! kept as it came and graded by how it begins. Some are bad only when they come again: a
//! controller that was gone for one run is a warning, one that is gone twice in a row is not.

use std::time::Duration;

use crate::lane::words;

words! {
    /// How bad a result is; later ones are worse.
    Grade {
        /// Fine.
        Ok = "ok",
        /// Good to know.
        Info = "info",
        /// Somebody should look.
        Warning = "warning",
        /// Somebody must look now.
        Critical = "critical",
    }
}

/// What is known of the runs before, of the same profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repetition {
    /// Runs with a result that is as bad or worse, one after the other, up to this one; at least 1.
    pub in_a_row: u32,
    /// How long that has lasted.
    pub lasts: Duration,
    /// More objects failed to export than in the run before.
    pub more_failures: bool,
}

/// When a result is worse than by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worse {
    Never,
    /// From so many runs in a row.
    InARow(u32, Grade),
    /// When more objects fail, or it lasts for a day.
    ExportErrors(Grade),
}

/// Runs in a row from which "gone" is critical.
const GONE_TWICE: Worse = Worse::InARow(2, Grade::Critical);
/// Collisions with another run are worth a word when there are more than three in a row.
const COLLISIONS: Worse = Worse::InARow(4, Grade::Warning);
/// Errors of an export that last so long are critical.
const EXPORT_ERRORS_LAST: Duration = Duration::from_hours(24);

/// How a text is compared.
#[derive(Clone, Copy, Debug)]
enum Like {
    Is(&'static str),
    Begins(&'static str),
    /// Begins and ends so.
    Around(&'static str, &'static str),
}

/// The first that fits counts.
const RESULTS: &[(Like, Grade, Worse)] = &[
    (Like::Is("success"), Grade::Ok, Worse::Never),
    (Like::Is("in-progress"), Grade::Ok, Worse::Never),
    (Like::Is("success-can-resume"), Grade::Warning, Worse::Never),
    (Like::Is("completed-warnings"), Grade::Info, Worse::Never),
    (
        Like::Around("completed-", "-warnings"),
        Grade::Info,
        Worse::Never,
    ),
    (
        Like::Is("completed-export-errors"),
        Grade::Warning,
        Worse::ExportErrors(Grade::Critical),
    ),
    (
        Like::Is("completed-transient-objects"),
        Grade::Info,
        Worse::Never,
    ),
    (
        Like::Is("completed-skipped-already-completed"),
        Grade::Ok,
        Worse::Never,
    ),
    (Like::Is("aborted"), Grade::Warning, Worse::Never),
    (
        Like::Begins("stopped-user-termination"),
        Grade::Info,
        Worse::Never,
    ),
    (Like::Is("stopped-server-down"), Grade::Warning, GONE_TWICE),
    (Like::Is("stopped-server"), Grade::Warning, GONE_TWICE),
    (Like::Is("stopped-connectivity"), Grade::Warning, GONE_TWICE),
    (Like::Is("no-start-connection"), Grade::Warning, GONE_TWICE),
    (
        Like::Is("no-start-ma-already-running"),
        Grade::Info,
        COLLISIONS,
    ),
    (
        Like::Is("no-start-ma-concurrent-operation-disallowed"),
        Grade::Info,
        COLLISIONS,
    ),
    (
        Like::Is("no-start-ma-update-in-progress"),
        Grade::Info,
        COLLISIONS,
    ),
    (
        Like::Is("no-start-no-steps-in-profile"),
        Grade::Warning,
        Worse::Never,
    ),
    (
        Like::Is("no-start-unknown-profile-name"),
        Grade::Warning,
        Worse::Never,
    ),
    (
        Like::Begins("no-start-resume-"),
        Grade::Warning,
        Worse::Never,
    ),
    // Not known by name: stopped-error-limit, stopped-extension-dll-exception,
    // stopped-deletion-threshold-exceeded, stopped-database-disk-full, no-start-credentials and
    // whatever later builds say all fall under these.
    (Like::Begins("success"), Grade::Ok, Worse::Never),
    (Like::Begins("completed-"), Grade::Warning, Worse::Never),
    (Like::Begins("stopped-"), Grade::Critical, Worse::Never),
    (Like::Begins("no-start-"), Grade::Critical, Worse::Never),
];

/// Grade of a result that has neither a known name nor a known beginning.
const UNHEARD_OF: (Grade, Worse) = (Grade::Warning, Worse::Never);

/// Grade of a result by itself.
#[must_use]
pub fn of(result: &str) -> Grade {
    look_up(result).0
}

/// Grade of a result in the light of the runs before.
#[must_use]
pub fn among(result: &str, before: &Repetition) -> Grade {
    let (alone, worse) = look_up(result);
    match worse {
        Worse::InARow(from, grade) if before.in_a_row >= from => grade,
        Worse::ExportErrors(grade)
            if before.more_failures || before.lasts >= EXPORT_ERRORS_LAST =>
        {
            grade
        }
        _ => alone,
    }
}

fn look_up(result: &str) -> (Grade, Worse) {
    let result = result.trim().to_ascii_lowercase();
    RESULTS
        .iter()
        .find(|(like, ..)| like.fits(&result))
        .map_or(UNHEARD_OF, |(_, grade, worse)| (*grade, *worse))
}

impl Like {
    fn fits(self, result: &str) -> bool {
        match self {
            Self::Is(text) => result == text,
            Self::Begins(start) => result.starts_with(start),
            Self::Around(start, end) => {
                result.len() > start.len() + end.len()
                    && result.starts_with(start)
                    && result.ends_with(end)
            }
        }
    }
}

#[cfg(test)]
#[path = "grade_tests.rs"]
mod tests;
