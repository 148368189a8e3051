//! Section `settings`: global settings of Connect with its optional features
//! (`Get-ADSyncGlobalSettings`, its `Parameters`).
//!
//! One object per parameter. What the agent's scripts print:
//!
//! ```json
//! { "Name": "Microsoft.Synchronize.StagingMode", "Value": "False" }
//! ```
//!
//! The cmdlet's own object with its list of `Parameters` is read as well, and so is that of
//! `Get-ADSyncAutoUpgrade` (`AutoUpgradeState`, `SuspensionReason`). Values are texts, truth
//! values `True` and `False`; a parameter without a value has `null` or an empty text.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::forms::{Forms, Row, ShapeError, Version, flag_of_text, rows, span_of_text};

/// Names of parameters that mean something for a migration.
pub mod names {
    /// Interval of the scheduler.
    pub const INTERVAL: &str = "Microsoft.Synchronize.TimeInterval";
    /// Staging mode.
    pub const STAGING_MODE: &str = "Microsoft.Synchronize.StagingMode";
    /// Version of the product that wrote the configuration.
    pub const CONFIGURATION_VERSION: &str = "Microsoft.Synchronize.ServerConfigurationVersion";
    /// The guard against accidental deletes.
    pub const DELETION_GUARD: &str = "Microsoft.OptionalFeature.ExportDeletionThreshold";
    /// Deletes that the guard lets through at a time.
    pub const DELETION_LIMIT: &str = "Microsoft.OptionalFeature.ExportDeletionThresholdValue";
    /// Devices are synchronised for hybrid join.
    pub const DEVICE_SYNC: &str = "Microsoft.OptionalFeature.DeviceWriteUp";
    /// Devices are written back.
    pub const DEVICE_WRITEBACK: &str = "Microsoft.OptionalFeature.DeviceWriteBack";
    /// Users are written back.
    pub const USER_WRITEBACK: &str = "Microsoft.OptionalFeature.UserWriteBack";
    /// Groups are written back.
    pub const GROUP_WRITEBACK: &str = "Microsoft.OptionalFeature.GroupWriteBack";
    /// Only members of a group are synchronised.
    pub const GROUP_FILTERING: &str = "Microsoft.OptionalFeature.GroupFiltering";
    /// Directory extensions.
    pub const EXTENSIONS: &str = "Microsoft.OptionalFeature.DirectoryExtension";
    /// Attributes of directory extensions.
    pub const EXTENSION_ATTRIBUTES: &str = "Microsoft.OptionalFeature.DirectoryExtensionAttributes";
    /// Exchange attributes are written back.
    pub const HYBRID_EXCHANGE: &str = "Microsoft.OptionalFeature.HybridExchange";
    /// Mail-enabled public folders are synchronised.
    pub const PUBLIC_FOLDERS: &str = "Microsoft.OptionalFeature.ExchangeMailPublicFolder";
    /// Exports to Entra ID are filtered by application or attribute.
    pub const EXPORT_FILTER: &str = "Microsoft.OptionalFeature.FilterAAD";
    /// How users sign in.
    pub const SIGN_ON_METHOD: &str = "Microsoft.UserSignIn.SignOnMethod";
    /// Seamless single sign-on.
    pub const SEAMLESS_SIGN_ON: &str = "Microsoft.UserSignIn.DesktopSsoEnabled";
    /// Attribute that anchors an object of the directory to that of the cloud.
    pub const ANCHOR_ATTRIBUTE: &str = "Microsoft.SynchronizationOption.AnchorAttribute";
    /// Attribute that becomes the name users sign in with.
    pub const UPN_ATTRIBUTE: &str = "Microsoft.SynchronizationOption.UPNAttribute";
}

/// Global settings by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    values: BTreeMap<String, Option<String>>,
    /// State of automatic upgrades, as `Get-ADSyncAutoUpgrade` says it.
    pub auto_upgrade: Option<String>,
    /// Why they are suspended, if they are.
    pub auto_upgrade_suspended: Option<String>,
}

impl Settings {
    /// Value of a parameter as it came; `None` when it has none or is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name).or_else(|| {
            self.values
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        });
        value?.as_deref()
    }

    /// The same as truth value; `None` also when it is none.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        flag_of_text(self.text(name)?)
    }

    /// The same as whole number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// The same as span.
    #[must_use]
    pub fn span(&self, name: &str) -> Option<Duration> {
        span_of_text(self.text(name)?)
    }

    /// The same as version.
    #[must_use]
    pub fn version(&self, name: &str) -> Option<Version> {
        Version::parse(self.text(name)?)
    }

    /// The same as list of texts with semicolons between.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.text(name).map_or_else(Vec::new, |text| {
            text.split(';')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .collect()
        })
    }

    /// Every parameter, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<Settings, ShapeError> {
    let mut settings = Settings::default();
    for row in rows(data, forms)? {
        if row.has("Parameters") {
            for parameter in row.rows("Parameters")? {
                settings.take(&parameter)?;
            }
        } else if row.has("AutoUpgradeState") {
            settings.auto_upgrade = row.optional_text("AutoUpgradeState")?;
            settings.auto_upgrade_suspended = row.optional_text("SuspensionReason")?;
        } else {
            settings.take(&row)?;
        }
    }
    Ok(settings)
}

impl Settings {
    fn take(&mut self, row: &Row<'_>) -> Result<(), ShapeError> {
        row.demand("Value", "a text or null")?;
        self.values
            .insert(row.text("Name")?, row.optional_text("Value")?);
        Ok(())
    }
}
