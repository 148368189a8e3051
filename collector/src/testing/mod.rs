//! Servers on loopback for the tests of this crate.

#![expect(clippy::unwrap_used, reason = "tests")]

pub(crate) mod graph;

use axum::Router;
use syncwatch_domain::secret::Secret;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use url::Url;

use crate::config::{TenantConfig, TenantSection};

/// A server that stops when it is dropped.
pub(crate) struct Server {
    url: Url,
    _stop: DropGuard,
}

impl Server {
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }
}

/// Serves `router` on a free port.
pub(crate) async fn serve(router: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    TaskTracker::new().spawn(async move {
        axum::serve(listener, router)
            .with_graceful_shutdown(stopped)
            .await
            .unwrap();
    });
    Server {
        url,
        _stop: stop.drop_guard(),
    }
}

/// A tenant whose services are all at `url`.
pub(crate) fn tenant(url: &Url) -> TenantConfig {
    TenantSection {
        name: "rowan".to_owned(),
        id: "5c1e7a90-0b3d-4d62-9f84-2a6b8c7d1e30".to_owned(),
        client_id: Some("9d2f4b61-7c08-4e15-a3b9-60f1d5e8c742".to_owned()),
        client_secret: Some(Secret::new("medlar".to_owned())),
        graph_url: Some(url.to_string()),
        login_url: Some(url.to_string()),
        ..TenantSection::default()
    }
    .check()
    .unwrap()
}
