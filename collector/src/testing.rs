//! Servers on loopback for the tests of this crate.

#![expect(clippy::unwrap_used, reason = "tests")]

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use url::Url;

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
