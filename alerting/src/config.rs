//! The sections `[[receiver]]` and `[[route]]`: what is written, and what it means.
//!
//! [`check`] turns the raw sections into [`Notifications`] or into the list of all problems.

mod alerts;
mod channel;
mod endpoint;
mod problem;
mod raw;
mod receiver;
mod route;
mod servers;
mod versions;

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::backoff::Backoff;
use syncwatch_domain::secret::Secret;

pub use self::alerts::{AlertSettings, RawAlerts};
pub(crate) use self::channel::check_header;
pub(crate) use self::endpoint::{endpoint, is_loopback, teams_endpoint};
pub use self::problem::Problem;
pub use self::raw::{HeaderText, OneOrMany, RawReceiver, RawRoute};
pub use self::route::ROUTE_LABELS;
pub use self::servers::{RawServerAlerts, ServerSettings};
pub use self::versions::{AgentBuild, ConnectVersion, Feature, Version, Versions, VersionsError};

/// Who can be told, and who is told what; checked.
#[derive(Clone, Debug, Default)]
pub struct Notifications {
    /// Receivers, in the order of the file.
    pub receivers: Vec<ReceiverConfig>,
    /// Routes, in the order of the file.
    pub routes: Vec<Route>,
}

/// A named destination.
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// Name, unique.
    pub name: String,
    /// How it is reached.
    pub channel: Channel,
    /// Limit of one attempt.
    pub timeout: Duration,
    /// Wait between attempts.
    pub backoff: Backoff,
    /// After this long without success it is given up.
    pub give_up_after: Duration,
    /// Who is told then.
    pub fallback: Fallback,
    /// Certificate authorities to trust in place of the machine's own.
    pub ca_file: Option<PathBuf>,
}

/// Who is told what a receiver did not take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// Another receiver, best one of another kind; nobody if the message reaches one anyway.
    #[default]
    Another,
    /// This one.
    Named(String),
    /// Nobody: the dead-letter list is all.
    Nobody,
}

/// How a receiver is reached.
#[derive(Clone, Debug)]
pub enum Channel {
    /// SMTP.
    Mail(MailConfig),
    /// A Teams channel through a Workflows webhook.
    Teams(TeamsConfig),
    /// A signed HTTP POST.
    Webhook(WebhookConfig),
}

/// How the way to the SMTP server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// Plain until `STARTTLS`, which must be offered.
    StartTls,
    /// TLS from the first byte.
    Implicit,
    /// Not at all; loopback only.
    None,
}

/// Settings of a mail receiver.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Protection.
    pub tls: MailTls,
    /// Name and password to sign in with.
    pub login: Option<(String, SecretSource)>,
    /// Sender.
    pub from: Mailbox,
    /// Recipients.
    pub to: Vec<Mailbox>,
    /// Greeting name; `None` is the machine's.
    pub hello: Option<String>,
}

/// Settings of a Teams receiver.
#[derive(Clone, Debug)]
pub struct TeamsConfig {
    /// The flow's URL.
    pub url: SecretSource,
    /// Least time between two messages.
    pub pace: Duration,
}

/// Settings of a webhook receiver.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// Where to post.
    pub url: SecretSource,
    /// Key of the signature.
    pub secret: Option<SecretSource>,
    /// Further headers.
    pub headers: Vec<(String, Secret<String>)>,
    /// File with further headers.
    pub headers_file: Option<PathBuf>,
}

/// Where a secret is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In the configuration.
    Inline(Secret<String>),
    /// In a file that is read at each use, so that it can be replaced at any time.
    File(PathBuf),
}

/// Who is told about which alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Labels and the values that match; all labels must match.
    pub labels: Vec<(String, Vec<String>)>,
    /// Least severity.
    pub min_severity: Severity,
    /// Rules; empty is every rule.
    pub rules: Vec<Rule>,
    /// Who is told.
    pub receivers: Vec<String>,
    /// Whether the routes below are looked at as well.
    pub go_on: bool,
    /// Whether the end of an alert is told.
    pub send_resolved: bool,
}

/// Checks both sections.
///
/// # Errors
/// Every mistake in them, with key path and hint.
pub fn check(
    receivers: Vec<RawReceiver>,
    routes: Vec<RawRoute>,
) -> Result<Notifications, Vec<Problem>> {
    let mut problems = Vec::new();
    let names: Vec<_> = receivers.iter().map(|raw| raw.name.clone()).collect();
    problem::refuse_repetition(
        names
            .iter()
            .enumerate()
            .filter_map(|(index, name)| Some((index, name.as_deref()?))),
        "receiver",
        &mut problems,
    );
    let known: Vec<&str> = names.iter().filter_map(Option::as_deref).collect();
    receiver::refuse_shared_flows(&receivers, &mut problems);
    let receivers: Vec<_> = receivers
        .into_iter()
        .enumerate()
        .filter_map(|(index, raw)| receiver::check(index, raw, &known, &mut problems))
        .collect();
    let routes: Vec<_> = routes
        .into_iter()
        .enumerate()
        .filter_map(|(index, raw)| route::check(index, raw, &known, &mut problems))
        .collect();
    if problems.is_empty() {
        Ok(Notifications { receivers, routes })
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests;
