//! Asks the running service.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::{ConfigArgs, Failed, Output};
use crate::http::shape::Failure;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Whom to ask, and how to print it.
#[derive(Clone, Debug, Args)]
pub struct ClientArgs {
    /// Address of the service. Without it: where the configuration says it listens.
    #[arg(long, env = "SYNCWATCH_URL")]
    url: Option<Url>,
    /// Configuration file to take the address from.
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "syncwatch.toml",
        env = "SYNCWATCH_CONFIG"
    )]
    config: PathBuf,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

/// A connection to the service.
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
}

impl ClientArgs {
    /// Finds the service.
    pub(super) fn client(&self) -> Result<Client, Failed> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .build()
            .map_err(anyhow::Error::from)?;
        Ok(Client {
            http,
            url: self.address()?,
        })
    }

    fn address(&self) -> Result<Url, Failed> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        let mut listen = std::net::SocketAddr::from(([127, 0, 0, 1], 9747));
        if self.config.exists() {
            listen = super::load(&ConfigArgs {
                config: self.config.clone(),
            })?
            .server
            .listen;
        }
        if listen.ip().is_unspecified() {
            listen.set_ip(match listen {
                std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        Url::parse(&format!("http://{listen}")).map_err(|error| Failed::Failure(error.into()))
    }
}

impl Client {
    /// Where the service is.
    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// Reads something.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Failed> {
        let mut url = self.join(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.answer(self.http.get(url)).await
    }

    /// Asks for something to be done.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failed> {
        let body = serde_json::to_vec(body).map_err(anyhow::Error::from)?;
        let request = self
            .http
            .post(self.join(path)?)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        self.answer(request).await
    }

    fn join(&self, path: &str) -> Result<Url, Failed> {
        let base = self.url.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}{path}")).map_err(|error| Failed::Failure(error.into()))
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, Failed> {
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = response
            .bytes()
            .await
            .map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| {
                Failed::CannotTell(format!(
                    "what answers at {} is not a syncwatch service of this version",
                    self.url
                ))
            });
        }
        let said = serde_json::from_slice::<Failure>(&body).map(|failure| failure.error);
        let said = said.unwrap_or_else(|_| "no reason was given".to_owned());
        let sentence = format!(
            "the service at {} answered {}: {said}",
            self.url,
            status.as_u16()
        );
        Err(if status.is_client_error() {
            Failed::Failure(anyhow::anyhow!(sentence))
        } else {
            Failed::CannotTell(sentence)
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failed {
        let url = &self.url;
        let mend = "is it running (syncwatch run), and is --url right?";
        let why = if error.is_connect() {
            "nothing answers there".to_owned()
        } else if error.is_timeout() {
            "it did not answer in time".to_owned()
        } else {
            crate::chain(error)
        };
        Failed::CannotTell(format!("cannot reach the service at {url}: {why}; {mend}"))
    }
}
