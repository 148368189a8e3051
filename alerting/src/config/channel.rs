//! `[[receiver]]`: what belongs to one kind.

use std::net::IpAddr;

use lettre::message::Mailbox;
use reqwest::header::{HeaderName, HeaderValue};
use syncwatch_domain::span::Span;
use url::Host;

use super::endpoint::{Refusal, endpoint, is_loopback, teams_endpoint};
use super::problem::Inspection;
use super::receiver::Kind;
use super::{Channel, MailConfig, MailTls, RawReceiver, SecretSource, TeamsConfig, WebhookConfig};

const PACE: Span = Span::secs(2);
const PACE_RANGE: (Span, Span) = (Span::secs(0), Span::minutes(10));
const MAIL_TLS: &[(&str, MailTls)] = &[
    ("starttls", MailTls::StartTls),
    ("implicit", MailTls::Implicit),
    ("none", MailTls::None),
];

/// The checked channel; keys of other kinds are noted.
pub(super) fn check(kind: Kind, raw: RawReceiver, look: &mut Inspection<'_>) -> Option<Channel> {
    refuse_foreign_keys(kind, &raw, look);
    match kind {
        Kind::Mail => mail(raw, look).map(Channel::Mail),
        Kind::Teams => teams(raw, look).map(Channel::Teams),
        Kind::Webhook => webhook(raw, look).map(Channel::Webhook),
    }
}

fn refuse_foreign_keys(kind: Kind, raw: &RawReceiver, look: &mut Inspection<'_>) {
    use Kind::{Mail, Teams, Webhook};
    let keys: [(&str, bool, &[Kind]); 16] = [
        ("host", raw.host.is_some(), &[Mail]),
        ("port", raw.port.is_some(), &[Mail]),
        ("tls", raw.tls.is_some(), &[Mail]),
        ("username", raw.username.is_some(), &[Mail]),
        ("password", raw.password.is_some(), &[Mail]),
        ("password_file", raw.password_file.is_some(), &[Mail]),
        ("from", raw.from.is_some(), &[Mail]),
        ("to", raw.to.is_some(), &[Mail]),
        ("hello", raw.hello.is_some(), &[Mail]),
        ("url", raw.url.is_some(), &[Teams, Webhook]),
        ("url_file", raw.url_file.is_some(), &[Teams, Webhook]),
        ("pace", raw.pace.is_some(), &[Teams]),
        ("secret", raw.secret.is_some(), &[Webhook]),
        ("secret_file", raw.secret_file.is_some(), &[Webhook]),
        ("headers", !raw.headers.is_empty(), &[Webhook]),
        ("headers_file", raw.headers_file.is_some(), &[Webhook]),
    ];
    let kind_word = match kind {
        Mail => "mail",
        Teams => "teams",
        Webhook => "webhook",
    };
    for (key, given, kinds) in keys {
        if given && !kinds.contains(&kind) {
            let message = format!("`{key}` does not belong to a receiver of kind {kind_word}");
            look.refuse(key, message, "remove it, or change `kind`");
        }
    }
}

fn mail(raw: RawReceiver, look: &mut Inspection<'_>) -> Option<MailConfig> {
    let host = look.text(
        "host",
        raw.host,
        "name the SMTP server, e.g. host = \"smtp.example.com\"",
    );
    let host = host.filter(|host| check_host(host, look));
    let tls = raw.tls.map_or(Some(MailTls::StartTls), |text| {
        look.word("tls", &text, MAIL_TLS)
    });
    if let (Some(host), Some(MailTls::None)) = (&host, tls)
        && !mail_host(host).is_some_and(|host| is_loopback(&host))
    {
        look.refuse(
            "tls",
            "mail without TLS is accepted for loopback addresses only",
            "use tls = \"starttls\" or tls = \"implicit\"; a private certificate authority goes \
             into `ca_file`",
        );
    }
    if raw.port == Some(0) {
        look.refuse("port", "0 is not a port", "leave it out for the usual port");
    }
    let password = look.secret("password", raw.password, raw.password_file);
    let login = check_login(raw.username, password, look);
    let from = look.text(
        "from",
        raw.from,
        "name the sender, e.g. from = \"syncwatch@example.com\"",
    );
    let from = from.and_then(|text| mailbox("from", &text, look));
    let to = recipients(raw.to, look);
    let hello = raw.hello.filter(|hello| check_hello(hello, look));
    let tls = tls?;
    Some(MailConfig {
        host: host?,
        port: raw.port.unwrap_or(match tls {
            MailTls::StartTls => 587,
            MailTls::Implicit => 465,
            MailTls::None => 25,
        }),
        tls,
        login,
        from: from?,
        to: to?,
        hello,
    })
}

fn check_host(host: &str, look: &mut Inspection<'_>) -> bool {
    let good = mail_host(host).is_some();
    if !good {
        look.refuse(
            "host",
            format!("{host:?} is not the name or address of a server"),
            "write only the host; the port has a key of its own",
        );
    }
    good
}

