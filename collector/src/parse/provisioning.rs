//! Rows of the provisioning log (Microsoft Graph reference: provisioningObjectSummary).

use std::borrow::Cow;

use serde::Deserialize;
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus, RowId};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::LogRow;

use super::stream::Stream;
use super::values::{First, Text, When, filled, is};
use super::{ParseError, ParseError as Error};

const WHAT: &str = "provisioning logs";

/// The rows of a page of the provisioning log; a row is read when the iterator comes to it.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    stream: Stream<'a>,
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

/// Opens a page.
///
/// # Errors
/// When it is no JSON collection; what is wrong behind its first row shows when it is read.
pub fn rows(page: &[u8]) -> Result<Rows<'_>, ParseError> {
    Stream::open(WHAT, page).map(|stream| Rows { stream })
}

/// The rows of a page that are wanted, as the store takes them.
///
/// # Errors
/// When the page or one of its rows cannot be read.
pub fn wanted<'a>(
    page: &'a [u8],
    most: usize,
    is_wanted: impl Fn(&Row<'a>) -> bool,
) -> Result<Wanted<'a>, ParseError> {
    let mut page = rows(page)?;
    // The service never gives more rows than it was asked for: nothing has to grow.
    let mut kept = Vec::with_capacity(most);
    for row in page.by_ref() {
        let row = row?;
        if is_wanted(&row) {
            kept.push(LogRow::from(row));
        }
    }
    Ok(Wanted {
        rows: kept,
        next_link: page.next_link().map(str::to_owned),
    })
}

/// Rows of a page, and where the next one is.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The wanted rows.
    pub rows: Vec<LogRow<'a>>,
    /// Where the next page is; `None` on the last page.
    pub next_link: Option<String>,
}

impl<'a> From<Row<'a>> for LogRow<'a> {
    fn from(row: Row<'a>) -> Self {
        Self {
            id: RowId::of(&row.id),
            occurred_at: row.occurred_at,
            job_id: row.job_id.unwrap_or_default(),
            action: row.action,
            status: row.status,
            error_code: row.error_code,
            object_id: row.object_id,
            cycle_id: row.cycle_id.as_deref().map(RowId::of),
            raw: row.raw.as_bytes(),
        }
    }
}

impl Rows<'_> {
    /// Where the next page is; ask for it behind the last row. `None` on the last page.
    #[must_use]
    pub fn next_link(&self) -> Option<&str> {
        self.stream.next_link()
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.stream.rows_read();
        let row = self.stream.next_row::<Needed<'a>>()?;
        Some(row.and_then(|(needed, raw)| needed.checked(raw).map_err(|error| error.in_row(index))))
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
