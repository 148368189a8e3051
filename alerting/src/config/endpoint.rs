//! Where messages may be posted. Looked at when the configuration is read, and again at each
//! use for a URL that stands in a file. No sentence here repeats any part of the URL.

use url::{Host, Url};

/// Why a URL is refused: the sentence, and how to mend it.
pub(crate) type Refusal = (&'static str, &'static str);

/// A URL that alerts may be posted to.
pub(crate) fn endpoint(text: &str) -> Result<Url, Refusal> {
    let Ok(url) = Url::parse(text.trim()) else {
        return Err(("this is not a URL", "write it as https://host/path"));
    };
    match url.scheme() {
        "https" => {}
        "http" if url.host().is_some_and(|host| is_loopback(&host)) => {}
        "http" => {
            return Err((
                "plain http is accepted for loopback addresses only",
                "use https; a private certificate authority goes into `ca_file`",
            ));
        }
        _ => {
            return Err((
                "only https can be posted to",
                "write it as https://host/path",
            ));
        }
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err((
            "a name or password inside the URL is not sent",
            "write it as a header: headers = { Authorization = \"Basic ...\" }",
        ));
    }
    Ok(url)
}

/// A URL of a Workflows webhook.
pub(crate) fn teams_endpoint(text: &str) -> Result<Url, Refusal> {
    let url = endpoint(text)?;
    let host = url.host_str().unwrap_or_default();
    if host == "outlook.office.com"
        || host == "outlook.office365.com"
        || host.ends_with(".webhook.office.com")
    {
        return Err((
            "this is an Office 365 connector, which Microsoft has retired",
            "in Teams, add the workflow \"When a Teams webhook request is received\" to the \
             channel and use its URL",
        ));
    }
    Ok(url)
}

/// Whether nothing between here and there can listen.
pub(crate) fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref().eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}
