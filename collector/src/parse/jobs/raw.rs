//! The fields of a job that are read, under Graph's names.

use serde::Deserialize;

use crate::parse::values::{Text, When};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawJob<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    // Written `templateid` in places.
    #[serde(borrow, alias = "templateid")]
    pub(super) template_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) schedule: Option<RawSchedule<'a>>,
    #[serde(borrow)]
    pub(super) status: Option<RawStatus<'a>>,
    #[serde(borrow)]
    pub(super) synchronization_job_settings: Option<Vec<RawSetting<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSchedule<'a> {
    #[serde(borrow)]
    pub(super) interval: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) state: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawStatus<'a> {
    #[serde(borrow)]
    pub(super) code: Option<Text<'a>>,
    pub(super) count_successive_complete_failures: Option<i64>,
    #[serde(borrow)]
    pub(super) last_execution: Option<RawExecution<'a>>,
    #[serde(borrow)]
    pub(super) last_successful_execution: Option<RawExecution<'a>>,
    #[serde(borrow)]
    pub(super) last_successful_execution_with_exports: Option<RawExecution<'a>>,
    #[serde(borrow)]
    pub(super) quarantine: Option<RawQuarantine<'a>>,
    pub(super) steady_state_first_achieved_time: When,
    pub(super) steady_state_last_achieved_time: When,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawExecution<'a> {
    #[serde(borrow)]
    pub(super) state: Option<Text<'a>>,
    pub(super) time_began: When,
    pub(super) time_ended: When,
    #[serde(borrow)]
    pub(super) error: Option<RawError<'a>>,
    pub(super) count_exported: Option<i64>,
    pub(super) count_escrowed: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawError<'a> {
    #[serde(borrow)]
    pub(super) code: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawQuarantine<'a> {
    #[serde(borrow)]
    pub(super) reason: Option<Text<'a>>,
    pub(super) current_began: When,
    pub(super) next_attempt: When,
    pub(super) series_began: When,
    #[serde(borrow)]
    pub(super) error: Option<RawError<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSetting<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) value: Option<Text<'a>>,
}
