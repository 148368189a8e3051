//! Mail: one conversation per alert, over SMTP.
//!
//! Connections are our own: a stream without Nagle's delay (with it a mail costs about 44 ms of
//! waiting), TLS before lettre sees it, and reuse for bursts.

mod connection;
mod dialogue;
mod message;
mod pool;
mod reply;
mod served;
mod stream;

use lettre::Address;
use syncwatch_domain::delivery::{AttemptResult, Delivery};
use syncwatch_domain::span::Span;
use tracing::warn;
use url::Url;

use std::time::Duration;

use self::connection::{Dialer, Verdicts};
use self::pool::Pool;
use self::reply::{Failure, Progress};
use self::served::Served;
use super::NotifierError;
use crate::config::{MailConfig, ReceiverConfig};

/// Attempts that may run at once.
pub(super) const CONCURRENCY: usize = 4;

/// Sends to the recipients of one receiver.
#[derive(Debug)]
pub struct MailNotifier {
    receiver: String,
    settings: MailConfig,
    timeout: Duration,
    page: Option<Url>,
    dialer: Dialer,
    pool: Pool,
    served: Served,
}

impl MailNotifier {
    pub(super) fn new(
        receiver: &ReceiverConfig,
        settings: &MailConfig,
        page: Option<Url>,
    ) -> Result<Self, NotifierError> {
        Ok(Self {
            receiver: receiver.name.clone(),
            dialer: Dialer::new(receiver, settings)?,
            settings: settings.clone(),
            timeout: receiver.timeout,
            page,
            pool: Pool::default(),
            served: Served::default(),
        })
    }

    /// Makes one attempt.
    pub async fn send(&self, delivery: &Delivery) -> AttemptResult {
        let progress = Progress::default();
        let attempt = self.attempt(delivery, &progress);
        match tokio::time::timeout(self.timeout, attempt).await {
            Ok(Ok(result)) => result,
            Ok(Err(failure)) => failure.judge(),
            Err(_) => AttemptResult::Retry {
                after: None,
                reason: format!("no answer within {} while {progress}", Span(self.timeout)),
            },
        }
    }

    /// Says goodbye on connections that nobody used for a while.
    pub async fn close_idle(&self) {
        self.pool.close_idle().await;
    }

    async fn attempt(
        &self,
        delivery: &Delivery,
        progress: &Progress,
    ) -> Result<AttemptResult, Failure> {
        let key = &delivery.idempotency_key;
        let recipients = self.served.remaining(key, &self.settings.to);
        let mail = message::write(delivery, &self.settings, self.page.as_ref())
            .map_err(|error| Failure::Refused(format!("the mail cannot be written: {error}")))?;
        let from = &self.settings.from.email;
        // A connection that was kept may have been closed meanwhile; then nothing was sent yet.
        if let Some(mut kept) = self.pool.take()
            && let Ok(verdicts) = kept.offer(from, &recipients, &mail, progress).await
        {
            return Ok(self.finish(kept.transmit(verdicts, &mail, progress).await?, kept, key));
        }
        let mut fresh = self.dialer.connect(progress).await?;
        let verdicts = fresh.offer(from, &recipients, &mail, progress).await?;
        let verdicts = fresh.transmit(verdicts, &mail, progress).await?;
        Ok(self.finish(verdicts, fresh, key))
    }

    /// What the verdicts on the single recipients mean for the whole.
    fn finish(&self, verdicts: Verdicts, used: connection::Connection, key: &str) -> AttemptResult {
        self.pool.keep(used);
        for (recipient, reply) in &verdicts.refused {
            warn!(receiver = self.receiver, %recipient, %reply, "a recipient is refused, the others got the mail");
        }
        let Some((recipient, reply)) = verdicts.deferred.first() else {
            self.served.forget(key);
            return AttemptResult::Delivered;
        };
        let reason = format!(
            "{} of {} recipients are deferred, the others got the mail; {recipient}: {reply}",
            verdicts.deferred.len(),
            self.settings.to.len(),
        );
        let done = verdicts.accepted.into_iter();
        let done: Vec<Address> = done
            .chain(verdicts.refused.into_iter().map(|(one, _)| one))
            .collect();
        self.served.note(key, done);
        AttemptResult::Retry {
            after: None,
            reason,
        }
    }
}

#[cfg(test)]
mod tests;
