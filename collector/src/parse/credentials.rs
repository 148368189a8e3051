//! Credentials of an application (Microsoft Graph reference: keyCredential, passwordCredential).

use serde::Deserialize;
use syncwatch_domain::time::Timestamp;

use super::ParseError;
use super::page::Page;
use super::values::{Text, When, owned};

/// A secret or certificate registered on an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegisteredCredential {
    pub(crate) key_id: String,
    pub(crate) kind: CredentialKind,
    pub(crate) name: Option<String>,
    pub(crate) ends_at: Option<Timestamp>,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    Secret,
    Certificate,
}

impl CredentialKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Certificate => "certificate",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Raw<'a> {
    #[serde(borrow)]
    key_credentials: Option<Vec<RawCredential<'a>>>,
    #[serde(borrow)]
    password_credentials: Option<Vec<RawCredential<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawCredential<'a> {
    #[serde(borrow)]
    key_id: Option<Text<'a>>,
    #[serde(borrow)]
    display_name: Option<Text<'a>>,
    end_date_time: When,
}

/// Reads the credentials of the one application of the answer; `None` when it lists none.
pub(crate) fn credentials(body: &[u8]) -> Result<Option<Vec<RegisteredCredential>>, ParseError> {
    let page = Page::split("applications", body)?;
    if page.raw().is_empty() {
        return Ok(None);
    }
    let raw: Raw<'_> = page.row(0)?;
    let of = |kind: CredentialKind, list: Option<Vec<RawCredential<'_>>>| {
        list.unwrap_or_default()
            .into_iter()
            .filter_map(move |raw| {
                Some(RegisteredCredential {
                    key_id: owned(raw.key_id)?,
                    kind,
                    name: owned(raw.display_name),
                    ends_at: raw.end_date_time.0,
                })
            })
            .collect::<Vec<_>>()
    };
    let mut all = of(CredentialKind::Certificate, raw.key_credentials);
    all.extend(of(CredentialKind::Secret, raw.password_credentials));
    Ok(Some(all))
}
