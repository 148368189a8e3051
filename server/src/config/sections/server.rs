//! `[server]`: where it listens, how it logs, how it stops.

use std::net::SocketAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncwatch_domain::span::Span;
use url::Url;

use super::{Fault, above_zero};

/// Address, logs and stop of the service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSection {
    /// Address and port of the status page, `/metrics` and the API. Nothing here asks for a
    /// password: put a reverse proxy in front before you listen on more than loopback.
    /// Source of the default: nothing is open until someone decides so.
    #[schemars(example = &"127.0.0.1:9747")]
    pub listen: String,
    /// Address under which people reach the status page; messages link to it.
    #[schemars(example = &"https://syncwatch.contoso.example")]
    pub external_url: Option<String>,
    /// `human` for a terminal, `json` for a log collector.
    pub log_format: LogFormat,
    /// Least level that is logged, optionally followed by levels of single parts, such as
    /// `info,syncwatch_collector=debug`.
    #[schemars(example = &"info,syncwatch_collector=debug")]
    pub log_level: String,
    /// How long a stop may take to finish what is in flight before it is hard.
    /// Source of the default: the 30 s a container runtime waits before it kills.
    #[schemars(with = "String", extend("format" = "duration"))]
    pub shutdown_grace: Span,
    /// Name of this service on its claims of messages to send; stable over restarts, different
    /// for each service on one database. Without it: the name of the machine.
    #[schemars(example = &"sync-noc-1")]
    pub instance: Option<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One readable line each.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9747".to_owned(),
            external_url: None,
            log_format: LogFormat::Human,
            log_level: "info".to_owned(),
            shutdown_grace: Span::secs(25),
            instance: None,
        }
    }
}

/// `[server]`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Address for links.
    pub external_url: Option<Url>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Levels, in the notation of tracing's filters.
    pub log_level: String,
    /// Length of a soft stop.
    pub shutdown_grace: Duration,
    /// Name on leases.
    pub instance: String,
}

impl ServerSection {
    /// Checks the section.
    ///
    /// # Errors
    /// With all its mistakes.
    pub fn check(&self) -> Result<Server, Vec<Fault>> {
        let mut faults = Vec::new();
        let listen = self.listen.parse::<SocketAddr>();
        if listen.is_err() {
            faults.push(Fault::new(
                "listen",
                format!("{:?} is not an address with a port", self.listen),
                "write for example 127.0.0.1:9747, or [::]:9747 for all addresses",
            ));
        }
        let external_url = self.external_url.as_deref().map(http_url).transpose();
        if let Err(what) = &external_url {
            faults.push(Fault::new(
                "external_url",
                what,
                "write for example https://syncwatch.contoso.example",
            ));
        }
        if let Some(part) = unreadable_level(&self.log_level) {
            faults.push(Fault::new(
                "log_level",
                format!("{part:?} is not a log level"),
                "use error, warn, info, debug or trace, for one part as syncwatch_collector=debug",
            ));
        }
        above_zero(&mut faults, "shutdown_grace", Some(self.shutdown_grace));
        if self
            .instance
            .as_ref()
            .is_some_and(|name| name.trim().is_empty())
        {
            faults.push(Fault::new(
                "instance",
                "must not be empty",
                "write a short name, or leave the key out",
            ));
        }
        match (listen, external_url) {
            (Ok(listen), Ok(external_url)) if faults.is_empty() => Ok(Server {
                listen,
                external_url,
                log_format: self.log_format,
                log_level: self.log_level.clone(),
                shutdown_grace: self.shutdown_grace.0,
                instance: self.instance.clone().unwrap_or_else(machine_name),
            }),
            _ => Err(faults),
        }
    }
}

fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is not an address: {error}"))?;
    let plain = url.username().is_empty() && url.password().is_none();
    match url.scheme() {
        "http" | "https" if plain && url.has_host() => Ok(url),
        "http" | "https" => Err("the address must name a host and no user".to_owned()),
        other => Err(format!("{other:?} is not http or https")),
    }
}

/// The first part of a filter that names no level.
fn unreadable_level(filter: &str) -> Option<&str> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    filter.split(',').map(str::trim).find(|part| {
        let level = part.rsplit_once('=').map_or(*part, |(_, level)| level);
        !LEVELS.contains(&level.to_ascii_lowercase().as_str())
    })
}

/// The machine's name, as the kernel and as Windows tell it.
fn machine_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "syncwatch".to_owned())
}
