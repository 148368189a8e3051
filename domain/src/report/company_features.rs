//! Section `company_features`: what the tenant says about Connect's features
//! (`Get-ADSyncAADCompanyFeature`).
//!
//! One object with the cmdlet's own properties. What the agent's scripts print:
//!
//! ```json
//! {
//!   "PasswordHashSync": true,
//!   "ForcePasswordChangeOnLogOn": false,
//!   "UserWriteback": false,
//!   "DeviceWriteback": false,
//!   "UnifiedGroupWriteback": false,
//!   "GroupWritebackV2": false
//! }
//! ```
//!
//! `PasswordHashSync` must be there, `null` where the tenant could not be asked; a build may lack
//! any of the others.

use serde_json::Value;

use super::forms::{Forms, ShapeError, only_row};

/// What the tenant says about Connect's features; `None` is not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompanyFeatures {
    /// Password hash sync is on in the tenant.
    pub password_hash_sync: Option<bool>,
    /// Users must change a temporary password at the next sign-in.
    pub force_password_change: Option<bool>,
    /// Users are written back.
    pub user_writeback: Option<bool>,
    /// Devices are written back.
    pub device_writeback: Option<bool>,
    /// Microsoft 365 groups are written back, first version.
    pub unified_group_writeback: Option<bool>,
    /// Groups are written back, second version.
    pub group_writeback_v2: Option<bool>,
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<CompanyFeatures, ShapeError> {
    let row = only_row(data, forms, "the features of the tenant")?;
    row.demand("PasswordHashSync", "true, false or null")?;
    Ok(CompanyFeatures {
        password_hash_sync: row.optional_flag("PasswordHashSync")?,
        force_password_change: row.optional_flag("ForcePasswordChangeOnLogOn")?,
        user_writeback: row.optional_flag("UserWriteback")?,
        device_writeback: row.optional_flag("DeviceWriteback")?,
        unified_group_writeback: row.optional_flag("UnifiedGroupWriteback")?,
        group_writeback_v2: row.optional_flag("GroupWritebackV2")?,
    })
}
