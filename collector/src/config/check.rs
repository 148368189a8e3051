//! From a section as written to one that holds together.

use syncwatch_domain::source::Poll;
use syncwatch_domain::span::Span;

use super::values::{Problems, is_domain, is_guid};
use super::{PollSettings, Problem, TenantConfig, TenantSection, default_schedule};

/// All sections checked together.
#[derive(Debug, Default)]
pub struct Checked {
    /// The sections without a problem.
    pub tenants: Vec<TenantConfig>,
    /// Problems, each with the number of its section, from 0.
    pub problems: Vec<(usize, Problem)>,
}

/// Checks every section, and that no two have the same name.
#[must_use]
pub fn check_all(sections: &[TenantSection]) -> Checked {
    let mut checked = Checked::default();
    for (index, section) in sections.iter().enumerate() {
        if let Some(first) = sections[..index]
            .iter()
            .position(|other| other.name == section.name)
        {
            checked.problems.push((
                index,
                Problem {
                    path: "name".to_owned(),
                    sentence: format!(
                        "{:?} is already the name of tenant number {}",
                        section.name,
                        first + 1
                    ),
                    hint: Some("every tenant needs a name of its own".to_owned()),
                },
            ));
        }
        match section.check() {
            Ok(tenant) => checked.tenants.push(tenant),
            Err(problems) => checked
                .problems
                .extend(problems.into_iter().map(|problem| (index, problem))),
        }
    }
    checked
}

impl TenantSection {
    /// Checks the section.
    ///
    /// # Errors
    /// Every problem there is, not only the first.
    pub fn check(&self) -> Result<TenantConfig, Vec<Problem>> {
        let mut found = Problems::default();
        self.check_names(&mut found);
        self.check_bounds(&mut found);
        let credential = self.checked_credential(&mut found);
        let agents = self.checked_agents(&mut found);
        let cloud = self.cloud;
        let graph_url = found.address(
            "graph_url",
            self.graph_url.as_deref().unwrap_or(cloud.graph_url()),
        );
        let login_url = found.address(
            "login_url",
            self.login_url.as_deref().unwrap_or(cloud.login_urls()[0]),
        );
        match (credential, graph_url, login_url) {
            (Some(credential), Some(graph_url), Some(login_url)) if found.0.is_empty() => {
                Ok(TenantConfig {
                    name: self.name.clone(),
                    id: self.id.trim().to_owned(),
                    cloud,
                    credential,
                    graph_url,
                    login_url,
                    service_principals: self
                        .service_principals
                        .iter()
                        .map(|id| id.to_ascii_lowercase())
                        .collect(),
                    polls: Poll::GRAPH
                        .iter()
                        .filter_map(|poll| Some((*poll, self.settings(*poll)?)))
                        .collect(),
                    provisioning_page_size: self.provisioning_page_size,
                    log_overlap: self.log_overlap.0,
                    log_first_read: self.log_first_read.0,
                    log_settle: self.log_settle.0,
                    log_requests: self.log_requests,
                    request_timeout: self.request_timeout.0,
                    connect_lanes: self.connect_lanes,
                    connect_actors: self.connect_actors.clone(),
                    cloud_actors: self.cloud_actors.clone(),
                    agents,
                })
            }
            _ => Err(found.0),
        }
    }

    fn settings(&self, poll: Poll) -> Option<PollSettings> {
        let section = self.polls.of(poll)?;
        Some(PollSettings {
            schedule: section
                .schedule
                .clone()
                .unwrap_or_else(|| default_schedule(poll)),
            enabled: section.enabled,
        })
    }

    fn check_bounds(&self, found: &mut Problems) {
        const MONTH: Span = Span::minutes(30 * 24 * 60);
        const NONE: Span = Span::secs(0);
        found.within("log_overlap", &self.log_overlap, (NONE, MONTH));
        found.within("log_first_read", &self.log_first_read, (NONE, MONTH));
        found.within(
            "log_settle",
            &self.log_settle,
            (NONE, Span::minutes(24 * 60)),
        );
        found.within(
            "request_timeout",
            &self.request_timeout,
            (Span::secs(1), Span::secs(55)),
        );
        found.within(
            "provisioning_page_size",
            &self.provisioning_page_size,
            (1, 1000),
        );
        found.within("log_requests", &self.log_requests, (1, 100_000));
    }

    fn check_names(&self, found: &mut Problems) {
        let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if self.name.is_empty() {
            found.add(
                "name",
                "the tenant has no name",
                "choose a short one, such as \"hauser\"",
            );
        } else if self.name.len() > 64 || !self.name.bytes().all(letters) {
            found.add(
                "name",
                format!("{:?} is not a short name", self.name),
                "use up to 64 letters, digits, '-', '_' and '.'",
            );
        }
        let id = self.id.trim();
        let refused = ["common", "organizations", "consumers"];
        if id.is_empty() || refused.contains(&id) || !(is_guid(id) || is_domain(id)) {
            found.add(
                "id",
                format!("{id:?} is neither a directory id nor a verified domain name"),
                "copy the directory (tenant) id from the overview page of Microsoft Entra ID",
            );
        }
        for (index, principal) in self.service_principals.iter().enumerate() {
            if !is_guid(principal) {
                found.add(
                    &format!("service_principals[{index}]"),
                    format!("{principal:?} is not the object id of a service principal"),
                    "use the object id of the enterprise application, a GUID",
                );
            }
        }
        for (key, actors) in [
            ("connect_actors", &self.connect_actors),
            ("cloud_actors", &self.cloud_actors),
        ] {
            for (index, actor) in actors.iter().enumerate() {
                if actor.trim().len() < 3 {
                    found.add(
                        &format!("{key}[{index}]"),
                        format!("{actor:?} is too short to name an actor"),
                        "write the start of a user principal name, an application name or an object id",
                    );
                }
            }
        }
    }
}
