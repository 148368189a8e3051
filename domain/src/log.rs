//! Rows of the provisioning log, in our words.

use serde::{Deserialize, Serialize};

use crate::lane::words;
use crate::time::Timestamp;

words! {
    /// What was tried on an object (Microsoft Graph `provisioningAction`). Create and update are
    /// not reliably told apart by Cloud Sync; build no logic on the difference.
    ProvisioningAction {
        /// Creation.
        Create = "create",
        /// Change.
        Update = "update",
        /// Deletion.
        Delete = "delete",
        /// Disabling.
        Disable = "disable",
        /// A deletion held back by the accidental-deletion guard.
        StagedDelete = "staged_delete",
        /// Anything else, also members of tomorrow.
        Other = "other",
    }
}

words! {
    /// How it went (Microsoft Graph `provisioningResult`).
    ProvisioningStatus {
        /// Done.
        Success = "success",
        /// Not done.
        Failure = "failure",
        /// Nothing to do, or out of scope.
        Skipped = "skipped",
        /// Done, with a remark.
        Warning = "warning",
        /// A result this version does not know.
        Unknown = "unknown",
    }
}

/// The fields of a provisioning log row that rules need; the whole row is kept beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisioningEvent {
    /// Id of the row: the dedupe key.
    pub id: RowId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Job the row belongs to.
    pub job_id: String,
    /// Cycle the row belongs to, where it tells.
    pub cycle_id: Option<RowId>,
    /// What was tried.
    pub action: ProvisioningAction,
    /// How it went.
    pub status: ProvisioningStatus,
    /// Error code of a failure.
    pub error_code: Option<String>,
    /// Source object, where it tells.
    pub object_id: Option<String>,
}

/// A 16-byte id of a row of a log: the row's GUID, or a digest of a longer id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub [u8; 16]);

impl RowId {
    /// The id of a row. A GUID keeps its bytes; any other text is digested (SHA-256, cut).
    #[must_use]
    pub fn of(text: &str) -> Self {
        parse_guid(text).map_or_else(|| Self(crate::digest::digest16(&[text])), Self)
    }
}

/// Reads `8-4-4-4-12` hexadecimal digits.
fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|at| bytes[*at] != b'-') {
        return None;
    }
    let mut guid = [0_u8; 16];
    let mut digits = bytes.iter().filter(|byte| **byte != b'-');
    for byte in &mut guid {
        let high = char::from(*digits.next()?).to_digit(16)?;
        let low = char::from(*digits.next()?).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    digits.next().is_none().then_some(guid)
}

impl std::fmt::Display for RowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for RowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for RowId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RowId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_guid(&text)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not a row id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_keep_their_bytes_in_any_case_and_other_ids_are_digested() {
        let guid = RowId::of("0E0E0E0E-0001-4c4c-8d8d-1a1b1c1d1e1f");
        assert_eq!(guid.to_string(), "0e0e0e0e-0001-4c4c-8d8d-1a1b1c1d1e1f");
        let audit = "Directory_8c2f_ABCDE_4711";
        assert_eq!(RowId::of(audit), RowId::of(audit));
        assert_ne!(RowId::of(audit), RowId::of("Directory_8c2f_ABCDE_4712"));
        assert_ne!(
            RowId::of("é".repeat(18).as_str()),
            guid,
            "36 bytes that are no GUID"
        );
    }
}
