//! The yardstick: the whole row as plain structs that own their texts, as anybody would write them first.
#![expect(
    dead_code,
    reason = "a reader of everything is what is measured, not what it does with it"
)]

use std::collections::BTreeMap;
use std::hint::black_box;

use serde::Deserialize;

/// How many rows of the page failed.
pub(super) fn failures(page: &[u8]) -> anyhow::Result<u64> {
    let page: Page = black_box(serde_json::from_slice(page)?);
    Ok(page
        .value
        .iter()
        .filter(|row| row.provisioning_status_info.error_information.is_some())
        .count() as u64)
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Row>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    activity_date_time: String,
    tenant_id: String,
    job_id: String,
    cycle_id: String,
    change_id: String,
    duration_in_milliseconds: i64,
    provisioning_action: String,
    provisioning_status_info: StatusInfo,
    provisioning_steps: Vec<Step>,
    modified_properties: Vec<ModifiedProperty>,
    initiated_by: Initiator,
    service_principal: Named,
    source_system: System,
    target_system: System,
    source_identity: Identity,
    target_identity: Identity,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusInfo {
    status: String,
    error_information: Option<ErrorInformation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorInformation {
    error_code: String,
    error_category: String,
    reason: String,
    additional_details: String,
    recommended_action: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    name: String,
    provisioning_step_type: String,
    status: String,
    description: String,
    details: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModifiedProperty {
    display_name: String,
    old_value: Option<String>,
    new_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initiator {
    id: String,
    display_name: String,
    initiator_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    id: String,
    display_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct System {
    id: String,
    display_name: String,
    details: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    id: String,
    display_name: String,
    identity_type: String,
    details: BTreeMap<String, String>,
}
