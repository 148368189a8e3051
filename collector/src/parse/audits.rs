//! Rows of the directory audits (Microsoft Graph reference: directoryAudit).

use std::borrow::Cow;

use serde::Deserialize;
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus};
use syncwatch_domain::time::Timestamp;

use super::ParseError;
use super::page::Page;
use super::provisioning::status;
use super::values::{Text, When, filled, is};

const WHAT: &str = "directory audits";

/// The needed fields of a row and the row itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditRow<'a> {
    pub(crate) raw: &'a str,
    pub(crate) id: Cow<'a, str>,
    pub(crate) occurred_at: Timestamp,
    pub(crate) activity: Cow<'a, str>,
    pub(crate) category: Cow<'a, str>,
    pub(crate) action: ProvisioningAction,
    pub(crate) status: ProvisioningStatus,
    pub(crate) actor: Actor<'a>,
    /// The first object it was done to.
    pub(crate) target_id: Option<Cow<'a, str>>,
}

/// Who did it, as far as the row tells. Both kinds can be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Actor<'a> {
    pub(crate) user_principal_name: Option<Cow<'a, str>>,
    pub(crate) app_name: Option<Cow<'a, str>>,
    pub(crate) principal_id: Option<Cow<'a, str>>,
}

/// A page of directory audits.
#[derive(Debug)]
pub(crate) struct AuditRows<'a> {
    page: Page<'a>,
}

/// Splits a page into rows.
pub(crate) fn rows(page: &[u8]) -> Result<AuditRows<'_>, ParseError> {
    Page::split(WHAT, page).map(|page| AuditRows { page })
}

impl<'a> AuditRows<'a> {
    pub(crate) fn next_link(&self) -> Option<&str> {
        self.page.next_link()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<AuditRow<'a>, ParseError>> + '_ {
        self.page.raw().iter().enumerate().map(|(index, raw)| {
            let needed: Needed<'a> = self.page.row(index)?;
            needed
                .checked(raw.get())
                .map_err(|error| error.in_row(index))
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Needed<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    activity_date_time: When,
    #[serde(borrow)]
    activity_display_name: Option<Text<'a>>,
    #[serde(borrow)]
    category: Option<Text<'a>>,
    #[serde(borrow)]
    operation_type: Option<Text<'a>>,
    #[serde(borrow)]
    result: Option<Text<'a>>,
    #[serde(borrow)]
    initiated_by: Option<InitiatedBy<'a>>,
    #[serde(borrow)]
    target_resources: Option<Vec<Target<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct InitiatedBy<'a> {
    #[serde(borrow)]
    user: Option<User<'a>>,
    #[serde(borrow)]
    app: Option<App<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct User<'a> {
    #[serde(borrow)]
    user_principal_name: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct App<'a> {
    #[serde(borrow)]
    display_name: Option<Text<'a>>,
    #[serde(borrow)]
    service_principal_id: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Target<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
}

impl<'a> Needed<'a> {
    fn checked(self, raw: &'a str) -> Result<AuditRow<'a>, ParseError> {
        let id = filled(self.id).ok_or_else(|| ParseError::new(WHAT, "the row has no id"))?;
        let occurred_at = self
            .activity_date_time
            .0
            .ok_or_else(|| ParseError::new(WHAT, "the row does not say when it happened"))?;
        let by = self.initiated_by.unwrap_or_default();
        let app = by.app.unwrap_or_default();
        Ok(AuditRow {
            raw,
            id,
            occurred_at,
            activity: filled(self.activity_display_name).unwrap_or_default(),
            category: filled(self.category).unwrap_or_default(),
            action: action(self.operation_type.as_ref().map_or("", |text| &text.0)),
            status: status(self.result.as_ref().map_or("", |text| &text.0)),
            actor: Actor {
                user_principal_name: by.user.and_then(|user| filled(user.user_principal_name)),
                app_name: filled(app.display_name),
                principal_id: filled(app.service_principal_id),
            },
            target_id: self
                .target_resources
                .and_then(|targets| targets.into_iter().next())
                .and_then(|target| filled(target.id)),
        })
    }
}

fn action(word: &str) -> ProvisioningAction {
    if is(word, "Add") {
        ProvisioningAction::Create
    } else if is(word, "Update") {
        ProvisioningAction::Update
    } else if is(word, "Delete") {
        ProvisioningAction::Delete
    } else {
        ProvisioningAction::Other
    }
}
