//! Section `versions`: versions of what is installed.
//!
//! One object per product: the product version of `miiserver.exe` (`connect`), of
//! `AADConnectProvisioningAgent.exe` (`provisioning_agent`), of the shared updater (`updater`) and
//! of the pass-through agent (`pass_through_agent`). What is not installed is not in the list.
//! What the agent's scripts print:
//!
//! ```json
//! { "Product": "connect", "Version": "2.6.92.0" }
//! ```
//!
//! Products that are not known are left out.

use serde_json::Value;

use super::forms::{Forms, ShapeError, Version, rows};

/// Versions of what is installed; `None` is not installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Connect Sync.
    pub connect: Option<Version>,
    /// Agent of Cloud Sync.
    pub provisioning_agent: Option<Version>,
    /// Updater that Connect and the agents share.
    pub updater: Option<Version>,
    /// Pass-through authentication agent.
    pub pass_through_agent: Option<Version>,
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<Versions, ShapeError> {
    let mut all = Versions::default();
    for row in rows(data, forms)? {
        let place = match row.text("Product")?.as_str() {
            "connect" => &mut all.connect,
            "provisioning_agent" => &mut all.provisioning_agent,
            "updater" => &mut all.updater,
            "pass_through_agent" => &mut all.pass_through_agent,
            _ => continue,
        };
        *place = Some(row.version("Version")?);
    }
    Ok(all)
}
