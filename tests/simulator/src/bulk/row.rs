//! One row of the provisioning log as JSON, written straight into a string: a value tree would cost more than the
//! rest of the simulator together.

use crate::bulk::{Origin, RowFacts, RowKind};
use crate::people::{Person, domain_dn};
use crate::times;

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
    let escape_all = value.len().is_multiple_of(5);
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
