//! What the server does: found out from what is read on it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use syncwatch_domain::report::{Role, Section};

/// Name of Connect's Windows service.
const CONNECT: &str = "ADSync";
/// Name of the Windows service of Cloud Sync's agent.
const CLOUD_AGENT: &str = "AADConnectProvisioningAgent";

/// What is known of the server's roles so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    connect: bool,
    cloud_agent: bool,
    /// What the scheduler said last; `None` before it was read.
    staging: Option<bool>,
}

impl Found {
    /// Learns from a section that was read.
    pub fn learn(&mut self, section: Section, data: &[Value]) {
        match section {
            Section::Services => {
                self.connect = is_installed(data, CONNECT);
                self.cloud_agent = is_installed(data, CLOUD_AGENT);
                if !self.connect {
                    self.staging = None;
                }
            }
            Section::Scheduler => {
                let staging =
                    objects(data).find_map(|one| field(one, "StagingModeEnabled")?.as_bool());
                self.staging = staging.or(self.staging);
            }
            _ => {}
        }
    }

    /// The roles, as far as they are known.
    #[must_use]
    pub fn roles(&self) -> BTreeSet<Role> {
        let connect = self.connect.then_some(self.staging).flatten();
        let connect = connect.map(|staging| {
            if staging {
                Role::ConnectStaging
            } else {
                Role::ConnectActive
            }
        });
        let cloud_agent = self.cloud_agent.then_some(Role::CloudAgent);
        connect.into_iter().chain(cloud_agent).collect()
    }

    /// Whether a server with these roles has the section.
    #[must_use]
    pub const fn have(&self, section: Section) -> bool {
        match section {
            Section::Services | Section::Versions | Section::Events => true,
            Section::Containers => self.connect || self.cloud_agent,
            Section::Scheduler
            | Section::ConnectorStatus
            | Section::Runs
            | Section::PasswordSync
            | Section::Connectors
            | Section::Rules
            | Section::Settings
            | Section::CompanyFeatures
            | Section::Database
            | Section::Reachability
            | Section::PendingExports => self.connect,
        }
    }
}

/// Whether a Windows service is among those that were read. One without a state is not there.
fn is_installed(data: &[Value], name: &str) -> bool {
    objects(data).any(|one| {
        let is_it = field(one, "Name")
            .and_then(Value::as_str)
            .is_some_and(|found| found.eq_ignore_ascii_case(name));
        let state = field(one, "Status");
        is_it && state.is_some_and(|state| !state.is_null() && state.as_str() != Some("Absent"))
    })
}

/// The objects of a section, also where Windows PowerShell wrapped the list as
/// `{"value": [...], "Count": n}`.
pub(crate) fn objects(data: &[Value]) -> impl Iterator<Item = &Map<String, Value>> {
    data.iter().flat_map(|one| {
        let wrapped = one
            .as_object()
            .filter(|map| map.len() == 2 && field(map, "Count").is_some())
            .and_then(|map| field(map, "value"))
            .and_then(Value::as_array);
        let items = wrapped.map_or(std::slice::from_ref(one), Vec::as_slice);
        items.iter().filter_map(Value::as_object)
    })
}

/// A property, whatever case its name is written in.
pub(crate) fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut fields = object.iter();
    fields
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(name: &str, status: &Value) -> Value {
        json!({ "Name": name, "DisplayName": "for people", "Status": status, "StartType": "Automatic" })
    }

    fn after(readings: &[(Section, Vec<Value>)]) -> Found {
        let mut found = Found::default();
        for (section, data) in readings {
            found.learn(*section, data);
        }
        found
    }

    #[test]
    fn a_server_says_itself_what_it_does() {
        let connect = (
            Section::Services,
            vec![service("ADSync", &json!("Running"))],
        );
        let both = (
            Section::Services,
            vec![
                json!({ "value": [service("adsync", &json!(4)), service("AADConnectProvisioningAgent", &json!(1))], "Count": 2 }),
            ],
        );
        let scheduler = |staging: bool| {
            let data = vec![json!({ "stagingModeEnabled": staging })];
            (Section::Scheduler, data)
        };
        let all = [Role::ConnectActive, Role::CloudAgent];
        assert_eq!(after(&[]).roles(), BTreeSet::new());
        assert_eq!(
            after(std::slice::from_ref(&connect)).roles(),
            BTreeSet::new()
        );
        assert_eq!(
            after(&[connect.clone(), scheduler(true)]).roles(),
            BTreeSet::from([Role::ConnectStaging])
        );
        assert_eq!(
            after(&[both, scheduler(true), scheduler(false)]).roles(),
            BTreeSet::from(all)
        );
    }

    #[test]
    fn a_service_that_is_gone_takes_its_role_along() {
        let mut found = after(&[
            (Section::Services, vec![service("ADSync", &json!(4))]),
            (
                Section::Scheduler,
                vec![json!({ "StagingModeEnabled": false })],
            ),
        ]);
        assert!(found.have(Section::Rules));
        found.learn(Section::Services, &[service("ADSync", &Value::Null)]);
        assert_eq!(found.roles(), BTreeSet::new());
        assert!(!found.have(Section::Rules));
        assert!(found.have(Section::Services) && found.have(Section::Events));
    }

    #[test]
    fn before_anything_is_known_only_what_every_server_has_is_read() {
        let found = Found::default();
        let had: Vec<Section> = Section::ALL
            .iter()
            .copied()
            .filter(|section| found.have(*section))
            .collect();
        assert_eq!(had, [Section::Events, Section::Services, Section::Versions]);
    }
}
