//! Provisioning log rows in quantity: about 2.9 KB of realistic JSON each, rendered straight into a string.
//!
//! The Graph surface renders its rows with the same code, and a parsing bench can take pages without HTTP.

mod row;

use crate::chance::Seed;

pub(crate) use row::{change_id, cycle_id, duration_ms, text, write_row};

/// Error codes of single objects, in the order they are drawn.
pub const OBJECT_ERRORS: [&str; 14] = [
    "AttributeValueMustBeUnique",
    "EntryConflict",
    "InvalidSoftMatch",
    "DuplicateTargetEntries",
    "InvalidHardMatch",
    "ObjectTypeMismatch",
    "HybridSynchronizationActiveDirectoryDirectoryObjectNotFound",
    "HybridSynchronizationActiveDirectoryInsufficientAccessRights",
    "AzureDirectoryServiceServerBusy",
    "TimeOut",
    "Conflict",
    "InvalidDomain",
    "MandatoryFieldsMissing",
    "UnprocessableEntity",
];

/// What a row reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    Update,
    Create,
    Delete,
    Disable,
    Redundant,
    OutOfScope,
    StagedDelete,
    Password,
    Failure,
}

impl RowKind {
    /// Draws a kind; failures in `failure_share` of all cases.
    pub(crate) fn draw(seed: Seed, failure_share: f64) -> Self {
        if seed.corner("failure").happens(failure_share) {
            return Self::Failure;
        }
        match seed.corner("kind").below(100) {
            0..=61 => Self::Update,
            62..=69 => Self::Create,
            70..=72 => Self::Delete,
            73..=75 => Self::Disable,
            76..=93 => Self::Redundant,
            _ => Self::OutOfScope,
        }
    }

    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Update | Self::Password => "update",
            Self::Create | Self::Failure => "create",
            Self::Delete => "delete",
            Self::Disable => "disable",
            Self::StagedDelete => "stagedDelete",
            Self::Redundant | Self::OutOfScope => "other",
        }
    }

    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Update | Self::Create | Self::Delete | Self::Password => "success",
            Self::Failure => "failure",
            Self::Disable => "warning",
            Self::Redundant | Self::OutOfScope | Self::StagedDelete => "skipped",
        }
    }

    /// True if the row stands for a change in the directory.
    pub(crate) fn writes(self) -> bool {
        matches!(
            self,
            Self::Update | Self::Create | Self::Delete | Self::Disable | Self::Password
        )
    }
}

/// Everything about a row that its job and tenant determine.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) seed: Seed,
    pub(crate) tenant_id: String,
    pub(crate) job_id: String,
    pub(crate) service_principal: String,
    pub(crate) service_principal_name: String,
    pub(crate) app_id: String,
    pub(crate) ad_domain: String,
    pub(crate) mail_domain: String,
}

/// One row before rendering.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowFacts<'a> {
    pub(crate) key: u64,
    pub(crate) cycle: u64,
    pub(crate) at_ms: i64,
    pub(crate) person: u32,
    pub(crate) kind: RowKind,
    pub(crate) code: &'a str,
}

/// A seeded mountain of rows of one job, evenly spread over time, newest first.
#[derive(Debug, Clone)]
pub struct Source {
    origin: Origin,
    newest_ms: i64,
    step_ms: i64,
    people: u32,
    failure_share: f64,
}

