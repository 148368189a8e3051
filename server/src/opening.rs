//! Opens the store, and keeps trying where waiting can help.

use syncwatch_domain::backoff::Backoff;
use syncwatch_domain::clock::Clock;
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::secret::Secret;
use syncwatch_domain::span::Span;
use syncwatch_store::{Store, StoreError, StoreOptions, Trouble};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::config::sections::store::StoreUrl;
use crate::error::AppError;

/// Wait between attempts to open the database.
const RETRY: Backoff = Backoff {
    first: Span::secs(1),
    cap: Span::secs(30),
};

/// Where the store is, read from its file if it is in one.
pub(crate) fn store_options(config: &Config) -> Result<StoreOptions, AppError> {
    let url = match &config.store.url {
        StoreUrl::Written(url) => url.clone(),
        StoreUrl::File(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| AppError::UrlFile {
                path: path.clone(),
                source,
            })?;
            Secret::new(text.trim().to_owned())
        }
    };
    Ok(StoreOptions::new(
        url.expose().as_str(),
        config.server.instance.as_str(),
    ))
}

/// Opens the store, brings its schema up to date and applies the policy of the configuration.
///
/// A full disk, a lock, missing rights and a server out of reach can be mended while the service
/// waits, so it says why and tries again instead of dying and being restarted in a circle.
/// `None`: told to stop meanwhile.
///
/// # Errors
/// When waiting cannot help.
pub(crate) async fn open(
    options: &StoreOptions,
    policy: &LanePolicy,
    clock: &dyn Clock,
    stop: &CancellationToken,
    tell: impl Fn(String),
) -> Result<Option<Store>, StoreError> {
    let mut failures = 0;
    loop {
        let opened = tokio::select! {
            () = stop.cancelled() => return Ok(None),
            opened = attempt(options, policy, clock) => opened,
        };
        let error = match opened {
            Ok(store) => return Ok(Some(store)),
            Err(error) if may_mend_itself(&error) => error,
            Err(error) => return Err(error),
        };
        failures += 1;
        let wait = RETRY.wait(failures, 0);
        let reason = reason(&error);
        tracing::error!(
            reason,
            retry_after = crate::words::span(wait),
            "the database cannot be opened"
        );
        tell(reason);
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn attempt(
    options: &StoreOptions,
    policy: &LanePolicy,
    clock: &dyn Clock,
) -> Result<Store, StoreError> {
    let store = Store::open_and_migrate(options).await?;
    // The first write: a database that can be read and not written fails here.
    let written = async {
        store.check_writable().await?;
        store.apply_policy(policy, clock.now()).await
    };
    if let Err(error) = written.await {
        store.close().await;
        return Err(error);
    }
    Ok(store)
}

/// Whether an operator can mend it without a new configuration or another version.
fn may_mend_itself(error: &StoreError) -> bool {
    error
        .trouble()
        .is_some_and(|trouble| trouble != Trouble::Damaged)
}

/// Why it cannot be opened, with words an operator can act on.
pub(crate) fn reason(error: &StoreError) -> String {
    let chain = crate::chain(error);
    match (error, error.trouble()) {
        // Its own text has the words already.
        (StoreError::Statement { .. }, _) | (_, None | Some(Trouble::Other)) => chain,
        (_, Some(trouble)) => {
            let head = error.to_string();
            let cause = chain
                .strip_prefix(&head)
                .unwrap_or_default()
                .trim_start_matches(": ");
            format!("{head}: {trouble} ({cause})")
        }
    }
}
