//! What the login service says when it refuses, and what an operator can do about it
//! (Microsoft identity platform reference: authentication error codes).

use std::time::Duration;

use serde::Deserialize;
use syncwatch_domain::source::ReadFailure;
use thiserror::Error;

use crate::http::cut;

/// A sign-in that brought no token. Cloned to everyone who waited for it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{text}")]
pub(crate) struct AuthError {
    /// The kind of failure.
    pub(crate) failure: ReadFailure,
    /// What happened and what to do, without secrets.
    pub(crate) text: String,
    /// Numbers of the login service (AADSTS...).
    pub(crate) codes: Vec<u64>,
    /// Who can mend it.
    pub(crate) class: AuthClass,
}

/// Who can mend a failed sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthClass {
    /// It may pass by itself; the service may have named a wait.
    Retry(Option<Duration>),
    /// A person has to change something.
    Operator,
}

impl AuthError {
    /// A failure that may pass.
    pub(crate) fn passing(
        failure: ReadFailure,
        text: impl Into<String>,
        after: Option<Duration>,
    ) -> Self {
        Self {
            failure,
            text: text.into(),
            codes: Vec::new(),
            class: AuthClass::Retry(after),
        }
    }

    /// A failure that a person has to mend.
    pub(crate) fn operator(text: impl Into<String>) -> Self {
        Self {
            failure: ReadFailure::SignInRefused,
            text: text.into(),
            codes: Vec::new(),
            class: AuthClass::Operator,
        }
    }
}

/// The body of a refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
    error_codes: Vec<u64>,
    correlation_id: String,
}

/// Turns a refusal of a token endpoint into an error. Drives nothing by texts: the status and
/// `error` decide, the numbers only choose the hint.
pub(crate) fn refusal(
    status: u16,
    body: &[u8],
    after: Option<Duration>,
    secrets: &[&str],
) -> AuthError {
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let known = refusal.error_codes.iter().find_map(|code| hint(*code));
    let class = match (status, known) {
        (429 | 500.., _) => AuthClass::Retry(after),
        (_, Some((Class::Retry, _))) => AuthClass::Retry(after),
        (_, Some((Class::Operator, _))) => AuthClass::Operator,
        (_, None) if refusal.error == "temporarily_unavailable" => AuthClass::Retry(after),
        _ => AuthClass::Operator,
    };
    let failure = match (status, class) {
        (429, _) => ReadFailure::Throttled,
        (_, AuthClass::Retry(_)) => ReadFailure::ServerError,
        (_, AuthClass::Operator) => ReadFailure::SignInRefused,
    };
    AuthError {
        failure,
        text: sentence(status, &refusal, known.map(|(_, hint)| hint), secrets),
        codes: refusal.error_codes,
        class,
    }
}

fn sentence(status: u16, refusal: &Refusal, hint: Option<&str>, secrets: &[&str]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("sign-in failed (HTTP {status}");
    for code in &refusal.error_codes {
        write!(text, ", AADSTS{code}").expect("writing to a String cannot fail");
    }
    if !refusal.correlation_id.is_empty() {
        write!(
            text,
            ", correlation id {}",
            cut(&refusal.correlation_id, 40)
        )
        .expect("writing to a String cannot fail");
    }
    text.push(')');
    let said = match hint {
        Some(hint) => hint.to_owned(),
        None if refusal.error_description.is_empty() => cut(&refusal.error, 80),
        None => cut(&refusal.error_description, 200),
    };
    if !said.is_empty() {
        text.push_str(": ");
        text.push_str(&said);
    }
    secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(text, |text, secret| {
            text.replace(*secret, syncwatch_domain::secret::REDACTED)
        })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Retry,
    Operator,
}

/// What an operator should know about a number of the login service.
fn hint(code: u64) -> Option<(Class, &'static str)> {
    use Class::{Operator, Retry};
    Some(match code {
        7_000_215 => (
            Operator,
            "the client secret is wrong; often the secret's id was pasted in place of its value",
        ),
        7_000_222 => (
            Operator,
            "the client secret has expired; create a new one on the app registration",
        ),
        700_016 => (
            Operator,
            "the application is not known in this tenant; check id and client_id, and give admin consent",
        ),
        700_027 => (
            Operator,
            "the signature of the certificate was refused; check that exactly this certificate is registered on the application",
        ),
        700_024 => (
            Operator,
            "the assertion is outside its validity; check the clock of this machine, or the age of the federated token file",
        ),
        7_000_112 | 70_001 => (
            Operator,
            "the application is disabled or does not exist in this tenant",
        ),
        7_000_218 => (
            Operator,
            "the request carried neither a secret nor an assertion",
        ),
        70_011 | 1_002_012 => (
            Operator,
            "the scope was refused; check that cloud fits the tenant",
        ),
        70_021 | 700_211 | 700_213 => (
            Operator,
            "no federated credential of the application fits the token's issuer, subject and audience; a new one takes some minutes to arrive",
        ),
        90_002 => (
            Operator,
            "the tenant does not exist in this cloud; check id and cloud",
        ),
        900_382 | 90_038 => (
            Operator,
            "the tenant lives in another cloud; set cloud, or login_url",
        ),
        53_003 | 530_035 => (
            Operator,
            "a Conditional Access policy or the security defaults block the application; exclude its service principal",
        ),
        650_052 | 65_001 => (
            Operator,
            "admin consent is missing; grant it on the app registration",
        ),
        700_229 => (
            Operator,
            "only the token of an application can be used as a federated token",
        ),
        90_033 | 90_024 | 90_012 | 90_090 => (Retry, "the login service is busy"),
        90_055 => (Retry, "the login service throttles this tenant"),
        _ => return None,
    })
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
