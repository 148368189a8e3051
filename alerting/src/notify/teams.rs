//! Teams: an Adaptive Card through a Workflows webhook.
//!
//! The flow's URL holds its own signature, so none of it is ever shown. The flow answers before
//! it posts: an acknowledgement means that it took the card, not that people see it.

mod card;

use std::time::Duration;

use reqwest::header::HeaderMap;
use syncwatch_domain::delivery::{AttemptResult, Delivery};
use syncwatch_domain::time::Timestamp;
use url::Url;

use self::card::Limits;
use super::http::{Answer, Poster, judge};
use super::{NotifierError, reason};
use crate::config::{ReceiverConfig, TeamsConfig, teams_endpoint};

/// One at a time: messages of a channel keep their order, and the pace holds.
pub(super) const CONCURRENCY: usize = 1;

const TOO_LARGE: u16 = 413;
const TOO_MANY: u16 = 429;

/// Posts to one Teams channel.
#[derive(Debug)]
pub struct TeamsNotifier {
    settings: TeamsConfig,
    poster: Poster,
    page: Option<Url>,
}

impl TeamsNotifier {
    pub(super) fn new(
        receiver: &ReceiverConfig,
        settings: &TeamsConfig,
        page: Option<Url>,
    ) -> Result<Self, NotifierError> {
        Ok(Self {
            settings: settings.clone(),
            poster: Poster::new(receiver)?,
            page,
        })
    }

    pub(super) const fn pace(&self) -> Duration {
        self.settings.pace
    }

    /// Makes one attempt; a card that is found too large is sent once more, smaller.
    pub async fn send(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        let url = match self.url().await {
            Ok(url) => url,
            Err(reason) => {
                return AttemptResult::Retry {
                    after: None,
                    reason,
                };
            }
        };
        let secrets = reason::secrets_of(&url);
        let mut answer = self.post(&url, delivery, &card::FULL, now).await;
        if let Ok(Answer {
            status: TOO_LARGE, ..
        }) = answer
        {
            answer = self.post(&url, delivery, &card::SMALL, now).await;
        }
        match answer {
            Ok(answer) => {
                let status = status_within(&answer);
                let said = reason::quote(&answer.body, &secrets);
                judge(status, answer.retry_after, &said)
            }
            Err(reason) => AttemptResult::Retry {
                after: None,
                reason,
            },
        }
    }

    async fn url(&self) -> Result<Url, String> {
        let url = self
            .settings
            .url
            .read()
            .await
            .map_err(|error| reason::chain(&error))?;
        teams_endpoint(url.expose())
            .map_err(|(problem, hint)| format!("the url is not usable: {problem}; {hint}"))
    }

    async fn post(
        &self,
        url: &Url,
        delivery: &Delivery,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Answer, String> {
        let body = card::message(&delivery.notification, self.page.as_ref(), limits);
        self.poster.post(url, HeaderMap::new(), body, now).await
    }
}

/// The status that counts. Webhooks of Teams are known to say 200 and to write in the body that
/// they were throttled; believing the 200 would lose the message.
fn status_within(answer: &Answer) -> u16 {
    let throttled = || {
        let body = answer.body.to_ascii_lowercase();
        let mut words = body.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == "429")
            && ["error", "throttl", "too many", "toomany"]
                .iter()
                .any(|hint| body.contains(hint))
    };
    if (200..300).contains(&answer.status) && throttled() {
        TOO_MANY
    } else {
        answer.status
    }
}

#[cfg(test)]
mod tests;
