//! A service with agents enrolled, which asks Microsoft Graph for nothing.

use std::sync::Arc;

use syncwatch::{App, Running};
use syncwatch_domain::clock::Clock;
use syncwatch_domain::source::Poll;
use syncwatch_store::Store;

use crate::post::TOKEN;

pub(crate) const TENANT: &str = "hauser";

pub(crate) struct Site {
    pub(crate) running: Running,
    pub(crate) store: Store,
    pub(crate) url: String,
    _folder: tempfile::TempDir,
}

impl Site {
    /// Starts a service that takes reports from these hosts; `more` stands behind its configuration.
    pub(crate) async fn start(clock: Arc<dyn Clock>, hosts: &[&str], more: &str) -> Self {
        syncwatch_tests::install_crypto();
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("syncwatch.db");
        let polls: String = Poll::GRAPH
            .iter()
            .map(|poll| format!("polls.{poll}.enabled = false\n"))
            .collect();
        let agents: String = hosts
            .iter()
            .map(|host| {
                format!("[[tenant.agent]]\nhost = \"{host}\"\ntoken = \"{TOKEN}-{host}\"\n")
            })
            .collect();
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\ninstance = \"test\"\n[store]\nurl = \"sqlite:{}\"\n\
             [[tenant]]\nname = \"{TENANT}\"\nid = \"00000000-0000-4000-8000-000000000001\"\n\
             client_id = \"00000000-0000-4000-8000-000000000002\"\nclient_secret = \"unused-secret\"\n\
             graph_url = \"http://127.0.0.1:9\"\nlogin_url = \"http://127.0.0.1:9\"\n{polls}{agents}{more}",
            database.display()
        );
        let config = syncwatch::config::load("agents.toml", &text, [])
            .unwrap_or_else(|report| panic!("{report}\n{text}"));
        let app = App::build(config, clock).await.expect("a service");
        let running = app.start();
        let store = running.store().await.expect("a store");
        let url = running.url();
        Self {
            running,
            store,
            url,
            _folder: folder,
        }
    }
}
