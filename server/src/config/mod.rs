//! The configuration: one TOML file and overrides from the environment.
//!
//! Each crate owns its sections; here they are composed, and every mistake of all of them is
//! told at once ([`Report`]). Start reading at [`load`].

mod draft;
mod env;
pub mod generate;
mod hint;
mod report;
mod schema;
pub mod sections;
mod tree;
mod walk;

use schemars::JsonSchema;
use serde::Deserialize;
use syncwatch_alerting::config::{AlertSettings, Notifications, RawAlerts, RawReceiver, RawRoute};
use syncwatch_collector::config::{TenantConfig, TenantSection};
use syncwatch_domain::policy::LanePolicy;

use self::draft::Draft;
pub use self::env::PREFIX as ENVIRONMENT_PREFIX;
pub use self::report::{Place, Problem, Report};
use self::schema::Schema;
use self::sections::Fault;
use self::sections::intake::{Intake, IntakeSection};
use self::sections::lanes::LanesSection;
use self::sections::server::{Server, ServerSection};
use self::sections::store::{StoreConfig, StoreSection};

/// The whole file, as it is written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "syncwatch")]
pub struct ConfigFile {
    /// Address, logs and stop of the service.
    pub server: ServerSection,
    /// The database.
    pub store: StoreSection,
    /// A tenant to watch; at least one.
    pub tenant: Vec<TenantSection>,
    /// Where agents push their reports.
    pub intake: IntakeSection,
    /// Intervals and tolerances of lanes.
    pub lanes: LanesSection,
    /// From when on something is worth an alert.
    pub alerts: RawAlerts,
    /// A named destination of alerts.
    pub receiver: Vec<RawReceiver>,
    /// Who is told about which alerts.
    pub route: Vec<RawRoute>,
}

/// The configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[store]`.
    pub store: StoreConfig,
    /// `[[tenant]]`, at least one.
    pub tenants: Vec<TenantConfig>,
    /// `[intake]`, where it is used.
    pub intake: Option<Intake>,
    /// `[lanes]`.
    pub lanes: LanePolicy,
    /// `[alerts]`.
    pub alerts: AlertSettings,
    /// `[[receiver]]` and `[[route]]`.
    pub notifications: Notifications,
}

/// The JSON schema of the file.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(ConfigFile).to_value()
}

/// Reads a configuration.
///
/// # Errors
/// With every mistake in `text` and in those of the `variables` that are overrides.
pub fn load(
    file: &str,
    text: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, Report> {
    let schemas = Schema::new(json_schema());
    let mut draft = Draft::read(text, &schemas, variables);
    let config = check(&mut draft);
    let problems = draft.into_problems();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(Report::new(file, problems)),
    }
}

/// Where the key at `path` is written in a text that was read without a problem.
#[must_use]
pub fn place_of(text: &str, path: &str) -> Place {
    tree::parse(text).0.place_of(path).0
}

/// Converts and checks every section. A section that is beyond use is left out; what is wrong
/// with it has been reported.
fn check(draft: &mut Draft) -> Option<Config> {
    let server = draft
        .convert("server")
        .map(|section: ServerSection| section.check());
    let server = settle(draft, "server", server);
    let store = draft
        .convert("store")
        .map(|section: StoreSection| section.check());
    let store = settle(draft, "store", store);
    let intake = draft
        .convert("intake")
        .map(|section: IntakeSection| section.check());
    let intake = settle(draft, "intake", intake);
    let tenants = check_tenants(draft);
    if let Some(intake) = &intake {
        check_certificates(draft, intake.as_ref(), &tenants);
    }
    let names = draft.written("tenant", "name");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lanes = draft
        .convert("lanes")
        .map(|section: LanesSection| section.check(&names));
    let lanes = settle(draft, "lanes", lanes);
    let alerts = draft.convert("alerts").map(RawAlerts::check);
    let alerts = alerts.and_then(|checked| checked.map_err(|problems| tell(draft, problems)).ok());
    let notifications = check_notifications(draft);
    Some(Config {
        server: server?,
        store: store?,
        tenants,
        intake: intake?,
        lanes: lanes?,
        alerts: alerts?,
        notifications: notifications?,
    })
}

/// Reports the faults of a section.
fn settle<T>(
    draft: &mut Draft,
    section: &str,
    checked: Option<Result<T, Vec<Fault>>>,
) -> Option<T> {
    match checked? {
        Ok(value) => Some(value),
        Err(faults) => {
            for fault in faults {
                draft.fault(
                    &schema::join(section, &fault.path),
                    &fault.what,
                    fault.mend.as_deref(),
                );
            }
            None
        }
    }
}

