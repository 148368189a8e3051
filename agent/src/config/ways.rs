//! `[service]` and `[listen]`: the two ways home.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use hyper::Uri;
use syncwatch_domain::span::Span;

use super::draft::{Draft, Table};
use crate::home::listen::Listen;
use crate::home::push::Service;
use crate::home::tls::{ClientFiles, Pair};

pub(super) const TIMEOUT: Span = Span::secs(60);
pub(super) const TIMEOUTS: (Span, Span) = (Span::secs(1), Span::minutes(30));
const URL: &str = "write for example https://syncwatch.hauser.example:9748";

/// Where reports are pushed; `None` when they are not, or when something is wrong.
pub(super) fn service<'t>(
    draft: &mut Draft<'_>,
    root: &mut Table<'t>,
    folder: &Path,
) -> Option<Service> {
    let mut table = draft.table(root, "service");
    if !table.is_written() {
        return None;
    }
    let written = draft.text(&mut table, "url");
    let token = path(draft, &mut table, "token_file", folder);
    let authorities = path(draft, &mut table, "ca_file", folder);
    let pair = pair(
        draft,
        &mut table,
        ("client_cert_file", "client_key_file"),
        folder,
    );
    let timeout = draft.span(&mut table, "timeout", TIMEOUTS);
    draft.close(&table);
    if !table.has("url") {
        draft.say(&table, "url", "the address of the service is missing", URL);
    }
    let url = written.and_then(|url| check_url(draft, &table, &url));
    if token.is_none()
        && !has_any(
            &table,
            &["token_file", "client_cert_file", "client_key_file"],
        )
    {
        draft.say(
            &table,
            "token_file",
            "the service could not tell who reports",
            "name the file with the token, or client_cert_file and client_key_file",
        );
    }
    Some(Service {
        url: url?,
        token,
        files: ClientFiles { authorities, pair },
        timeout: timeout.unwrap_or(TIMEOUT).0,
    })
}

/// Where reports are asked for; `None` when they are not, or when something is wrong.
pub(super) fn listen<'t>(
    draft: &mut Draft<'_>,
    root: &mut Table<'t>,
    folder: &Path,
) -> Option<Listen> {
    let mut table = draft.table(root, "listen");
    if !table.is_written() {
        return None;
    }
    let written = draft.text(&mut table, "addr");
    let pair = pair(draft, &mut table, ("cert_file", "key_file"), folder);
    let token = path(draft, &mut table, "token_file", folder);
    let clients = path(draft, &mut table, "client_ca_file", folder);
    let client_name = draft.text(&mut table, "client_name");
    draft.close(&table);
    let mend = "write for example 0.0.0.0:9749";
    if !table.has("addr") {
        draft.say(&table, "addr", "the address to listen on is missing", mend);
    }
    let addr = written.and_then(|written| {
        let addr = written.parse::<SocketAddr>().ok();
        if addr.is_none() {
            let what = format!("{written:?} is not an address with a port");
            draft.say(&table, "addr", &what, mend);
        }
        addr
    })?;
    let has_pair = has_any(&table, &["cert_file", "key_file"]);
    if !has_pair && !addr.ip().is_loopback() {
        draft.say(
            &table,
            "cert_file",
            "reports and tokens must not travel readable",
            "name a certificate and its key with cert_file and key_file, or listen on 127.0.0.1",
        );
    }
    if !has_any(&table, &["token_file", "client_ca_file"]) {
        draft.say(
            &table,
            "token_file",
            "anybody could ask for reports",
            "name the file with the token, or client_ca_file; either of them lets in",
        );
    }
    if table.has("client_ca_file") && !has_pair {
        draft.say(
            &table,
            "client_ca_file",
            "certificates of clients are shown over TLS only",
            "name a certificate and its key with cert_file and key_file",
        );
    }
    if let Some(name) = &client_name {
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let (what, mend) = if !table.has("client_ca_file") {
            (
                "there is no authority for certificates",
                "name it with client_ca_file",
            )
        } else if !name.chars().all(letter) {
            (
                "this is not the DNS name of one machine",
                "write it as it stands in the certificate; no wildcards",
            )
        } else {
            ("", "")
        };
        if !what.is_empty() {
            draft.say(&table, "client_name", what, mend);
        }
    }
    Some(Listen {
        addr,
        pair,
        token,
        clients,
        client_name,
    })
}

/// The files that are named, each with its key.
pub(super) fn files<'a>(
    service: Option<&'a Service>,
    listen: Option<&'a Listen>,
) -> Vec<(&'static str, &'a Path)> {
    let mut files: Vec<(&'static str, Option<&'a PathBuf>)> = Vec::new();
    if let Some(service) = service {
        let pair = service.files.pair.as_ref();
        files.extend([
            ("service.token_file", service.token.as_ref()),
            ("service.ca_file", service.files.authorities.as_ref()),
            (
                "service.client_cert_file",
                pair.map(|pair| &pair.certificate),
            ),
            ("service.client_key_file", pair.map(|pair| &pair.key)),
        ]);
    }
    if let Some(listen) = listen {
        let pair = listen.pair.as_ref();
        files.extend([
            ("listen.cert_file", pair.map(|pair| &pair.certificate)),
            ("listen.key_file", pair.map(|pair| &pair.key)),
            ("listen.token_file", listen.token.as_ref()),
            ("listen.client_ca_file", listen.clients.as_ref()),
        ]);
    }
    let named = files.into_iter();
    named
        .filter_map(|(key, path)| Some((key, path?.as_path())))
        .collect()
}

fn has_any(table: &Table<'_>, keys: &[&str]) -> bool {
    keys.iter().any(|key| table.has(key))
}

fn path<'t>(
    draft: &mut Draft<'_>,
    table: &mut Table<'t>,
    key: &'static str,
    folder: &Path,
) -> Option<PathBuf> {
    draft.text(table, key).map(|path| folder.join(path))
}

fn pair<'t>(
    draft: &mut Draft<'_>,
    table: &mut Table<'t>,
    keys: (&'static str, &'static str),
    folder: &Path,
) -> Option<Pair> {
    let certificate = path(draft, table, keys.0, folder);
    let key = path(draft, table, keys.1, folder);
    for (missing, present) in [keys, (keys.1, keys.0)] {
        if table.has(present) && !table.has(missing) {
            let what = format!("{present} is of no use alone");
            draft.say(
                table,
                missing,
                &what,
                "a certificate and its key come together",
            );
        }
    }
    Some(Pair {
        certificate: certificate?,
        key: key?,
    })
}

fn check_url(draft: &mut Draft<'_>, table: &Table<'_>, written: &str) -> Option<Uri> {
    let url = written.parse::<Uri>().ok();
    let parts = url
        .as_ref()
        .and_then(|url| Some((url.scheme_str()?, url.host()?)));
    let what = match parts {
        Some(("https", _)) => None,
        Some(("http", host)) if is_loopback(host) => None,
        Some(("http", _)) => Some("reports and tokens must not travel readable".to_owned()),
        _ => Some(format!("{written:?} is not an https address")),
    };
    let has_more = url.as_ref().is_some_and(|url| {
        let authority = url.authority().map_or("", |authority| authority.as_str());
        url.query().is_some() || authority.contains('@')
    });
    let what = what.or_else(|| {
        has_more.then(|| "the address holds a login or a query, which is not sent".to_owned())
    });
    match what {
        None => url,
        Some(what) => {
            draft.say(table, "url", &what, URL);
            None
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
