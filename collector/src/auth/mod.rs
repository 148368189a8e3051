//! Signing in: tokens are requested once for all polls of a tenant, kept, and renewed early.

mod assertion;
mod error;
mod managed;
mod request;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use syncwatch_domain::clock::Clock;
use syncwatch_domain::time::Timestamp;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

pub(crate) use assertion::{AssertionError, Signer};
pub(crate) use error::{AuthClass, AuthError};
pub(crate) use request::{Environment, TokenRequest};

/// A token is renewed this long before it ends.
const RENEW_EARLY: Duration = Duration::from_secs(5 * 60);
/// After a refusal that a person must mend, the login service is left alone this long.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);
/// After any other failure, unless the service names a longer wait.
const FAILED_PAUSE: Duration = Duration::from_secs(5);

/// An access token.
pub(crate) struct Token {
    value: Zeroizing<String>,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

impl Token {
    pub(crate) fn new(value: Zeroizing<String>, now: Timestamp, expires_at: Timestamp) -> Self {
        // A short-lived token is renewed at half its life, or it would be renewed all the time.
        let early = RENEW_EARLY.min(expires_at.since(now) / 2);
        Self {
            value,
            renew_at: expires_at - early,
            expires_at,
        }
    }

    /// The token itself, for the `Authorization` header only.
    pub(crate) fn expose(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(<redacted>, until {})", self.expires_at)
    }
}

#[derive(Debug, Default)]
struct Cache {
    token: Option<Arc<Token>>,
    refused: Option<(AuthError, Timestamp)>,
}

impl Cache {
    /// What can be said without asking the login service; `None` when it must be asked.
    fn answer(&self, now: Timestamp) -> Option<Result<Arc<Token>, AuthError>> {
        if let Some(token) = self.token.as_ref().filter(|token| now < token.renew_at) {
            return Some(Ok(Arc::clone(token)));
        }
        let (error, until) = self.refused.as_ref()?;
        if now >= *until {
            return None;
        }
        // A failed early renewal does no harm while the old token lives.
        let alive = self.token.as_ref().filter(|token| now < token.expires_at);
        Some(alive.map(Arc::clone).ok_or_else(|| error.clone()))
    }
}

/// The tokens of one tenant, client and scope.
pub(crate) struct TokenSource {
    request: TokenRequest,
    clock: Arc<dyn Clock>,
    cache: Mutex<Cache>,
    /// One permit: whoever holds it asks, everyone else waits for the answer.
    flight: Semaphore,
}

impl TokenSource {
    pub(crate) fn new(request: TokenRequest, clock: Arc<dyn Clock>) -> Self {
        Self {
            request,
            clock,
            cache: Mutex::default(),
            flight: Semaphore::new(1),
        }
    }

    /// A token that is good for some minutes.
    pub(crate) async fn token(&self) -> Result<Arc<Token>, AuthError> {
        if let Some(answer) = self.cached(|cache, now| cache.answer(now)) {
            return answer;
        }
        let _permit = self
            .flight
            .acquire()
            .await
            .expect("the semaphore is never closed");
        // Someone else may have asked while we waited.
        if let Some(answer) = self.cached(|cache, now| cache.answer(now)) {
            return answer;
        }
        let result = self.request.fetch(self.clock.now()).await.map(Arc::new);
        self.cached(|cache, now| {
            match &result {
                Ok(token) => {
                    cache.token = Some(Arc::clone(token));
                    cache.refused = None;
                }
                Err(error) => {
                    tracing::debug!(error.codes = ?error.codes, "no token: {error}");
                    cache.refused = Some((error.clone(), now + pause_after(error)));
                }
            }
            cache.answer(now).unwrap_or(result)
        })
    }

    /// Forgets a token that the service refused although it seemed good. Whoever refused an
    /// older one changes nothing.
    pub(crate) fn refuse(&self, token: &Arc<Token>) {
        self.cached(|cache, _| {
            if cache
                .token
                .as_ref()
                .is_some_and(|kept| Arc::ptr_eq(kept, token))
            {
                cache.token = None;
            }
        });
    }

    /// The token kept at present, whatever its age.
    pub(crate) fn current(&self) -> Option<Arc<Token>> {
        self.cached(|cache, _| cache.token.clone())
    }

    /// Forgets the token: rights are baked in when it is issued, so a new right needs a new one.
    pub(crate) fn forget(&self) {
        self.cached(|cache, _| cache.token = None);
    }

    fn cached<T>(&self, work: impl FnOnce(&mut Cache, Timestamp) -> T) -> T {
        let now = self.clock.now();
        work(
            &mut self.cache.lock().unwrap_or_else(PoisonError::into_inner),
            now,
        )
    }
}

fn pause_after(error: &AuthError) -> Duration {
    match error.class {
        AuthClass::Operator => REFUSED_PAUSE,
        AuthClass::Retry(after) => after.unwrap_or_default().max(FAILED_PAUSE),
    }
}