fn check_tenants(draft: &mut Draft) -> Vec<TenantConfig> {
    let mut numbers = Vec::new();
    let mut sections = Vec::new();
    for number in 0..draft.count("tenant") {
        if let Some(section) = draft.convert::<TenantSection>(&format!("tenant[{number}]")) {
            numbers.push(number);
            sections.push(section);
        }
    }
    let checked = syncwatch_collector::config::check_all(&sections);
    for (at, problem) in checked.problems {
        let path = schema::join(&format!("tenant[{}]", numbers[at]), &problem.path);
        draft.fault(&path, &problem.sentence, problem.hint.as_deref());
    }
    if draft.count("tenant") == 0 && draft.is_sound() {
        let mend = "add a [[tenant]] with name, id, client_id and client_secret_file";
        draft.fault(
            "tenant",
            "no tenant is configured, so there is nothing to watch",
            Some(mend),
        );
    }
    checked.tenants
}

/// Whoever is known by a certificate must be asked for one.
fn check_certificates(draft: &mut Draft, intake: Option<&Intake>, tenants: &[TenantConfig]) {
    let are_asked_for = intake.is_some_and(|intake| intake.client_ca_file.is_some());
    // Where a tenant was left out the numbers would be those of others.
    if are_asked_for || tenants.len() != draft.count("tenant") {
        return;
    }
    for (number, tenant) in tenants.iter().enumerate() {
        for (at, agent) in tenant.agents.iter().enumerate() {
            if agent.certificate_name.is_some() {
                draft.fault(
                    &format!("tenant[{number}].agent[{at}].certificate_name"),
                    "no agent is asked for a certificate",
                    Some("name the authority of agents with client_ca_file in [intake]"),
                );
            }
        }
    }
}

fn check_notifications(draft: &mut Draft) -> Option<Notifications> {
    let receivers = (0..draft.count("receiver"))
        .map(|number| {
            draft
                .convert::<RawReceiver>(&format!("receiver[{number}]"))
                .unwrap_or_default()
        })
        .collect();
    let routes = (0..draft.count("route"))
        .map(|number| {
            draft
                .convert::<RawRoute>(&format!("route[{number}]"))
                .unwrap_or_default()
        })
        .collect();
    let checked = syncwatch_alerting::config::check(receivers, routes);
    checked.map_err(|problems| tell(draft, problems)).ok()
}

/// Reports what alerting said about its sections.
fn tell(draft: &mut Draft, problems: Vec<syncwatch_alerting::config::Problem>) {
    for problem in problems {
        draft.fault(&problem.path, &problem.message, Some(&problem.hint));
    }
}

impl Config {
    /// The files with secrets and certificates that are named outside the tenants, each with the
    /// path of its key.
    #[must_use]
    pub fn secret_files(&self) -> Vec<(String, std::path::PathBuf)> {
        use syncwatch_alerting::config::{Channel, SecretSource};
        let mut files = Vec::new();
        if let sections::store::StoreUrl::File(path) = &self.store.url {
            files.push(("store.url_file".to_owned(), path.clone()));
        }
        if let Some(intake) = &self.intake {
            let named = [
                ("certificate_file", Some(&intake.certificate_file)),
                ("private_key_file", Some(&intake.private_key_file)),
                ("client_ca_file", intake.client_ca_file.as_ref()),
            ];
            let present = named
                .into_iter()
                .filter_map(|(key, file)| Some((format!("intake.{key}"), file?.clone())));
            files.extend(present);
        }
        for (number, receiver) in self.notifications.receivers.iter().enumerate() {
            let mut secrets: Vec<(&str, Option<&SecretSource>)> = Vec::new();
            let mut named = vec![("ca_file", receiver.ca_file.as_ref())];
            match &receiver.channel {
                Channel::Mail(mail) => secrets.push((
                    "password_file",
                    mail.login.as_ref().map(|(_, source)| source),
                )),
                Channel::Teams(teams) => secrets.push(("url_file", Some(&teams.url))),
                Channel::Webhook(hook) => {
                    secrets.extend([
                        ("url_file", Some(&hook.url)),
                        ("secret_file", hook.secret.as_ref()),
                    ]);
                    named.push(("headers_file", hook.headers_file.as_ref()));
                }
            }
            named.extend(secrets.into_iter().map(|(key, source)| match source {
                Some(SecretSource::File(path)) => (key, Some(path)),
                _ => (key, None),
            }));
            let present = named.into_iter().filter_map(|(key, path)| {
                Some((format!("receiver[{number}].{key}"), path?.clone()))
            });
            files.extend(present);
        }
        files
    }
}
