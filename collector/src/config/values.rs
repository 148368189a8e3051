//! Reading single values; each complaint is kept and the check goes on.

use std::fmt::Display;

use url::Url;

use super::Problem;

/// Collects problems while values are read.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// Notes a problem.
    pub(super) fn add(&mut self, path: &str, sentence: impl Into<String>, hint: &str) {
        self.0.push(Problem {
            path: path.to_owned(),
            sentence: sentence.into(),
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        });
    }

    /// A value within bounds.
    pub(super) fn within<T: PartialOrd + Display>(
        &mut self,
        path: &str,
        value: &T,
        (least, most): (T, T),
    ) {
        if *value < least || *value > most {
            self.add(
                path,
                format!("{value} is not between {least} and {most}"),
                "leave it out for the default",
            );
        }
    }

    /// The address of a service: https, or http to this machine, with nothing secret in it.
    pub(super) fn address(&mut self, path: &str, text: &str) -> Option<Url> {
        const HINT: &str = "write only the scheme, the host and, if needed, the port, such as https://graph.microsoft.com";
        let url = match Url::parse(text.trim()) {
            Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => url,
            _ => {
                self.add(
                    path,
                    format!("{text:?} is not the address of a web service"),
                    HINT,
                );
                return None;
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            self.add(path, "the address holds a user name or password", HINT);
            return None;
        }
        if url.query().is_some() || url.fragment().is_some() {
            self.add(path, format!("{text:?} holds more than an address"), HINT);
            return None;
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            self.add(
                path,
                format!("{text:?} is plain http to another machine: tokens would travel readable"),
                "use https; http is accepted for loopback addresses such as http://127.0.0.1:8080",
            );
            return None;
        }
        Some(url)
    }
}

/// Whether an address stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Whether a text is a GUID in its usual form.
pub(super) fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Whether a text can be a verified domain name.
pub(super) fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}
