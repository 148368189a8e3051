//! Agents that are asked for their reports.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use syncwatch_domain::clock::Clock;
use syncwatch_domain::report::{Answer, SCHEMA};
use syncwatch_domain::source::ReadFailure;
use syncwatch_store::StoreError;
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Enrolled;
use super::access::{AccessError, Who, read};
use super::intake::{Intake, IntakeError};
use super::trouble::Trouble;
use crate::config::AgentConfig;
use crate::http::{ExchangeError, Route, body, builder, chain, head};

/// Longest time one batch may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer is longer than this; [`syncwatch_domain::report::MOST_BYTES`] and a record that travels alone.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;
/// No refusal is read beyond this many bytes, and none is told beyond [`LONGEST_REASON`].
const LONGEST_REFUSAL: usize = 4096;
const LONGEST_REASON: usize = 300;

/// Why an agent could not be asked.
#[derive(Debug, Error)]
enum AskError {
    #[error("cannot set up the connection: {0}")]
    Client(String),
    #[error(transparent)]
    Token(#[from] AccessError),
    #[error("{0}")]
    Exchange(String, ReadFailure),
    #[error("the agent refuses with {status}: {said}; {MEND}")]
    NotLetIn { status: StatusCode, said: String },
    #[error("the agent answers with {status}: {said}")]
    Refused { status: StatusCode, said: String },
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error("what is wished for cannot be looked up")]
    Wishes(#[from] StoreError),
}

/// What to do when an agent does not let in.
const MEND: &str =
    "compare its token_file and client_ca_file in [listen] with what [[tenant.agent]] names";

impl From<ExchangeError> for AskError {
    fn from(error: ExchangeError) -> Self {
        Self::Exchange(error.text, error.failure)
    }
}

impl AskError {
    /// How the agent is at fault; `None` when this side is, or where the intake noted it.
    fn failure(&self) -> Option<ReadFailure> {
        match self {
            Self::Client(_) | Self::Token(_) | Self::NotLetIn { .. } => Some(ReadFailure::Refused),
            Self::Exchange(_, failure) => Some(*failure),
            Self::Refused { status, .. } if status.is_server_error() => {
                Some(ReadFailure::ServerError)
            }
            Self::Refused { .. } => Some(ReadFailure::Refused),
            Self::Intake(_) | Self::Wishes(_) => None,
        }
    }
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

/// Asks one agent until `stop`. Why it does not answer is noted for whoever watches for silence,
/// and told to the log when it is news.
async fn ask_one(
    who: &Who,
    agent: &AgentConfig,
    intake: &Intake,
    clock: &dyn Clock,
    stop: &CancellationToken,
) {
    let mut line = Line::new(who, agent);
    loop {
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            asked = line.fetch(intake, clock) => asked,
        };
        let wait = match asked {
            // More is waiting: an agent that was cut off is drained without a pause.
            Ok(true) => Duration::ZERO,
            Ok(false) => agent.every,
            Err(error) => {
                line.failed(intake, &error);
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
    /// What the log was last told.
    told: Option<String>,
}

impl<'a> Line<'a> {
    const fn new(who: &'a Who, agent: &'a AgentConfig) -> Self {
        Self {
            who,
            agent,
            client: None,
            answer: None,
            told: None,
        }
    }

    /// Fetches one batch and takes it in; `true` when there is more.
    async fn fetch(&mut self, intake: &Intake, clock: &dyn Clock) -> Result<bool, AskError> {
        let said = match &self.answer {
            Some(answer) => answer.clone(),
            None => Answer {
                schema: SCHEMA,
                spool: None,
                acknowledged: 0,
                now: clock.now(),
                wishes: intake.wishes(self.who).await?,
            },
        };
        let body = self.request(&said).await?;
        let answer = intake.take(self.who, &body).await?;
        if self.told.take().is_some() {
            tracing::info!(agent = self.who.host, "an agent can be asked again");
        }
        let more = self.answer.as_ref().is_none_or(|before| {
            before.spool != answer.spool || answer.acknowledged > before.acknowledged
        });
        self.answer = Some(answer);
        Ok(more)
    }

    fn failed(&mut self, intake: &Intake, error: &AskError) {
        // Certificates are read again with the next attempt: one of them may be what was wrong.
        self.client = None;
        let text = chain(error);
        if let Some(failure) = error.failure() {
            let text = text.clone();
            intake.troubles().note(self.who, Trouble { failure, text });
        }
        if self.told.as_ref() != Some(&text) {
            tracing::warn!(
                agent = self.who.host,
                reason = text,
                "an agent cannot be asked"
            );
            self.told = Some(text);
        }
    }

    async fn request(&mut self, said: &Answer) -> Result<Vec<u8>, AskError> {
        let token = self.agent.token.as_ref();
        let token = token.map(|token| read(self.who, token)).transpose()?;
        let mut request = self.client()?.post(self.url()?).json(said);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose().trim());
        }
        let answer = request.send().await.map_err(ExchangeError::from)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(body(answer, LONGEST_ANSWER).await?);
        }
        let said = body(answer, LONGEST_REFUSAL).await.unwrap_or_default();
        let said = head(&said, LONGEST_REASON);
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => AskError::NotLetIn { status, said },
            _ => AskError::Refused { status, said },
        })
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
        let pem = pem(file)?;
        let roots = reqwest::Certificate::from_pem_bundle(&pem);
        builder = builder.tls_certs_only(roots.map_err(|error| refused(file, chain(&error)))?);
    }
    if let Some(pair) = &agent.client_pair {
        let mut both = pem(&pair.certificate)?;
        both.push(b'\n');
        both.extend(pem(&pair.key)?);
        let identity = reqwest::Identity::from_pem(&both);
        let identity = identity.map_err(|error| refused(&pair.certificate, chain(&error)))?;
        builder = builder.identity(identity);
    }
    builder
        .build()
        .map_err(|error| AskError::Client(chain(&error)))
}

fn pem(file: &Path) -> Result<Vec<u8>, AskError> {
    std::fs::read(file).map_err(|error| refused(file, error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "it is made for this")]
fn refused(file: &Path, why: String) -> AskError {
    AskError::Client(format!("{}: {why}", file.display()))
}
