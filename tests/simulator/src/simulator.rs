//! Starting, asking and stopping a simulator.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::action::Action;
use crate::clock::SimClock;
use crate::core::{Core, RequestRecord, lock};
use crate::http::{self, Service};
use crate::login::{Login, identity_header};
use crate::sinks::{Mail, Sink, TeamsPost, WebhookCall, smtp, webhook};
use crate::story::{Client, Story, StoryError};
use crate::world::directory::{Life, Sync};
use crate::world::{ActionError, World};

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The story cannot be told.
    #[error(transparent)]
    Story(#[from] StoryError),
    /// A step names something the story does not have.
    #[error("step at {at} cannot be played")]
    Step {
        /// Time of the step.
        at: crate::times::Span,
        /// What is missing.
        #[source]
        source: ActionError,
    },
    /// A certificate or key cannot be used.
    #[error("{0}")]
    Certificate(String),
    /// A port cannot be bound.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Bind {
        /// Which port; 0 means any.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Which ports of 127.0.0.1 are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ports {
    base: Option<u16>,
}

impl Ports {
    /// Any free ports.
    #[must_use]
    pub const fn free() -> Self {
        Self { base: None }
    }

    /// Fixed ports from a base: login, identity, mail, mail over TLS, Teams, webhook, then Graph of each tenant
    /// from base + 10 on.
    #[must_use]
    pub const fn from_base(base: u16) -> Self {
        Self { base: Some(base) }
    }

    fn nth(self, offset: u16) -> u16 {
        self.base.map_or(0, |base| base.saturating_add(offset))
    }
}

/// Starts simulators.
#[derive(Debug, Clone, Copy)]
pub struct Simulator;

