//! Rows of the provisioning log (Microsoft Graph reference: provisioningObjectSummary).

use std::borrow::Cow;

use serde::Deserialize;
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus};
use syncwatch_domain::time::Timestamp;

use super::page::Page;
use super::values::{First, Text, When, filled, is};
use super::{ParseError, ParseError as Error};

const WHAT: &str = "provisioning logs";

/// A page of the provisioning log.
#[derive(Debug)]
pub struct Rows<'a> {
    page: Page<'a>,
}

/// The needed fields of a row, borrowed from the page, and the row itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The row's JSON.
    pub raw: &'a str,
    /// Id: the dedupe key.
    pub id: Cow<'a, str>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Job, where it tells.
    pub job_id: Option<Cow<'a, str>>,
    /// Cycle, where it tells.
    pub cycle_id: Option<Cow<'a, str>>,
    /// What was tried.
    pub action: ProvisioningAction,
    /// How it went.
    pub status: ProvisioningStatus,
    /// Error code of a failure.
    pub error_code: Option<Cow<'a, str>>,
    /// Source object; the target one where there is no source.
    pub object_id: Option<Cow<'a, str>>,
    /// Service principal that owns the job.
    pub principal_id: Option<Cow<'a, str>>,
}

/// Splits a page into rows; a row is read when the iterator comes to it.
///
/// # Errors
/// When the page is no JSON collection.
pub fn rows(page: &[u8]) -> Result<Rows<'_>, ParseError> {
    Page::split(WHAT, page).map(|page| Rows { page })
}

impl<'a> Rows<'a> {
    /// Where the next page is; `None` on the last one.
    #[must_use]
    pub fn next_link(&self) -> Option<&str> {
        self.page.next_link()
    }

    /// How many rows the page has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.page.raw().len()
    }

    /// Whether the page is empty, which is legal also in the middle.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the rows one by one.
    pub fn iter(&self) -> impl Iterator<Item = Result<Row<'a>, ParseError>> + '_ {
        (0..self.len()).map(|index| self.row(index))
    }

    fn row(&self, index: usize) -> Result<Row<'a>, ParseError> {
        let needed: Needed<'a> = self.page.row(index)?;
        needed
            .checked(self.page.raw()[index].get())
            .map_err(|error| error.in_row(index))
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Needed<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    activity_date_time: When,
    #[serde(borrow)]
    job_id: Option<Text<'a>>,
    #[serde(borrow)]
    cycle_id: Option<Text<'a>>,
    #[serde(borrow)]
    provisioning_action: Option<Text<'a>>,
    #[serde(borrow)]
    provisioning_status_info: Option<StatusInfo<'a>>,
    #[serde(borrow)]
    source_identity: Option<Identity<'a>>,
    #[serde(borrow)]
    target_identity: Option<Identity<'a>>,
    #[serde(borrow)]
    service_principal: First<Identity<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StatusInfo<'a> {
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    error_information: Option<ErrorInformation<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ErrorInformation<'a> {
    #[serde(borrow)]
    error_code: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Identity<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
}

impl<'a> Needed<'a> {
    fn checked(self, raw: &'a str) -> Result<Row<'a>, ParseError> {
        let id = filled(self.id).ok_or_else(|| Error::new(WHAT, "the row has no id"))?;
        let occurred_at = self
            .activity_date_time
            .0
            .ok_or_else(|| Error::new(WHAT, "the row does not say when it happened"))?;
        let info = self.provisioning_status_info.unwrap_or_default();
        let source = self
            .source_identity
            .and_then(|identity| filled(identity.id));
        Ok(Row {
            raw,
            id,
            occurred_at,
            job_id: filled(self.job_id),
            cycle_id: filled(self.cycle_id),
            action: action(self.provisioning_action.as_ref().map_or("", |text| &text.0)),
            status: status(info.status.as_ref().map_or("", |text| &text.0)),
            error_code: info
                .error_information
                .and_then(|error| filled(error.error_code)),
            object_id: source.or_else(|| {
                self.target_identity
                    .and_then(|identity| filled(identity.id))
            }),
            principal_id: self
                .service_principal
                .0
                .and_then(|principal| filled(principal.id)),
        })
    }
}

fn action(word: &str) -> ProvisioningAction {
    use ProvisioningAction as A;
    let members = [
        ("create", A::Create),
        ("update", A::Update),
        ("delete", A::Delete),
        ("disable", A::Disable),
        ("stagedDelete", A::StagedDelete),
    ];
    let known = members.into_iter().find(|(member, _)| is(word, member));
    known.map_or(A::Other, |(_, action)| action)
}

pub(super) fn status(word: &str) -> ProvisioningStatus {
    use ProvisioningStatus as S;
    let members = [
        ("success", S::Success),
        ("failure", S::Failure),
        ("skipped", S::Skipped),
        ("warning", S::Warning),
    ];
    let known = members.into_iter().find(|(member, _)| is(word, member));
    known.map_or(S::Unknown, |(_, status)| status)
}
