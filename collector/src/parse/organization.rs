//! Tenant-wide sync time stamps (Microsoft Graph reference: organization).

use serde::Deserialize;
use syncwatch_domain::time::Timestamp;

use super::ParseError;
use super::page::Page;
use super::values::{Text, When, owned};

/// What the tenant says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Organization {
    pub(crate) name: Option<String>,
    /// `true` enabled, `false` formerly, `None` never.
    pub(crate) sync_enabled: Option<bool>,
    /// Last directory sync of any engine.
    pub(crate) last_sync_at: Option<Timestamp>,
    /// Last password sync of any engine; beta only.
    pub(crate) last_password_sync_at: Option<Timestamp>,
    /// The `onmicrosoft.com` name.
    pub(crate) initial_domain: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Raw<'a> {
    #[serde(borrow)]
    display_name: Option<Text<'a>>,
    on_premises_sync_enabled: Option<bool>,
    on_premises_last_sync_date_time: When,
    on_premises_last_password_sync_date_time: When,
    #[serde(borrow)]
    verified_domains: Option<Vec<Domain<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Domain<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    is_initial: Option<bool>,
}

/// Reads the collection with its one element.
pub(crate) fn organization(body: &[u8]) -> Result<Organization, ParseError> {
    const WHAT: &str = "the organization";
    let page = Page::split(WHAT, body)?;
    if page.raw().is_empty() {
        return Err(ParseError::new(WHAT, "it lists no organization"));
    }
    let raw: Raw<'_> = page.row(0)?;
    let initial = raw
        .verified_domains
        .unwrap_or_default()
        .into_iter()
        .find(|domain| domain.is_initial == Some(true));
    Ok(Organization {
        name: owned(raw.display_name),
        sync_enabled: raw.on_premises_sync_enabled,
        last_sync_at: raw.on_premises_last_sync_date_time.0,
        last_password_sync_at: raw.on_premises_last_password_sync_date_time.0,
        initial_domain: initial.and_then(|domain| owned(domain.name)),
    })
}
