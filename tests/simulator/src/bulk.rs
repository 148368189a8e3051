//! Provisioning log rows in quantity: about 2.9 KB of realistic JSON each, rendered straight into a string.
//!
//! The Graph surface renders its rows with the same code, and a parsing bench can take pages without HTTP.

use crate::chance::Seed;
use crate::people::{Person, domain_dn};
use crate::times;

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

/// How long the change took.
pub(crate) fn duration_ms(origin: &Origin, key: u64) -> i64 {
    120 + origin
        .seed
        .corner("row")
        .corner(&origin.job_id)
        .nth(key)
        .corner("took")
        .upto(3000)
}

/// Id of a change.
pub(crate) fn change_id(origin: &Origin, key: u64) -> String {
    origin
        .seed
        .corner("row")
        .corner(&origin.job_id)
        .nth(key)
        .corner("change")
        .guid()
}

/// Id of a cycle.
pub(crate) fn cycle_id(origin: &Origin, cycle: u64) -> String {
    origin
        .seed
        .corner("cycle")
        .corner(&origin.job_id)
        .nth(cycle)
        .guid()
}

/// Appends one row as JSON.
pub(crate) fn write_row(out: &mut String, origin: &Origin, facts: &RowFacts<'_>) {
    let own = origin
        .seed
        .corner("row")
        .corner(&origin.job_id)
        .nth(facts.key);
    let person = Person::nth(origin.seed, facts.person);
    let upn = format!("{}@{}", person.mailbox, origin.mail_domain);
    let change = Change {
        person: &person,
        upn: &upn,
        origin,
        facts,
    };
    out.push('{');
    field(out, "id", &own.guid());
    field(out, "activityDateTime", &times::trimmed(facts.at_ms));
    field(out, "changeId", &own.corner("change").guid());
    field(out, "cycleId", &cycle_id(origin, facts.cycle));
    field(out, "jobId", &origin.job_id);
    field(out, "tenantId", &origin.tenant_id);
    out.push_str("\"durationInMilliseconds\":");
    out.push_str(&duration_ms(origin, facts.key).to_string());
    out.push_str(
        ",\"initiatedBy\":{\"id\":\"\",\"displayName\":\"Azure AD Provisioning Service\",\"initiatorType\":\"system\"},",
    );
    field(out, "provisioningAction", facts.kind.action());
    change.status(out);
    change.modified(out);
    change.steps(out);
    change.systems(out);
    change.identities(out);
    out.push('}');
}

/// One change of one object, with everything the parts of a row need.
struct Change<'a> {
    person: &'a Person,
    upn: &'a str,
    origin: &'a Origin,
    facts: &'a RowFacts<'a>,
}

