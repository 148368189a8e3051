//! A service with agents enrolled, which asks Microsoft Graph for nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use syncwatch::lifecycle::Signals;
use syncwatch::{App, Running};
use syncwatch_domain::clock::Clock;
use syncwatch_domain::source::{Poll, SourceState};
use syncwatch_store::Store;

use crate::post::TOKEN;

pub(crate) const TENANT: &str = "hauser";

pub(crate) struct Site {
    pub(crate) running: Running,
    pub(crate) store: Store,
    pub(crate) url: String,
    /// Where agents on other machines come in, when the configuration has an `[intake]`.
    pub(crate) intake: Option<SocketAddr>,
    text: String,
    clock: Arc<dyn Clock>,
    folder: tempfile::TempDir,
}

/// `[[tenant.agent]]` of an agent that pushes.
fn pushing(host: &str) -> String {
    format!("[[tenant.agent]]\nhost = \"{host}\"\ntoken = \"{TOKEN}-{host}\"\n")
}

impl Site {
    /// Starts a service that takes reports from these hosts; `more` stands behind its configuration.
    pub(crate) async fn start(clock: Arc<dyn Clock>, hosts: &[&str], more: &str) -> Self {
        let agents: String = hosts.iter().map(|host| pushing(host)).collect();
        Self::with(clock, &format!("{agents}{more}")).await
    }

    /// Starts a service with these sections behind those of its tenant.
    pub(crate) async fn with(clock: Arc<dyn Clock>, sections: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("syncwatch.db");
        let polls: String = Poll::GRAPH
            .iter()
            .map(|poll| format!("polls.{poll}.enabled = false\n"))
            .collect();
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\ninstance = \"test\"\n[store]\nurl = \"sqlite:{}\"\n\
             [[tenant]]\nname = \"{TENANT}\"\nid = \"00000000-0000-4000-8000-000000000001\"\n\
             client_id = \"00000000-0000-4000-8000-000000000002\"\nclient_secret = \"unused-secret\"\n\
             graph_url = \"http://127.0.0.1:9\"\nlogin_url = \"http://127.0.0.1:9\"\n{polls}{sections}",
            database.display()
        );
        Self::launch(text, clock, folder).await
    }

    /// Stops it and starts it again on the same database.
    pub(crate) async fn restart(self) -> Self {
        self.running.stop();
        let mut signals = Signals::listen().expect("signals");
        self.running.until_ended(&mut signals).await;
        Self::launch(self.text, self.clock, self.folder).await
    }

    async fn launch(text: String, clock: Arc<dyn Clock>, folder: tempfile::TempDir) -> Self {
        syncwatch_tests::install_crypto();
        let config = syncwatch::config::load("agents.toml", &text, [])
            .unwrap_or_else(|report| panic!("{report}\n{text}"));
        let app = App::build(config, Arc::clone(&clock))
            .await
            .expect("a service");
        let intake = app.intake_addr();
        let running = app.start();
        let store = running.store().await.expect("a store");
        let url = running.url();
        Self {
            running,
            store,
            url,
            intake,
            text,
            clock,
            folder,
        }
    }

    /// The source that says whether the agent on a host is heard.
    pub(crate) async fn heard(&self, host: &str) -> Option<SourceState> {
        let sources = self.store.sources(None).await.expect("sources");
        let mut states = sources.into_iter().map(|source| source.state);
        states.find(|state| state.key.poll == Poll::AgentReports && state.key.instance == host)
    }

    /// How many records are kept.
    pub(crate) async fn stored(&self) -> u64 {
        let count = self.store.agent_record_count().await.expect("a count");
        count.unsigned_abs()
    }
}
