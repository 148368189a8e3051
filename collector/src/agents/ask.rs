//! Agents that are asked for their reports.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use syncwatch_domain::clock::Clock;
use syncwatch_domain::report::{Answer, SCHEMA, Wishes};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Enrolled;
use super::access::{AccessError, Who, read};
use super::intake::{Intake, IntakeError};
use crate::config::AgentConfig;
use crate::http::{Route, body, builder, chain};

/// Longest time one batch may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer is longer than this; [`syncwatch_domain::report::MOST_BYTES`] and a record that travels alone.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Why an agent could not be asked.
#[derive(Debug, Error)]
enum AskError {
    #[error("cannot set up the connection: {0}")]
    Client(String),
    #[error(transparent)]
    Token(#[from] AccessError),
    #[error("the agent does not answer")]
    Send(#[from] reqwest::Error),
    #[error("the agent refuses with {0}: compare its token_file with the one of [[tenant.agent]]")]
    Refused(StatusCode),
    #[error("{0}")]
    Answer(String),
    #[error(transparent)]
    Intake(#[from] IntakeError),
}

/// Asks every agent that has an address, each on its own schedule, until `stop`.
pub(super) async fn ask(
    agents: &[Enrolled],
    intake: &Intake,
    clock: &Arc<dyn Clock>,
    stop: &CancellationToken,
) {
    let mut asking = tokio::task::JoinSet::new();
    for agent in agents.iter().filter(|agent| agent.config.url.is_some()) {
        let (agent, intake) = (agent.clone(), intake.clone());
        let (clock, stop) = (Arc::clone(clock), stop.clone());
        asking.spawn(async move {
            ask_one(&agent.who, &agent.config, &intake, clock.as_ref(), &stop).await;
        });
    }
    while asking.join_next().await.is_some() {}
}

/// Asks one agent until `stop`. That it does not answer is seen by whoever watches for silence;
/// here it is only said once.
async fn ask_one(
    who: &Who,
    agent: &AgentConfig,
    intake: &Intake,
    clock: &dyn Clock,
    stop: &CancellationToken,
) {
    let mut line = Line::new(who, agent);
    let mut told = false;
    loop {
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            asked = line.fetch(intake, clock) => asked,
        };
        let wait = match asked {
            // More is waiting: an agent that was cut off is drained without a pause.
            Ok(true) => Duration::ZERO,
            Ok(false) => {
                told = false;
                agent.every
            }
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    let reason = chain(&error);
                    tracing::warn!(agent = who.host, reason, "an agent cannot be asked");
                }
                agent.every
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// The line to one agent.
struct Line<'a> {
    who: &'a Who,
    agent: &'a AgentConfig,
    client: Option<Client>,
    /// What is said about the batch before: it is forgotten only now.
    answer: Option<Answer>,
}

impl<'a> Line<'a> {
    const fn new(who: &'a Who, agent: &'a AgentConfig) -> Self {
        Self {
            who,
            agent,
            client: None,
            answer: None,
        }
    }

    /// Fetches one batch and takes it in; `true` when there is more.
    async fn fetch(&mut self, intake: &Intake, clock: &dyn Clock) -> Result<bool, AskError> {
        let said = self.answer.clone().unwrap_or_else(|| Answer {
            schema: SCHEMA,
            spool: None,
            acknowledged: 0,
            now: clock.now(),
            wishes: Wishes::default(),
        });
        let body = self.request(&said).await?;
        let answer = intake.take(self.who, &body).await?;
        let more = self.answer.as_ref().is_none_or(|before| {
            before.spool != answer.spool || answer.acknowledged > before.acknowledged
        });
        self.answer = Some(answer);
        Ok(more)
    }

    async fn request(&mut self, said: &Answer) -> Result<Vec<u8>, AskError> {
        let token = read(self.who, &self.agent.token)?;
        let url = self.url()?;
        let client = self.client()?;
        let answer = client
            .post(url)
            .bearer_auth(token.expose().trim())
            .json(said)
            .send()
            .await?;
        if !answer.status().is_success() {
            return Err(AskError::Refused(answer.status()));
        }
        let read = body(answer, LONGEST_ANSWER).await;
        read.map_err(|error| AskError::Answer(error.text))
    }

    fn url(&self) -> Result<Url, AskError> {
        let url = self.agent.url.as_ref().map(|url| url.join("v1/reports"));
        url.and_then(Result::ok)
            .ok_or_else(|| AskError::Client("the agent has no address".to_owned()))
    }

    /// Built when it is first needed: a certificate that is not there yet may come.
    fn client(&mut self) -> Result<Client, AskError> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = build(self.agent)?;
        self.client = Some(client.clone());
        Ok(client)
    }
}

fn build(agent: &AgentConfig) -> Result<Client, AskError> {
    let mut builder = builder(PATIENCE, Route::Direct);
    if let Some(file) = &agent.ca_file {
        let failed = |why: String| AskError::Client(format!("{}: {why}", file.display()));
        let pem = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
        let roots =
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(chain(&error)))?;
        builder = builder.tls_certs_only(roots);
    }
    builder
        .build()
        .map_err(|error| AskError::Client(chain(&error)))
}
