//! What all surfaces share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::SimClock;
use crate::login::Login;
use crate::sinks::smtp::MailTls;
use crate::sinks::{Mail, Sink, TeamsPost, WebhookCall};
use crate::world::World;
use crate::world::faults;

/// Most requests kept in the log; the oldest half is forgotten when it is full.
const MOST_REQUESTS: usize = 200_000;

/// Which server a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Surface {
    /// Microsoft Graph.
    Graph,
    /// The token endpoint.
    Login,
    /// IMDS and App Service.
    Identity,
    /// The Teams endpoint.
    Teams,
    /// The generic webhook.
    Webhook,
}

/// One request that came in.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// Time of arrival, simulated.
    pub at_ms: i64,
    /// Which server.
    pub surface: Surface,
    /// Name of the tenant, where there is one.
    pub tenant: Option<String>,
    /// HTTP method.
    pub method: String,
    /// Path as sent.
    pub path: String,
    /// Query as sent, without the question mark; secrets of the Teams URL are left out.
    pub query: String,
    /// HTTP status of the answer; 0 if the connection was cut or left hanging.
    pub status: u16,
    /// Value of `client-request-id`.
    pub client_request_id: Option<String>,
    /// Application id of the access token.
    pub app: Option<String>,
}

pub(crate) struct Core {
    pub(crate) clock: Arc<dyn SimClock>,
    world: Mutex<World>,
    pub(crate) login: Mutex<Login>,
    requests: Mutex<Vec<RequestRecord>>,
    numbered: Mutex<u64>,
    pub(crate) mail: Sink<Mail>,
    pub(crate) teams: Sink<TeamsPost>,
    pub(crate) webhook: Sink<WebhookCall>,
    pub(crate) webhook_secret: Mutex<Option<Vec<u8>>>,
    pub(crate) mail_tls: MailTls,
    pub(crate) mail_user: String,
    pub(crate) mail_password: String,
    pub(crate) mail_auth: bool,
    /// The secret part of the Teams URL.
    pub(crate) teams_signature: String,
}

impl Core {
    pub(crate) fn new(
        clock: Arc<dyn SimClock>,
        world: World,
        login: Login,
        mail_tls: MailTls,
    ) -> Self {
        let own = world.seed.corner("receivers");
        Self {
            clock,
            login: Mutex::new(login),
            requests: Mutex::default(),
            numbered: Mutex::default(),
            mail: Sink::default(),
            teams: Sink::default(),
            webhook: Sink::default(),
            webhook_secret: Mutex::default(),
            mail_tls,
            mail_user: "alerts@simulator.invalid".to_owned(),
            mail_password: own.corner("mail password").hex(16),
            mail_auth: true,
            teams_signature: format!(
                "{}{}",
                own.corner("sig").hex(16),
                own.corner("sig").nth(1).hex(16)
            ),
            world: Mutex::new(world),
        }
    }

    /// The world as it is now.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let now = self.clock.now_ms();
        let mut world = lock(&self.world);
        world.advance(now);
        world
    }

    pub(crate) fn record(&self, request: RequestRecord) {
        let mut list = lock(&self.requests);
        if list.len() >= MOST_REQUESTS {
            list.drain(..MOST_REQUESTS / 2);
        }
        list.push(request);
    }

    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.requests).clone()
    }

    pub(crate) fn forget_requests(&self) {
        lock(&self.requests).clear();
    }

    /// Numbers requests, so that each gets an id of its own.
    pub(crate) fn next_number(&self) -> u64 {
        let mut number = lock(&self.numbered);
        *number += 1;
        *number
    }

    /// What is wrong with the next message: status and delay.
    pub(crate) fn mail_fault(&self) -> (Option<u16>, u64) {
        let mut world = self.world();
        let fault = faults::take(&mut world.receivers.smtp_codes);
        (fault, world.receivers.smtp_slow_ms)
    }

    /// True if the next mail connection is to be reset.
    pub(crate) fn refuses_mail(&self) -> bool {
        let mut world = self.world();
        let refuses = world.receivers.smtp_refuse > 0;
        world.receivers.smtp_refuse = world.receivers.smtp_refuse.saturating_sub(1);
        refuses
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
