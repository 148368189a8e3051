//! `/-/healthy` and `/-/ready`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use syncwatch_store::Store;

use super::shape::Readiness;
use super::stage::{Stage, Surface, opening};

/// How long the database may take to show that it takes writes. Longer than its own wait for a
/// lock, so that its reason is heard.
const PATIENCE: Duration = Duration::from_secs(7);
/// The same where a person waits for a page.
pub(super) const PAGE_PATIENCE: Duration = Duration::from_secs(1);

/// The process answers.
pub(super) async fn healthy() -> &'static str {
    "ok\n"
}

/// The service does its work, or says why not.
pub(super) async fn ready(State(surface): State<Surface>) -> (StatusCode, Json<Readiness>) {
    let readiness = readiness(&surface, PATIENCE).await;
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness))
}

/// Looks at the database and at the loops.
pub(super) async fn readiness(surface: &Surface, patience: Duration) -> Readiness {
    let stage = surface.stage.borrow().clone();
    let mut reasons = match &stage {
        Stage::Opening(reason) => vec![opening(reason.as_deref())],
        Stage::Serving(serving) => database(&serving.store, patience).await,
    };
    if matches!(stage, Stage::Serving(_)) {
        reasons.extend(
            surface
                .tasks
                .missing()
                .into_iter()
                .map(|name| format!("the {name} does not run")),
        );
    }
    if surface.stop.is_cancelled() {
        reasons.push("the service is stopping".to_owned());
    }
    Readiness {
        ready: reasons.is_empty(),
        reasons,
    }
}

/// What is wrong with the database.
async fn database(store: &Store, patience: Duration) -> Vec<String> {
    let look = async {
        let mut reasons = Vec::new();
        match store.schema().await {
            Ok((needed, found)) if needed != found => {
                reasons.push(format!(
                    "the database has schema {found}, this version needs {needed}"
                ));
            }
            Ok(_) => {}
            Err(error) => reasons.push(crate::chain(&error)),
        }
        if let Err(error) = store.check_writable().await {
            reasons.push(crate::chain(&error));
        }
        reasons.dedup();
        reasons
    };
    tokio::time::timeout(patience, look)
        .await
        .unwrap_or_else(|_| {
            vec![format!(
                "the database does not answer within {} s",
                patience.as_secs()
            )]
        })
}