impl Change<'_> {
    fn status(&self, out: &mut String) {
        out.push_str("\"provisioningStatusInfo\":{");
        field(out, "status", self.facts.kind.status());
        out.push_str("\"errorInformation\":");
        if self.facts.kind == RowKind::Failure {
            out.push('{');
            field(out, "errorCode", self.facts.code);
            field(out, "errorCategory", "failure");
            field(
                out,
                "reason",
                &format!(
                    "The object '{}' could not be written: {}.\r\nAnother object in Microsoft Entra ID may already hold a value that must be unique, or the request was refused.",
                    self.upn, self.facts.code
                ),
            );
            field(
                out,
                "additionalDetails",
                &format!(
                    "Property ProxyAddresses, value \"smtp:{}\"; anchor {}",
                    self.upn,
                    self.person.immutable_id()
                ),
            );
            last_field(
                out,
                "recommendedAction",
                "Correct the value in Active Directory and wait for the next cycle.",
            );
            out.push_str("}},");
        } else {
            out.push_str("null},");
        }
    }

    fn modified(&self, out: &mut String) {
        out.push_str("\"modifiedProperties\":[");
        if matches!(self.facts.kind, RowKind::Update | RowKind::Create) {
            property(out, "Department", "Sales", self.person.team);
            out.push(',');
            property(
                out,
                "DisplayName",
                &self.person.account,
                &self.person.display_name,
            );
            out.push(',');
            property(
                out,
                "PhysicalDeliveryOfficeName",
                "Nürnberg\\Halle 3",
                "Kraków\\2. Stock \"Süd\"",
            );
        } else if self.facts.kind == RowKind::Disable {
            property(out, "AccountEnabled", "True", "False");
        }
        out.push_str("],");
    }

    fn steps(&self, out: &mut String) {
        let (verb, change) = match self.facts.kind {
            RowKind::Create | RowKind::Failure => ("Add", "Add"),
            RowKind::Delete | RowKind::StagedDelete => ("Delete", "Delete"),
            _ => ("Update", "Update"),
        };
        out.push_str("\"provisioningSteps\":[{");
        field(out, "name", &format!("EntryImport{verb}"));
        field(out, "provisioningStepType", "import");
        field(out, "status", "success");
        field(
            out,
            "description",
            &format!(
                "Received user '{}' change of type ({change}) from Active Directory",
                self.upn
            ),
        );
        self.import_details(out);
        if !matches!(self.facts.kind, RowKind::Delete | RowKind::StagedDelete) {
            self.scoping(out);
        }
        out.push_str(",{");
        self.last_step(out, verb);
        out.push_str("}],");
    }

    fn import_details(&self, out: &mut String) {
        out.push_str("\"details\":{");
        field(out, "objectGUID", &self.person.object_guid);
        if self.facts.kind == RowKind::Password {
            field(out, "PasswordHash", "[Redacted]");
            field(
                out,
                "PasswordChangeDate",
                &times::seconds(self.facts.at_ms - 40_000),
            );
        } else {
            field(out, "userPrincipalName", self.upn);
            field(out, "department", self.person.team);
            field(out, "sAMAccountName", &self.person.account);
        }
        last_field(
            out,
            "distinguishedName",
            &self.person.dn(&self.origin.ad_domain),
        );
        out.push_str("}}");
    }

    fn scoping(&self, out: &mut String) {
        let skipped = self.facts.kind == RowKind::OutOfScope;
        out.push_str(",{");
        field(out, "name", "EntrySynchronizationScoping");
        field(out, "provisioningStepType", "scoping");
        field(out, "status", if skipped { "skipped" } else { "success" });
        field(
            out,
            "description",
            "Determine if user in scope by evaluating against each scoping filter",
        );
        out.push_str("\"details\":{");
        field(out, "Active in the source system", "True");
        field(out, "Assigned to the application", "True");
        let verdict = format!(
            "{{\"Default.isCriticalSystemObject IS FALSE\":true,\"Default.mailNickname NOT REGEX MATCH '^CAS_([^{{]*){{'\":{}}}",
            !skipped
        );
        field(out, "ScopeEvaluationResult", &verdict);
        last_field(
            out,
            "Scoping filter evaluation passed",
            if skipped { "False" } else { "True" },
        );
        out.push_str("}}");
        if !skipped && self.facts.kind != RowKind::Create && self.facts.kind != RowKind::Failure {
            out.push_str(",{");
            field(out, "name", "EntryImport");
            field(out, "provisioningStepType", "matching");
            field(out, "status", "success");
            field(
                out,
                "description",
                &format!("Retrieved User '{}' from Microsoft Entra ID", self.upn),
            );
            out.push_str("\"details\":{");
            field(out, "UserPrincipalName", self.upn);
            last_field(out, "SourceAnchor", &self.person.immutable_id());
            out.push_str("}}");
        }
    }

    fn last_step(&self, out: &mut String, verb: &str) {
        let status = self.facts.kind.status();
        let (name, text) = match self.facts.kind {
            RowKind::Redundant => (
                "EntrySynchronizationSkip".to_owned(),
                "source and target already hold the same values; nothing to write",
            ),
            RowKind::OutOfScope => (
                "EntrySynchronizationSkip".to_owned(),
                "is not in scope and is skipped",
            ),
            RowKind::StagedDelete => (
                "EntrySynchronizationSkip".to_owned(),
                "deletion is held back because the deletion threshold was exceeded",
            ),
            RowKind::Failure => (
                format!("EntryExport{verb}"),
                "could not be written to Microsoft Entra ID",
            ),
            RowKind::Disable => (
                format!("EntryExport{verb}"),
                "was updated in Microsoft Entra ID; a manager reference could not be resolved",
            ),
            _ => (
                format!("EntryExport{verb}"),
                "was written to Microsoft Entra ID",
            ),
        };
        field(out, "name", &name);
        field(out, "provisioningStepType", "export");
        field(out, "status", status);
        field(out, "description", &format!("User '{}' {text}", self.upn));
        out.push_str("\"details\":{");
        match self.facts.kind {
            RowKind::Redundant => field(out, "SkipReason", "RedundantExport"),
            RowKind::OutOfScope => field(out, "SkipReason", "NotEffectivelyEntitled"),
            _ => {}
        }
        last_field(out, "ReportableIdentifier", self.upn);
        out.push('}');
    }

    fn systems(&self, out: &mut String) {
        let origin = self.origin;
        out.push_str("\"servicePrincipal\":{");
        field(out, "id", &origin.service_principal);
        last_field(out, "displayName", &origin.service_principal_name);
        out.push_str("},\"sourceSystem\":{");
        field(out, "id", &origin.seed.corner("system ad").guid());
        out.push_str("\"displayName\":\"Active Directory\",\"details\":{}},\"targetSystem\":{");
        field(out, "id", &origin.seed.corner("system entra").guid());
        out.push_str("\"displayName\":\"Microsoft Entra ID\",\"details\":{");
        field(out, "ApplicationId", &origin.app_id);
        field(out, "ServicePrincipalId", &origin.service_principal);
        last_field(
            out,
            "ServicePrincipalDisplayName",
            &origin.service_principal_name,
        );
        out.push_str("}},");
    }

    fn identities(&self, out: &mut String) {
        out.push_str("\"sourceIdentity\":{");
        field(out, "id", &self.person.object_guid);
        field(out, "displayName", &self.person.display_name);
        field(out, "identityType", "user");
        out.push_str("\"details\":{");
        field(out, "UserPrincipalName", self.upn);
        field(out, "DisplayName", &self.person.display_name);
        field(
            out,
            "DistinguishedName",
            &format!(
                "CN={},OU=Staff,{}",
                self.person.account,
                domain_dn(&self.origin.ad_domain)
            ),
        );
        last_field(out, "odatatype", "user");
        out.push_str("}},\"targetIdentity\":{");
        if self.facts.kind.writes() || self.facts.kind == RowKind::Redundant {
            field(out, "id", &self.person.id);
            field(out, "displayName", &self.person.display_name);
            out.push_str("\"identityType\":\"User\",\"details\":{");
            last_field(out, "UserPrincipalName", self.upn);
            out.push_str("}}");
        } else {
            out.push_str(
                "\"id\":\"\",\"displayName\":\"\",\"identityType\":\"User\",\"details\":{}}",
            );
        }
    }
}

fn property(out: &mut String, name: &str, old: &str, new: &str) {
    out.push('{');
    field(out, "displayName", name);
    field(out, "oldValue", old);
    last_field(out, "newValue", new);
    out.push('}');
}

fn last_field(out: &mut String, name: &str, value: &str) {
    text(out, name);
    out.push(':');
    text(out, value);
}

fn field(out: &mut String, name: &str, value: &str) {
    last_field(out, name, value);
    out.push(',');
}

/// Appends a JSON string. Umlauts are escaped now and then, as different writers of the service do.
pub(crate) fn text(out: &mut String, value: &str) {
    let escape_all = value.len() % 5 == 0;
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || (escape_all && !c.is_ascii()) => {
                let mut units = [0_u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
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
