//! The national clouds and their hosts (Microsoft Graph reference: national cloud deployments).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which Microsoft cloud a tenant lives in. Tokens of one cloud are worthless in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    /// The worldwide cloud, also for GCC.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGov,
    /// US Government L5 (DoD).
    UsGovDod,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// Address of Microsoft Graph.
    #[must_use]
    pub const fn graph_url(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGov => "https://graph.microsoft.us",
            Self::UsGovDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// Addresses of the login service; the first one is used unless the config names another.
    /// China has two documented ones.
    #[must_use]
    pub const fn login_urls(self) -> &'static [&'static str] {
        match self {
            Self::Global => &["https://login.microsoftonline.com"],
            Self::UsGov | Self::UsGovDod => &["https://login.microsoftonline.us"],
            Self::China => &[
                "https://login.chinacloudapi.cn",
                "https://login.partner.microsoftonline.cn",
            ],
        }
    }
}
