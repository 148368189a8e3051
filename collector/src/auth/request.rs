//! One request for a token, in each of the ways to prove who asks (Microsoft identity platform:
//! client credentials flow).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Deserializer};
use syncwatch_domain::secret::REDACTED;
use syncwatch_domain::source::ReadFailure;
use syncwatch_domain::time::Timestamp;
use url::Url;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::error::{AuthError, refusal};
use super::{Signer, Token, managed};
use crate::config::{Credential, TenantConfig};
use crate::http::retry_after::retry_after;
use crate::http::{self, ExchangeError, body};

const FORM: &str = "application/x-www-form-urlencoded";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A token answer is a few KB; anything longer is no token answer.
const ANSWER_CAP: usize = 1 << 20;

/// Reads a variable of the environment; a test passes its own.
pub(crate) type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How to ask for a token of one tenant.
pub(crate) struct TokenRequest {
    pub(super) http: Client,
    pub(super) credential: Credential,
    pub(super) endpoint: Url,
    pub(super) scope: String,
    pub(super) resource: String,
    pub(super) environment: Environment,
}

impl TokenRequest {
    pub(crate) fn new(tenant: &TenantConfig, http: Client, environment: Environment) -> Self {
        let mut endpoint = tenant.login_url.clone();
        let base = endpoint.path().trim_end_matches('/').to_owned();
        endpoint.set_path(&format!("{base}/{}/oauth2/v2.0/token", tenant.id));
        Self {
            http,
            credential: tenant.credential.clone(),
            endpoint,
            scope: tenant.scope(),
            resource: format!("{}/", tenant.cloud.graph_url()),
            environment,
        }
    }

    /// Asks for a token.
    pub(crate) async fn fetch(&self, now: Timestamp) -> Result<Token, AuthError> {
        match &self.credential {
            Credential::Secret { client_id, secret } => {
                self.by_secret(client_id, secret.expose(), now).await
            }
            Credential::SecretFile { client_id, file } => {
                let secret = read_secret(file, "client secret").await?;
                self.by_secret(client_id, &secret, now).await
            }
            Credential::Certificate {
                client_id,
                certificate_file,
                private_key_file,
            } => {
                let certificate = read_secret(certificate_file, "certificate").await?;
                let key = read_secret(private_key_file, "private key").await?;
                let signer =
                    Signer::new(certificate.as_bytes(), key.as_bytes()).map_err(|error| {
                        AuthError::operator(format!("cannot sign in with the certificate: {error}"))
                    })?;
                let assertion = signer
                    .sign(client_id, self.endpoint.as_str(), now)
                    .map_err(|error| {
                        AuthError::operator(format!("cannot sign in with the certificate: {error}"))
                    })?;
                self.by_assertion(client_id, &assertion, now).await
            }
            Credential::Federated { client_id, file } => {
                let assertion = read_secret(file, "federated token").await?;
                self.by_assertion(client_id, &assertion, now).await
            }
            Credential::Managed(identity) => managed::fetch(self, identity, now).await,
        }
    }

    async fn by_secret(
        &self,
        client_id: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Token, AuthError> {
        self.post(client_id, &[("client_secret", secret)], secret, now)
            .await
    }

    async fn by_assertion(
        &self,
        client_id: &str,
        assertion: &str,
        now: Timestamp,
    ) -> Result<Token, AuthError> {
        let fields = [
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
        ];
        self.post(client_id, &fields, assertion, now).await
    }

    async fn post(
        &self,
        client_id: &str,
        proof: &[(&str, &str)],
        secret: &str,
        now: Timestamp,
    ) -> Result<Token, AuthError> {
        let form = Serializer::new(String::new())
            .append_pair("client_id", client_id)
            .append_pair("scope", &self.scope)
            .append_pair("grant_type", "client_credentials")
            .extend_pairs(proof)
            .finish();
        let request = self
            .http
            .post(self.endpoint.clone())
            .header(CONTENT_TYPE, FORM)
            .body(form);
        let response = request.send().await.map_err(ExchangeError::from)?;
        read_token(response, secret, now).await
    }
}

/// Reads a small text file whose content is secret.
async fn read_secret(file: &Path, what: &str) -> Result<Zeroizing<String>, AuthError> {
    let refuse = |why: String| {
        AuthError::operator(format!(
            "cannot read the {what} file {}: {why}",
            file.display()
        ))
    };
    let bytes = tokio::fs::read(file)
        .await
        .map_err(|error| refuse(error.to_string()))?;
    let text = Zeroizing::new(
        String::from_utf8(bytes).map_err(|_| refuse("it is not a text file".to_owned()))?,
    );
    if text.trim().is_empty() {
        return Err(refuse("it is empty".to_owned()));
    }
    Ok(Zeroizing::new(text.trim().to_owned()))
}

impl From<ExchangeError> for AuthError {
    fn from(error: ExchangeError) -> Self {
        Self::passing(
            error.failure,
            format!("sign-in failed: {}", error.text),
            None,
        )
    }
}

/// Reads the answer of a token endpoint.
pub(super) async fn read_token(
    response: Response,
    secret: &str,
    now: Timestamp,
) -> Result<Token, AuthError> {
    if response.status() != StatusCode::OK {
        return Err(read_refusal(response, secret, now).await);
    }
    let body = Zeroizing::new(body(response, ANSWER_CAP).await?);
    // Only the place of the mistake is told: serde_json quotes values, and one of them is the token.
    let answer: Answer = serde_json::from_slice(&body)
        .map_err(|error| unreadable(&format!("line {} column {}", error.line(), error.column())))?;
    answer.into_token(now)
}

/// Reads the answer of a token endpoint that refused.
pub(super) async fn read_refusal(response: Response, secret: &str, now: Timestamp) -> AuthError {
    let status = response.status().as_u16();
    let after = retry_after(response.headers(), now);
    let body = match body(response, ANSWER_CAP).await {
        Ok(body) => body,
        Err(error) => return error.into(),
    };
    tracing::debug!(
        http.status = status,
        "sign-in refused: {}",
        http::head(&body, 1024).replace(secret, REDACTED)
    );
    refusal(status, &body, after, &[secret])
}

fn unreadable(why: &str) -> AuthError {
    AuthError::passing(
        ReadFailure::BadAnswer,
        format!("sign-in failed: the answer of the login service is not a token ({why})"),
        None,
    )
}

/// A token answer. Managed identities send their numbers as texts.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default, deserialize_with = "number_or_text")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "number_or_text")]
    expires_on: Option<u64>,
}

impl Answer {
    fn into_token(self, now: Timestamp) -> Result<Token, AuthError> {
        if self.access_token.is_empty() || !self.access_token.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(unreadable("it is empty or holds characters no token has"));
        }
        let expires_at = match (self.expires_in, self.expires_on) {
            (Some(seconds), _) => now + Duration::from_secs(seconds),
            (None, Some(epoch)) => Timestamp::EPOCH + Duration::from_secs(epoch),
            (None, None) => return Err(unreadable("it does not say how long the token lives")),
        };
        Ok(Token::new(
            Zeroizing::new(self.access_token),
            now,
            expires_at,
        ))
    }
}

fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(u64),
        Text(String),
    }
    Ok(match Option::<Number>::deserialize(deserializer)? {
        Some(Number::Number(number)) => Some(number),
        Some(Number::Text(text)) => text.trim().parse().ok(),
        None => None,
    })
}