/// The server as a name or an address.
fn mail_host(host: &str) -> Option<Host<String>> {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => Some(Host::Ipv4(address)),
        Ok(IpAddr::V6(address)) => Some(Host::Ipv6(address)),
        Err(_) => Host::parse(host).ok(),
    }
}

fn check_login(
    username: Option<String>,
    password: Option<SecretSource>,
    look: &mut Inspection<'_>,
) -> Option<(String, SecretSource)> {
    match (username, password) {
        (Some(name), Some(password)) => Some((name, password)),
        (Some(_), None) => {
            look.refuse(
                "username",
                "a name without a password cannot sign in",
                "add `password_file` (or `password`), or remove `username`",
            );
            None
        }
        (None, Some(_)) => {
            look.refuse(
                "password",
                "a password without a name cannot sign in",
                "add `username`, or remove the password",
            );
            None
        }
        (None, None) => None,
    }
}

fn recipients(to: Option<Vec<String>>, look: &mut Inspection<'_>) -> Option<Vec<Mailbox>> {
    const HINT: &str = "name the recipients, e.g. to = [\"noc@example.com\"]";
    let to = look.required("to", to, HINT)?;
    if to.is_empty() {
        look.refuse("to", "there is nobody to write to", HINT);
    }
    let found: Vec<_> = to
        .iter()
        .enumerate()
        .filter_map(|(n, text)| mailbox(&format!("to[{n}]"), text, look))
        .collect();
    (!found.is_empty() && found.len() == to.len()).then_some(found)
}

fn mailbox(key: &str, text: &str, look: &mut Inspection<'_>) -> Option<Mailbox> {
    let found = text.parse().ok();
    if found.is_none() {
        look.refuse(
            key,
            format!("{text:?} is not a mail address"),
            "write it as name@example.com or as Some Name <name@example.com>",
        );
    }
    found
}

/// The greeting is sent as it stands: it must be one word.
fn check_hello(hello: &str, look: &mut Inspection<'_>) -> bool {
    let good = Host::parse(hello).is_ok() || hello.parse::<IpAddr>().is_ok();
    if !good {
        look.refuse(
            "hello",
            format!("{hello:?} is not the name of a machine"),
            "write a host name, or leave it out for the name of this machine",
        );
    }
    good
}

fn teams(raw: RawReceiver, look: &mut Inspection<'_>) -> Option<TeamsConfig> {
    const HINT: &str = "add `url_file` (or `url`) with the URL that Teams shows for the workflow";
    let url = look.secret("url", raw.url, raw.url_file);
    let pace = look.span("pace", raw.pace.as_deref(), PACE, PACE_RANGE);
    let url = look.required("url", url, HINT);
    let url = url.filter(|url| check_url(url, teams_endpoint, look));
    Some(TeamsConfig { url: url?, pace })
}

fn webhook(raw: RawReceiver, look: &mut Inspection<'_>) -> Option<WebhookConfig> {
    let url = look.secret("url", raw.url, raw.url_file);
    let url = look.required("url", url, "add `url` (or `url_file`)");
    let url = url.filter(|url| check_url(url, endpoint, look));
    let secret = look.secret("secret", raw.secret, raw.secret_file);
    for (name, value) in &raw.headers {
        if let Err((message, hint)) = check_header(name, value.0.expose()) {
            look.refuse(&format!("headers.{name}"), message, hint);
        }
    }
    Some(WebhookConfig {
        url: url?,
        secret,
        headers: raw
            .headers
            .into_iter()
            .map(|(name, value)| (name, value.0))
            .collect(),
        headers_file: raw.headers_file,
    })
}

fn check_url(
    source: &SecretSource,
    rule: impl Fn(&str) -> Result<url::Url, Refusal>,
    look: &mut Inspection<'_>,
) -> bool {
    let SecretSource::Inline(url) = source else {
        return true;
    };
    let verdict = rule(url.expose());
    if let Err((message, hint)) = verdict {
        look.refuse("url", message, hint);
    }
    verdict.is_ok()
}

/// Whether a further header may be sent.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Refusal> {
    const OURS: &[&str] = &[
        "connection",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "transfer-encoding",
    ];
    let lower = name.to_ascii_lowercase();
    if OURS.contains(&lower.as_str()) || lower.starts_with("x-syncwatch-") {
        return Err(("this header is set by syncwatch itself", "remove it"));
    }
    let Ok(name) = HeaderName::try_from(lower) else {
        return Err((
            "this is not the name of a header",
            "use letters, digits and `-`",
        ));
    };
    let Ok(mut value) = HeaderValue::from_str(value) else {
        return Err((
            "the value cannot be sent in a header",
            "remove line breaks and control characters",
        ));
    };
    value.set_sensitive(true);
    Ok((name, value))
}
