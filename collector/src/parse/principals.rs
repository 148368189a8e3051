//! Service principals and who holds a role (Microsoft Graph reference: servicePrincipal, appRoleAssignment).

use serde::Deserialize;

use super::ParseError;
use super::page::Page;
use super::values::{Text, owned};

/// A service principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    /// Object id.
    pub(crate) id: String,
    /// Name; by convention the AD domain, but an administrator may have chosen another.
    pub(crate) name: String,
    /// Whether sign-in is enabled.
    pub(crate) enabled: Option<bool>,
}

/// A page of something and the link to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_link: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawPrincipal<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    display_name: Option<Text<'a>>,
    #[serde(borrow)]
    app_display_name: Option<Text<'a>>,
    account_enabled: Option<bool>,
}

/// Reads a page of service principals.
pub(crate) fn principals(body: &[u8]) -> Result<Listed<Principal>, ParseError> {
    const WHAT: &str = "service principals";
    let page = Page::split(WHAT, body)?;
    let mut items = Vec::new();
    for (index, raw) in page.all::<RawPrincipal<'_>>()?.into_iter().enumerate() {
        let id = owned(raw.id)
            .ok_or_else(|| ParseError::new(WHAT, "the row has no id").in_row(index))?;
        items.push(Principal {
            name: owned(raw.display_name)
                .or_else(|| owned(raw.app_display_name))
                .unwrap_or_default(),
            id: id.to_ascii_lowercase(),
            enabled: raw.account_enabled,
        });
    }
    Ok(Listed {
        items,
        next_link: page.next_link().map(str::to_owned),
    })
}

/// Someone who holds a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Object id of the service principal.
    pub(crate) principal_id: String,
    /// Its name.
    pub(crate) name: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawAssignment<'a> {
    #[serde(borrow)]
    app_role_id: Option<Text<'a>>,
    #[serde(borrow)]
    principal_id: Option<Text<'a>>,
    #[serde(borrow)]
    principal_display_name: Option<Text<'a>>,
    #[serde(borrow)]
    deleted_date_time: Option<Text<'a>>,
}

/// Reads a page of role assignments; keeps those of `role`.
pub(crate) fn holders(body: &[u8], role: &str) -> Result<Listed<Holder>, ParseError> {
    let page = Page::split("app role assignments", body)?;
    let items = page
        .all::<RawAssignment<'_>>()?
        .into_iter()
        .filter(|raw| {
            raw.app_role_id
                .as_ref()
                .is_some_and(|id| id.0.eq_ignore_ascii_case(role))
        })
        .filter(|raw| raw.deleted_date_time.is_none())
        .filter_map(|raw| {
            Some(Holder {
                principal_id: owned(raw.principal_id)?.to_ascii_lowercase(),
                name: owned(raw.principal_display_name).unwrap_or_default(),
            })
        })
        .collect();
    Ok(Listed {
        items,
        next_link: page.next_link().map(str::to_owned),
    })
}