impl Source {
    /// A source of its own, for benches without a server. Rows end at 2026-09-14T06:00:00Z, one per second.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let seed = Seed(seed);
        let tenant_id = seed.corner("tenant").guid();
        let job_guid = seed.corner("job").guid();
        Self {
            origin: Origin {
                seed,
                job_id: format!(
                    "AD2AADProvisioning.{}.{job_guid}",
                    tenant_id.replace('-', "")
                ),
                tenant_id,
                service_principal: seed.corner("sp").guid(),
                service_principal_name: "werke.example".to_owned(),
                app_id: seed.corner("app").guid(),
                ad_domain: "werke.example".to_owned(),
                mail_domain: "nordwall.example".to_owned(),
            },
            newest_ms: 1_789_365_600_000,
            step_ms: 1000,
            people: 20_000,
            failure_share: 0.05,
        }
    }

    /// The same rows, ending at another instant and with another distance.
    #[must_use]
    pub fn ending_at(mut self, newest_ms: i64, step_ms: i64) -> Self {
        self.newest_ms = newest_ms;
        self.step_ms = step_ms;
        self
    }

    /// Id of the job all rows belong to.
    #[must_use]
    pub fn job_id(&self) -> &str {
        &self.origin.job_id
    }

    /// Appends row `n` (0 is the newest) to a text.
    pub fn write_row(&self, out: &mut String, n: u32) {
        let own = self.origin.seed.corner("bulk").nth(u64::from(n));
        let kind = RowKind::draw(own, self.failure_share);
        let facts = RowFacts {
            key: u64::from(n),
            cycle: u64::from(n / 50),
            at_ms: self.newest_ms - i64::from(n) * self.step_ms,
            person: u32::try_from(own.corner("person").below(u64::from(self.people))).unwrap_or(0),
            kind,
            code: own.corner("code").pick(&OBJECT_ERRORS),
        };
        write_row(out, &self.origin, &facts);
    }

    /// A whole response body: rows `offset` to `offset + count`, with a link if one is given.
    #[must_use]
    pub fn page(&self, offset: u32, count: u32, next_link: Option<&str>) -> String {
        let mut out = String::with_capacity(count as usize * 3000 + 400);
        open_page(&mut out, "https://graph.microsoft.com/v1.0", next_link);
        for n in 0..count {
            if n > 0 {
                out.push(',');
            }
            self.write_row(&mut out, offset + n);
        }
        out.push_str("]}");
        out
    }
}

/// A whole response body with rows `offset` to `offset + count` of the standard source of a seed.
#[must_use]
pub fn page(seed: u64, offset: u32, count: u32, next_link: Option<&str>) -> String {
    Source::new(seed).page(offset, count, next_link)
}

/// Writes the head of a page up to the opening bracket.
pub(crate) fn open_page(out: &mut String, base: &str, next_link: Option<&str>) {
    out.push_str("{\"@odata.context\":\"");
    out.push_str(base);
    out.push_str("/$metadata#auditLogs/provisioning\",");
    if let Some(link) = next_link {
        out.push_str("\"@odata.nextLink\":");
        text(out, link);
        out.push(',');
    }
    out.push_str("\"value\":[");
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn a_page_is_json_of_the_promised_size_and_mix() {
        let body = page(
            7,
            0,
            1000,
            Some("http://127.0.0.1:1/v1.0/auditLogs/provisioning?$skiptoken=a"),
        );
        let size = body.len() / 1000;
        assert!((2600..3200).contains(&size), "{size} bytes per row");
        let json: Value = serde_json::from_str(&body).unwrap();
        let rows = json["value"].as_array().unwrap();
        let ids: HashSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 1000);
        let failed = rows
            .iter()
            .filter(|row| row["provisioningStatusInfo"]["status"] == "failure")
            .inspect(|row| {
                let code = row["provisioningStatusInfo"]["errorInformation"]["errorCode"]
                    .as_str()
                    .unwrap();
                assert!(OBJECT_ERRORS.contains(&code), "{code}");
            })
            .count();
        assert!((30..75).contains(&failed), "{failed} of 1000 failed");
        assert!(
            rows.iter()
                .any(|row| row["provisioningStatusInfo"]["errorInformation"].is_null())
        );
    }

    #[test]
    fn pages_are_a_function_of_seed_and_offset() {
        assert_eq!(page(7, 500, 3, None), page(7, 500, 3, None));
        assert_ne!(page(7, 500, 3, None), page(8, 500, 3, None));
        let overlap: Value = serde_json::from_str(&page(7, 499, 2, None)).unwrap();
        let plain: Value = serde_json::from_str(&page(7, 500, 1, None)).unwrap();
        assert_eq!(overlap["value"][1], plain["value"][0]);
    }

    #[test]
    fn texts_are_escaped() {
        let mut out = String::new();
        text(&mut out, "a\"b\\c\n\u{1}ü");
        assert_eq!(
            serde_json::from_str::<String>(&out).unwrap(),
            "a\"b\\c\n\u{1}ü"
        );
    }
}