impl Simulator {
    /// Starts all servers of a story. The story begins at the present of the clock.
    pub async fn start(
        story: Story,
        clock: Arc<dyn SimClock>,
        ports: Ports,
    ) -> Result<Running, SimError> {
        story.check()?;
        let origin = clock.now_ms();
        let mut world = World::new(&story, origin);
        for step in &story.steps {
            world.check(&step.action).map_err(|source| SimError::Step {
                at: step.at,
                source,
            })?;
        }
        let login = Login::new(&story.tenants).map_err(SimError::Certificate)?;
        let tls = smtp::make_tls().map_err(SimError::Certificate)?;
        let core = Arc::new(Core::new(clock, world, login, tls));
        let servers = Servers {
            core,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let mut graph = Vec::new();
        for n in 0..story.tenants.len() {
            let offset = u16::try_from(n).unwrap_or(u16::MAX).saturating_add(10);
            graph.push(servers.listen(ports.nth(offset), Service::Graph(n)).await?);
        }
        Ok(Running {
            login: servers.listen(ports.nth(0), Service::Login).await?,
            identity: servers.listen(ports.nth(1), Service::Identity).await?,
            mail: servers
                .listen(ports.nth(2), Service::Smtp { implicit: false })
                .await?,
            mail_tls: servers
                .listen(ports.nth(3), Service::Smtp { implicit: true })
                .await?,
            teams: servers.listen(ports.nth(4), Service::Teams).await?,
            webhook: servers.listen(ports.nth(5), Service::Webhook).await?,
            graph,
            story,
            origin,
            servers,
        })
    }
}

struct Servers {
    core: Arc<Core>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Servers {
    async fn listen(&self, port: u16, service: Service) -> Result<SocketAddr, SimError> {
        let bound = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = bound.map_err(|source| SimError::Bind { port, source })?;
        let address = listener
            .local_addr()
            .map_err(|source| SimError::Bind { port, source })?;
        let (core, stop, tasks) = (
            Arc::clone(&self.core),
            self.stop.clone(),
            self.tasks.clone(),
        );
        self.tasks
            .spawn(http::accept(core, listener, service, stop, tasks));
        Ok(address)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What a client of a tenant needs to sign in.
#[derive(Clone)]
pub struct Credentials {
    /// Name of the tenant in the story.
    pub tenant: String,
    /// Directory id.
    pub tenant_id: String,
    /// Application id.
    pub client_id: String,
    /// Client secret, if the client has one.
    pub client_secret: Option<String>,
    /// Base of the Graph host, without a version.
    pub graph_url: String,
    /// Base of the login host.
    pub login_url: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .field("graph_url", &self.graph_url)
            .finish_non_exhaustive()
    }
}

/// A simulator that runs. Dropping it stops it too, without waiting.
pub struct Running {
    story: Story,
    origin: i64,
    graph: Vec<SocketAddr>,
    login: SocketAddr,
    identity: SocketAddr,
    mail: SocketAddr,
    mail_tls: SocketAddr,
    teams: SocketAddr,
    webhook: SocketAddr,
    servers: Servers,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("graph", &self.graph)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

impl Running {
    fn core(&self) -> &Core {
        &self.servers.core
    }

    /// The story being told.
    #[must_use]
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// Instant at which the story began, by the clock it was started with.
    #[must_use]
    pub fn origin_ms(&self) -> i64 {
        self.origin
    }

    /// Base of the Graph host of a tenant (no version, no slash). Panics if the story has no such tenant.
    #[must_use]
    pub fn graph_url(&self, tenant: &str) -> String {
        let index = self
            .story
            .tenants
            .iter()
            .position(|known| known.name == tenant);
        let index = index.unwrap_or_else(|| panic!("no tenant {tenant:?} in the story"));
        format!("http://{}", self.graph[index])
    }

    /// Base of the login host.
    #[must_use]
    pub fn login_url(&self) -> String {
        format!("http://{}", self.login)
    }

    /// Base of the instance metadata service.
    #[must_use]
    pub fn imds_url(&self) -> String {
        format!("http://{}", self.identity)
    }

    /// `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` of App Service.
    #[must_use]
    pub fn app_service_identity(&self) -> (String, String) {
        let header = identity_header(self.core().world().seed);
        (format!("http://{}/msi/token", self.identity), header)
    }

    /// Credentials of every client of every tenant, in the order of the story.
    #[must_use]
    pub fn credentials(&self) -> Vec<Credentials> {
        let mut list = Vec::new();
        for tenant in &self.story.tenants {
            for client in &tenant.clients {
                list.push(Credentials {
                    tenant: tenant.name.clone(),
                    tenant_id: tenant.id.clone(),
                    client_id: client.id.clone(),
                    client_secret: client.secret.clone(),
                    graph_url: self.graph_url(&tenant.name),
                    login_url: self.login_url(),
                });
            }
        }
        list
    }

    /// The first client of a tenant, as the story has it.
    #[must_use]
    pub fn client(&self, tenant: &str) -> Option<&Client> {
        self.story
            .tenants
            .iter()
            .find(|known| known.name == tenant)?
            .clients
            .first()
    }

    /// Mail server with STARTTLS.
    #[must_use]
    pub fn smtp_addr(&self) -> SocketAddr {
        self.mail
    }

    /// Mail server with TLS from the first byte.
    #[must_use]
    pub fn smtps_addr(&self) -> SocketAddr {
        self.mail_tls
    }

    /// User and password the mail server accepts.
    #[must_use]
    pub fn smtp_login(&self) -> (String, String) {
        (
            self.core().mail_user.clone(),
            self.core().mail_password.clone(),
        )
    }

    /// Certificate of the authority that signed the mail server's certificate (names localhost and 127.0.0.1).
    #[must_use]
    pub fn smtp_ca_pem(&self) -> &str {
        &self.core().mail_tls.ca_pem
    }

    /// URL of the Teams Workflows endpoint, signature included: the whole URL is a secret, as the real one.
    #[must_use]
    pub fn teams_url(&self) -> String {
        let signature = &self.core().teams_signature;
        format!(
            "http://{}/powerautomate/automations/direct/workflows/0123456789abcdef0123456789abcdef/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={signature}",
            self.teams
        )
    }

    /// URL of the generic webhook; any path below it works too.
    #[must_use]
    pub fn webhook_url(&self) -> String {
        format!("http://{}/hook", self.webhook)
    }

    /// Tells the webhook the secret (raw, or `whsec_` and base64); from then on wrong signatures get 401.
    pub fn set_webhook_secret(&self, secret: Option<&str>) {
        *lock(&self.core().webhook_secret) = secret.map(webhook::key_bytes);
    }

    /// Messages offered to the mail server.
    #[must_use]
    pub fn mail(&self) -> &Sink<Mail> {
        &self.core().mail
    }

    /// Posts to the Teams endpoint.
    #[must_use]
    pub fn teams(&self) -> &Sink<TeamsPost> {
        &self.core().teams
    }

    /// Calls of the webhook.
    #[must_use]
    pub fn webhook(&self) -> &Sink<WebhookCall> {
        &self.core().webhook
    }

    /// Every HTTP request so far, in the order of the answers.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.core().requests()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.core().forget_requests();
    }

    /// Lets something happen now.
    pub fn apply(&self, action: &Action) -> Result<(), ActionError> {
        let mut world = self.core().world();
        let now = world.now;
        world.apply(action, now)
    }

    /// Lets the world advance to the present of its clock and tells the end of the newest cycle of a job.
    #[must_use]
    pub fn last_success_ms(&self, job: &crate::JobRef) -> Option<i64> {
        let mut world = self.core().world();
        let tenant = world.tenant_named(&job.tenant).ok()?;
        let index = tenant.find_job(&job.app, &job.template)?;
        tenant.jobs[usize::from(index)].status.success_ended
    }

    /// Full id of a job (`AD2AADProvisioning.<tenant>.<guid>`).
    #[must_use]
    pub fn job_id(&self, job: &crate::JobRef) -> Option<String> {
        let mut world = self.core().world();
        let tenant = world.tenant_named(&job.tenant).ok()?;
        let index = tenant.find_job(&job.app, &job.template)?;
        Some(tenant.jobs[usize::from(index)].id.clone())
    }

    /// Users of a tenant that are there, by object id, each with its distinguished name where it is synchronised.
    #[must_use]
    pub fn users(&self, tenant: &str) -> BTreeMap<String, Option<String>> {
        let mut world = self.core().world();
        let Ok(tenant) = world.tenant_named(tenant) else {
            return BTreeMap::new();
        };
        let users = tenant.directory.users.iter();
        let present = users.filter(|user| user.life == Life::Present);
        present
            .map(|user| {
                let synced = user.sync == Sync::Synced;
                let dn = synced.then(|| user.person.dn_in(user.place, &user.ad_domain));
                (user.person.id.clone(), dn)
            })
            .collect()
    }

    /// Steps of the story that are still to come.
    #[must_use]
    pub fn steps_left(&self) -> usize {
        self.core().world().steps_left()
    }

    /// Stops all servers and waits until the last connection is gone; true if everything ended in time.
    pub async fn stop(self) -> bool {
        const LIMIT: Duration = Duration::from_secs(5);
        self.servers.stop.cancel();
        self.servers.tasks.close();
        tokio::time::timeout(LIMIT, self.servers.tasks.wait())
            .await
            .is_ok()
    }
}
