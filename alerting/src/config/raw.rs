//! The sections as they are written. Unknown keys are refused here; everything else is looked
//! at together, so that one report names every mistake.
//!
//! The comments of the fields are the configuration reference.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use syncwatch_domain::secret::Secret;

/// A named destination of alerts. `kind` decides which of the other keys belong to it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Receiver")]
pub struct RawReceiver {
    /// Name of the receiver: letters, digits, `-`, `_` and `.`. Routes, metrics and pages use it.
    pub name: Option<String>,
    /// What it is: `mail`, `teams` (a Microsoft Teams channel through a Workflows webhook) or
    /// `webhook` (a signed HTTP POST).
    #[schemars(extend("enum" = ["mail", "teams", "webhook"]))]
    pub kind: Option<String>,

    /// How long one attempt may take. Default `10s`, for mail `30s`; at most `5m`.
    pub timeout: Option<String>,
    /// Wait after the first failed attempt; it doubles with each further one. A `Retry-After` of
    /// the receiver is honoured in full. Default `2s`.
    #[schemars(extend("default" = "2s"))]
    pub retry_first: Option<String>,
    /// Never wait longer than this between attempts. Default `5m`.
    #[schemars(extend("default" = "5m"))]
    pub retry_cap: Option<String>,
    /// After this long without success a message is put on the dead-letter list and `fallback`
    /// is told. Default `1d`.
    #[schemars(extend("default" = "1d"))]
    pub give_up_after: Option<String>,
    /// Name of the receiver that is told when this one refuses a message or stays out of reach;
    /// `none` for nobody. Default: another receiver, unless the message reaches one anyway.
    pub fallback: Option<String>,
    /// PEM file with the certificate authorities to trust in place of the machine's own.
    pub ca_file: Option<PathBuf>,

    /// Mail: name or address of the SMTP server.
    pub host: Option<String>,
    /// Mail: port of the SMTP server. Default by `tls`: 587, 465 or 25.
    pub port: Option<u16>,
    /// Mail: `starttls` (default; refused where the server does not offer it), `implicit` (TLS
    /// from the first byte) or `none` (loopback addresses only).
    #[schemars(extend("enum" = ["starttls", "implicit", "none"], "default" = "starttls"))]
    pub tls: Option<String>,
    /// Mail: name to sign in with. Without it nobody signs in.
    pub username: Option<String>,
    /// Mail: password to sign in with.
    #[serde(deserialize_with = "secret_text")]
    #[schemars(with = "Option<String>")]
    pub password: Option<Secret<String>>,
    /// Mail: file that holds the password; read at each sign-in.
    pub password_file: Option<PathBuf>,
    /// Mail: sender, such as `syncwatch <syncwatch@example.com>`.
    pub from: Option<String>,
    /// Mail: recipients. All of them stand in the `To` header.
    pub to: Option<Vec<String>>,
    /// Mail: how to greet the SMTP server. Default: the name of this machine.
    pub hello: Option<String>,

    /// Teams and webhook: where to post. For Teams the URL holds its own signature, so all of
    /// it is a secret. Plain `http` is accepted for loopback addresses only.
    #[serde(deserialize_with = "secret_text")]
    #[schemars(with = "Option<String>")]
    pub url: Option<Secret<String>>,
    /// Teams and webhook: file that holds the URL; read at each message.
    pub url_file: Option<PathBuf>,

    /// Teams: least time between two messages, so that the flow behind the webhook is not
    /// throttled. Default `2s` (Microsoft publishes no limit per URL).
    #[schemars(extend("default" = "2s"))]
    pub pace: Option<String>,

    /// Webhook: key of the HMAC-SHA256 signature in `X-Syncwatch-Signature`. Without it messages
    /// are not signed.
    #[serde(deserialize_with = "secret_text")]
    #[schemars(with = "Option<String>")]
    pub secret: Option<Secret<String>>,
    /// Webhook: file that holds the key of the signature; read at each message.
    pub secret_file: Option<PathBuf>,
    /// Webhook: further headers, such as `Authorization`. Their values are secrets.
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: BTreeMap<String, HeaderText>,
    /// Webhook: file with further headers, one `Name: value` per line; read at each message.
    pub headers_file: Option<PathBuf>,
}

/// Who is told about which alerts. Routes are looked at from top to bottom; the first that
/// matches decides, unless it says `continue`. Without any route every receiver is told about
/// alerts of severity `warning` and above. An alert that no route matches is told to nobody; it
/// stays on the status page, in the API and in the metrics.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Route")]
pub struct RawRoute {
    /// Labels an alert must have: `label = "value"`, or `label = ["one", "another"]` for any of
    /// them. Labels: `tenant`, `engine`, `kind`, `partition`, `job`, `source`, `server`,
    /// `error_group`.
    #[serde(rename = "match")]
    pub labels: BTreeMap<String, OneOrMany>,
    /// Least severity: `info`, `warning` or `critical`. Default `info`: every alert.
    #[schemars(extend("enum" = ["info", "warning", "critical"], "default" = "info"))]
    pub min_severity: Option<String>,
    /// Names of rules, such as `WindowMissed`. Default: every rule.
    pub rules: Vec<String>,
    /// Names of the receivers to tell.
    pub receivers: Vec<String>,
    /// Look at the routes below as well. Default `false`.
    #[serde(rename = "continue")]
    pub go_on: bool,
    /// Tell these receivers also when an alert is over. Default `true`.
    #[schemars(with = "bool", extend("default" = true))]
    pub send_resolved: Option<bool>,
}

/// One text or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Any of several.
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// The value of a header.
#[derive(Clone, Debug)]
pub struct HeaderText(pub Secret<String>);

impl<'de> Deserialize<'de> for HeaderText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        quiet_text(deserializer).map(Self)
    }
}

fn secret_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret<String>>, D::Error> {
    quiet_text(deserializer).map(Some)
}

/// Reads a secret. A value of another type is refused without being repeated, which is what
/// serde's own error would do.
fn quiet_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
    match serde_json::Value::deserialize(deserializer) {
        Ok(serde_json::Value::String(text)) => Ok(Secret::new(text)),
        _ => Err(serde::de::Error::custom(
            "a secret must be a text in quotes",
        )),
    }
}
